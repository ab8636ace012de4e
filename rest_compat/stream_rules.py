"""What may stand in the pipeline of a change stream: few stages, and none that loses the event's ``_id``. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import PipelineMalformedError
from rest_compat.pipeline_variables import PLACEHOLDERS

__all__ = ["check_stream_stages"]

_ALLOWED: Final = frozenset({
    "$addFields",
    "$changeStreamSplitLargeEvent",
    "$match",
    "$project",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$set",
    "$unset",
})  # fmt: skip
"""What MongoDB takes in a change stream."""

_TOKEN: Final = "_id"  # noqa: S105 - the member of an event that MongoDB resumes by
_WHOLE: Final = frozenset({"$$ROOT", "$$CURRENT"})
_KEPT: Final = frozenset({"$$ROOT._id", "$$CURRENT._id", "$_id"})


def check_stream_stages(stages: Sequence[Document]) -> None:
    """Refuse what MongoDB would refuse when the stream is opened, or with its first event.

    Args:
        stages: a pipeline that :func:`content_core.pipelines.inspect_pipeline` let pass, as it is defined or with its
            variables filled. What depends on a variable that is not filled yet passes.

    Raises:
        PipelineMalformedError: a stage cannot stand in a change stream, or it changes the event's ``_id``.
    """
    for index, stage in enumerate(stages):
        for name, operand in _possible(stage):
            location = f"pipeline[{index}].{name}"
            if name not in _ALLOWED:
                raise PipelineMalformedError(f"{name} at {location} cannot stand in a change stream", location=location)
            if _changes_token(name, operand):
                reason = f"the stage at {location} changes the event's _id, by which MongoDB resumes"
                raise PipelineMalformedError(reason, location=location)


def _possible(stage: Any) -> Iterator[tuple[str, Any]]:
    """Give the stages that one may become."""
    if not isinstance(stage, Mapping):
        return
    for name, operand in stage.items():
        if name not in PLACEHOLDERS:
            yield name, operand
        else:
            for branch in operand[1:] if isinstance(operand, list) else ():
                yield from _possible(branch)


def _changes_token(name: str, operand: Any) -> bool:
    match name:
        case "$unset":
            return any(map(_reaches_token, operand if isinstance(operand, list) else [operand]))
        case "$set" | "$addFields":
            return isinstance(operand, dict) and any(map(_reaches_token, operand))
        case "$project":
            return isinstance(operand, dict) and any(
                _reaches_token(member) and not _keeps(member, value) for member, value in operand.items()
            )
        case "$replaceRoot":
            return isinstance(operand, dict) and _loses_token(operand.get("newRoot"))
        case "$replaceWith":
            return _loses_token(operand)
    return False


def _reaches_token(member: Any) -> bool:
    return isinstance(member, str) and member.partition(".")[0] == _TOKEN


def _keeps(member: str, value: Any) -> bool:
    if _is_open(value):
        return True
    return member == _TOKEN and isinstance(value, bool | int | float) and bool(value)


def _loses_token(root: Any) -> bool:
    """Say whether what takes the place of an event has certainly another ``_id``."""
    if isinstance(root, str):
        return root not in _WHOLE
    if not isinstance(root, dict) or any(member.startswith("$") for member in root):
        return False  # an expression, which nobody but MongoDB can work out
    token = root.get(_TOKEN)
    return not _is_open(token) and (not isinstance(token, str) or token not in _KEPT)


def _is_open(value: Any) -> bool:
    return isinstance(value, dict) and not PLACEHOLDERS.isdisjoint(value)
