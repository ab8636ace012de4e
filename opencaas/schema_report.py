"""What ``opencaas schema`` prints about a comparison and a deployment."""

from collections.abc import Iterator

from content_core.names import State
from opencaas.deploy import Deployment
from schema_gen.compare import Comparison

__all__ = ["render_comparison", "render_deployment"]

_SHOWN = 100
"""Entries of one kind that are listed; the rest is counted."""


def render_comparison(state: State, comparison: Comparison) -> str:
    """Render what a deploy would change in one state: a headline, then one line per change."""
    return "\n".join(_lines(f"{state}: {_headline(comparison)}", comparison))


def render_deployment(deployment: Deployment) -> str:
    """Render what a deploy did in one state."""
    comparison = deployment.comparison
    if not deployment.written:
        outcome = "unchanged, nothing written"
    elif comparison.created:
        outcome = "created"
    else:
        outcome = f"replaced, {_headline(comparison)}"
    return "\n".join(_lines(f"{deployment.state}: {outcome}", comparison))


def _headline(comparison: Comparison) -> str:
    if comparison.unchanged:
        return "unchanged"
    if comparison.created:
        return "not deployed yet"
    counts = [
        f"{len(entries)} {word}"
        for word, entries in (
            ("added", comparison.added),
            ("removed", comparison.removed),
            ("breaking", comparison.breaking),
            ("dangerous", comparison.dangerous),
            ("mappings changed", comparison.mapping_changes),
        )
        if entries
    ]
    return ", ".join(counts) or "changed in descriptions only"


def _lines(headline: str, comparison: Comparison) -> Iterator[str]:
    yield headline
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("added", () if comparison.created else comparison.added),
        ("removed", comparison.removed),
        ("breaking", comparison.breaking),
        ("dangerous", comparison.dangerous),
        ("mapping", comparison.mapping_changes),
        ("GCA pages newly in use", comparison.gca_added),
    )
    for word, entries in kinds:
        yield from (f"  {word}: {entry}" for entry in entries[:_SHOWN])
        if len(entries) > _SHOWN:
            yield f"  {word}: and {len(entries) - _SHOWN} more"
