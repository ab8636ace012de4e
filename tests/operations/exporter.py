"""The names under which the MongoDB exporter shows what MongoDB says, worked out from the real MongoDB's own words.

The exporter of Percona makes a metric of every number in the answers to ``getDiagnosticData`` and ``dbStats``: the path
joined by underscores, with shorter beginnings, and in some places the last member as a label instead. So what a query
speaks of can be checked without the exporter; where it is installed, a test compares this with its real output.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import MongoClient

__all__ = ["exporter_figures"]

_SHORT: Final = (("serverStatus.wiredTiger.", "ss_wt."), ("serverStatus.", "ss."), ("replSetGetStatus.", "rs."))
_AS_LABEL: Final = {
    "serverStatus.connections": "conn_type",
    "serverStatus.opcounters": "legacy_op_type",
    "serverStatus.metrics.document": "doc_op_type",
    "serverStatus.globalLock.currentQueue": "count_type",
}
_MEMBERS: Final = "replSetGetStatus.members"
_PARTS: Final = ("serverStatus", "replSetGetStatus")


def exporter_figures(uri: str) -> dict[str, dict[str, set[str]]]:
    """Ask a MongoDB and name what the exporter would show.

    Args:
        uri: a member of a replica set.

    Returns:
        Metric → label → its values; without the labels that Prometheus itself adds.
    """
    found: dict[str, dict[str, set[str]]] = {"mongodb_up": {}}
    with MongoClient[dict[str, Any]](uri) as client:
        # The parts of getDiagnosticData, which the embedded MongoDB does not collect.
        rows = list(_rows({part: client.admin.command(part) for part in _PARTS}, ""))
        for database in client.list_database_names():
            stats = client[database].command("dbStats", freeStorage=1)
            rows += [(f"dbstats_{name}", {"database": database}) for name, value in stats.items() if _number(value)]
    for name, labels in rows:
        known = found.setdefault(f"mongodb_{name}", {})
        for label, value in labels.items():
            known.setdefault(label, set()).add(value)
    return found


def _rows(answer: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name, value in answer.items():
        below = f"{path}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            yield from _rows(value, below)
        elif below == _MEMBERS:
            for member in value:
                for each, labels in _rows(member, below):
                    yield each, labels | {"member_idx": member["name"]}
        elif _number(value):
            label = _AS_LABEL.get(path)
            yield (_short(path), {label: name}) if label else (_short(below), {})


def _number(value: Any) -> bool:
    return isinstance(value, bool | int | float | datetime)


def _short(path: str) -> str:
    for long, short in _SHORT:
        if f"{path}.".startswith(long):
            path = short + path.removeprefix(long.rstrip(".")).lstrip(".")
            break
    return re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9_]+", "_", path)).strip("_")
