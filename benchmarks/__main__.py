"""Runs the measurements named on the command line; without a name all that take seconds."""

import argparse
from collections.abc import Callable
from typing import Final

from benchmarks import (
    change_streams,
    files,
    graphql_memory,
    graphql_planning,
    graphql_profile,
    graphql_queries,
    graphql_reads,
    nested_profile,
    nested_query,
    rest_bulk,
    rest_memory,
    rest_reads,
    schema_build,
    store_drivers,
    sync,
)
from benchmarks.content import Size

MEASUREMENTS: Final[dict[str, Callable[[Size, float], None]]] = {
    "schema_build": lambda _size, _seconds: schema_build.main(),
    "graphql_queries": graphql_queries.main,
    "graphql_planning": lambda _size, _seconds: graphql_planning.main(),
    "graphql_memory": graphql_memory.main,
    "graphql_reads": graphql_reads.main,
    "nested_query": nested_query.main,
    "store_drivers": store_drivers.main,
    "rest_reads": rest_reads.main,
    "rest_bulk": rest_bulk.main,
    "files": files.main,
    "graphql_profile": graphql_profile.main,
    "nested_profile": nested_profile.main,
    "change_streams": change_streams.main,
    "rest_memory": rest_memory.main,
    "sync": sync.main,
}
_UNASKED: Final = (
    "schema_build",
    "graphql_queries",
    "graphql_planning",
    "graphql_memory",
    "nested_query",
    "store_drivers",
    "rest_reads",
    "rest_bulk",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds for each contestant (%(default)s)")
    for name in ("pages", "datasets", "media"):
        default = getattr(Size(), name)
        parser.add_argument(f"--{name}", type=int, default=default, help="content per language (%(default)s)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    size = Size(options.pages, options.datasets, options.media)
    for name in options.names or _UNASKED:
        print(f"\n== {name}", flush=True)
        MEASUREMENTS[name](size, options.seconds)


if __name__ == "__main__":
    main()
