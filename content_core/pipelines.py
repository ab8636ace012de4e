"""What an aggregation pipeline would do, told before MongoDB sees it: what it reads and writes, and what it may not.

Pure. Stages are known by name: one that is not known here is refused, for what it reads is not known either. Names of
collections are never split at dots.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from content_core.documents import Document
from content_core.errors import PipelineMalformedError, PipelineNameError, PipelineRefusedError

__all__ = ["MAX_DEPTH", "Access", "Touch", "inspect_pipeline"]

MAX_DEPTH: Final = 100
"""How many brackets may stand around a value in a pipeline: what MongoDB's own reader takes, with room to spare."""

Access: TypeAlias = Literal["read", "out", "merge"]

_PLAIN: Final = frozenset({
    "$addFields",
    "$bucket",
    "$bucketAuto",
    "$changeStreamSplitLargeEvent",
    "$count",
    "$densify",
    "$documents",
    "$fill",
    "$geoNear",
    "$group",
    "$limit",
    "$match",
    "$project",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$sample",
    "$score",
    "$search",
    "$searchMeta",
    "$set",
    "$setWindowFields",
    "$skip",
    "$sort",
    "$sortByCount",
    "$unset",
    "$unwind",
    "$vectorSearch",
})  # fmt: skip
"""Stages that see nothing but what the stage before them gives, or the collection itself."""

_OF_SERVER: Final = frozenset({
    "$backupcursor",
    "$backupcursorextend",
    "$changestream",
    "$collstats",
    "$currentop",
    "$indexstats",
    "$listcachedandactiveusers",
    "$listcatalog",
    "$listclustercatalog",
    "$listextensions",
    "$listlocalsessions",
    "$listmqlentities",
    "$listsampledqueries",
    "$listsearchindexes",
    "$listsessions",
    "$mergecursors",
    "$operationmetrics",
    "$plancachestats",
    "$querysettings",
    "$querystats",
    "$queue",
    "$setvariablefromsubpipeline",
    "$shardeddatadistribution",
})  # fmt: skip
"""Stages that show the server instead of content, or belong to it; compared without regard to case."""

_JAVASCRIPT: Final = frozenset({"$where", "$function", "$accumulator"})
_INTERNAL: Final = "$_"
_WHERE: Final = frozenset({"db", "coll"})
_SHOWN: Final = 100

_Path: TypeAlias = "tuple[_Path, str] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One collection that a pipeline reads or writes, besides the one that it runs on.

    Args:
        database: the database that is named; None for the one that the pipeline runs in.
        collection: the collection.
        stage: the name of the stage, such as ``$lookup``.
        location: where the stage stands, such as ``pipeline[1].$lookup``.
        access: whether it reads the collection, replaces it, or writes documents into it.
    """

    database: str | None
    collection: str
    stage: str
    location: str
    access: Access


def inspect_pipeline(
    stages: Sequence[Document], *, placeholders: Collection[str] = (), max_depth: int = MAX_DEPTH
) -> tuple[Touch, ...]:
    """Tell which collections a pipeline touches, nested pipelines included.

    Args:
        stages: the pipeline.
        placeholders: operators that give way to values later, such as ``$var``. Where one stands for a stage or a
            pipeline, what it names as such is inspected; what it becomes has to be inspected again.
        max_depth: how many brackets may stand around a value.

    Returns:
        The collections in the order in which they are named; one that is named twice comes twice.

    Raises:
        PipelineRefusedError: an operator runs JavaScript or is MongoDB's own affair, or a stage shows the server. In
            any spelling, wherever it stands.
        PipelineNameError: the name of a database or collection is no constant string.
        PipelineMalformedError: this is no pipeline, or a stage is not known here.
    """
    _check_keys(stages, max_depth)
    return tuple(_Inspection(frozenset(placeholders)).pipeline(stages, "pipeline"))


def _check_keys(stages: Any, max_depth: int) -> None:
    """Refuse forbidden keys at any depth, and too much depth; without recursion, since the depth is not known yet."""
    pending: list[tuple[Any, int, _Path]] = [(stages, 1, None)]
    while pending:
        value, depth, path = pending.pop()
        if depth > max_depth:
            reason = f"the pipeline is nested more than {max_depth} levels deep"
            raise PipelineMalformedError(reason, location=_location(None))
        if isinstance(value, Mapping):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise PipelineMalformedError("a name is not a string", location=_location(path))
                below = (path, f".{key[:_SHOWN]}")
                _check_key(key, below)
                if isinstance(item, Mapping | list | tuple):
                    pending.append((item, depth + 1, below))
        elif isinstance(value, list | tuple):
            pending += [
                (item, depth + 1, (path, f"[{index}]"))
                for index, item in enumerate(value)
                if isinstance(item, Mapping | list | tuple)
            ]


def _check_key(key: str, path: _Path) -> None:
    lowered = key.lower()
    if lowered in _JAVASCRIPT:
        location = _location(path)
        raise PipelineRefusedError(f"operator '{key}' at {location} runs JavaScript", location=location)
    if lowered.startswith(_INTERNAL):
        location = _location(path)
        shown = key[:_SHOWN]
        raise PipelineRefusedError(f"operator '{shown}' at {location} belongs to MongoDB itself", location=location)


def _location(path: _Path) -> str:
    parts = []
    while path is not None:
        path, part = path
        parts.append(part)
    return "pipeline" + "".join(reversed(parts))


@dataclass(frozen=True, slots=True)
class _Inspection:
    """The walk over the stages; the depth is known to be bounded."""

    placeholders: frozenset[str]

    def pipeline(self, stages: Any, location: str) -> Iterator[Touch]:
        if isinstance(stages, Mapping) and len(stages) == 1 and next(iter(stages)) in self.placeholders:
            yield from self.placeholder(stages, location)
            return
        if not isinstance(stages, list | tuple):
            raise PipelineMalformedError(f"{location} is no array of stages", location=location)
        for index, stage in enumerate(stages):
            yield from self.stage(stage, f"{location}[{index}]")

    def stage(self, stage: Any, location: str) -> Iterator[Touch]:
        if not isinstance(stage, Mapping) or len(stage) != 1:
            raise PipelineMalformedError(
                f"the stage at {location} is no object with exactly one member", location=location
            )
        name, operand = next(iter(stage.items()))
        if name in self.placeholders:
            yield from self.placeholder(stage, location)
            return
        here = f"{location}.{name[:_SHOWN]}"
        if name.lower() in _OF_SERVER:
            raise PipelineRefusedError(f"stage '{name}' at {here} shows the server", location=here)
        if inspect := _STAGES.get(name):
            yield from inspect(self, operand, here)
        elif name not in _PLAIN:
            raise PipelineMalformedError(
                f"Unrecognized pipeline stage name: '{name[:_SHOWN]}' at {here}", location=here
            )

    def placeholder(self, holder: Mapping[str, Any], location: str) -> Iterator[Touch]:
        """Inspect the stages and pipelines among the operands of a placeholder: it may become each of them."""
        name, operands = next(iter(holder.items()))
        for index, operand in enumerate(operands if isinstance(operands, list) else [operands]):
            here = f"{location}.{name}[{index}]"
            if isinstance(operand, Mapping) and operand:
                yield from self.stage(operand, here)
            elif isinstance(operand, list) and operand and all(isinstance(item, Mapping) for item in operand):
                yield from self.pipeline(operand, here)

    def lookup(self, operand: Any, location: str) -> Iterator[Touch]:
        spec = _specification(operand, location)
        if "from" in spec:  # without it, the pipeline brings its own documents, or MongoDB refuses
            yield from _touch(spec["from"], "$lookup", location, "read")
        if "pipeline" in spec:
            yield from self.pipeline(spec["pipeline"], f"{location}.pipeline")

    def graph_lookup(self, operand: Any, location: str) -> Iterator[Touch]:
        spec = _specification(operand, location)
        if "from" not in spec:
            raise PipelineMalformedError(f"{location} names no collection in 'from'", location=location)
        yield from _touch(spec["from"], "$graphLookup", location, "read")

    def union(self, operand: Any, location: str) -> Iterator[Touch]:
        if isinstance(operand, str):
            yield from _touch(operand, "$unionWith", location, "read")
            return
        spec = _specification(operand, location)
        if "coll" in spec:
            named = {member: spec[member] for member in ("db", "coll") if member in spec}
            yield from _touch(named if "db" in named else named["coll"], "$unionWith", location, "read")
        elif "db" in spec:
            raise PipelineMalformedError(f"{location} names no collection in 'coll'", location=location)
        if "pipeline" in spec:
            yield from self.pipeline(spec["pipeline"], f"{location}.pipeline")

    def facet(self, operand: Any, location: str) -> Iterator[Touch]:
        for name, stages in _specification(operand, location).items():
            yield from self.pipeline(stages, f"{location}.{name[:_SHOWN]}")

    def fusion(self, operand: Any, location: str) -> Iterator[Touch]:
        """Inspect the named pipelines of ``$rankFusion`` and ``$scoreFusion``."""
        given = _specification(_specification(operand, location).get("input"), f"{location}.input")
        pipelines = _specification(given.get("pipelines"), f"{location}.input.pipelines")
        for name, stages in pipelines.items():
            yield from self.pipeline(stages, f"{location}.input.pipelines.{name[:_SHOWN]}")

    def out(self, operand: Any, location: str) -> Iterator[Touch]:
        named = operand
        if isinstance(operand, Mapping):
            named = {member: value for member, value in operand.items() if member != "timeseries"}
        yield from _touch(named, "$out", location, "out")

    def merge(self, operand: Any, location: str) -> Iterator[Touch]:
        if isinstance(operand, str):
            yield from _touch(operand, "$merge", location, "merge")
            return
        spec = _specification(operand, location)
        if "into" not in spec:
            raise PipelineMalformedError(f"{location} names no collection in 'into'", location=location)
        yield from _touch(spec["into"], "$merge", location, "merge")
        if isinstance(spec.get("whenMatched"), list | tuple):
            yield from self.pipeline(spec["whenMatched"], f"{location}.whenMatched")


_STAGES: Final[Mapping[str, Callable[[_Inspection, Any, str], Iterator[Touch]]]] = {
    "$facet": _Inspection.facet,
    "$graphLookup": _Inspection.graph_lookup,
    "$lookup": _Inspection.lookup,
    "$merge": _Inspection.merge,
    "$out": _Inspection.out,
    "$rankFusion": _Inspection.fusion,
    "$scoreFusion": _Inspection.fusion,
    "$unionWith": _Inspection.union,
}
"""Stages that name collections or hold pipelines."""


def _specification(operand: Any, location: str) -> Mapping[str, Any]:
    """Take the operand of a stage that names collections or holds pipelines: an object without operators."""
    if not isinstance(operand, Mapping):
        raise PipelineMalformedError(f"{location} takes an object", location=location)
    if any(member.startswith("$") for member in operand):
        raise PipelineNameError(f"{location} must be constant: it says what is read or written", location=location)
    return operand


def _touch(named: Any, stage: str, location: str, access: Access) -> Iterator[Touch]:
    database: str | None = None
    collection = named
    if isinstance(named, Mapping):
        if not _WHERE.issuperset(named):
            raise PipelineNameError(f"the collection at {location} is not named by constant strings", location=location)
        if set(named) != _WHERE:
            raise PipelineMalformedError(f"{location} needs both 'db' and 'coll'", location=location)
        database, collection = _name(named["db"], location), named["coll"]
    yield Touch(
        database=database, collection=_name(collection, location), stage=stage, location=location, access=access
    )


def _name(value: Any, location: str) -> str:
    if not isinstance(value, str) or "$" in value:
        raise PipelineNameError(f"a name at {location} is no constant string", location=location)
    if not value or "\0" in value:
        raise PipelineMalformedError(f"a name at {location} is empty or holds NUL", location=location)
    return value
