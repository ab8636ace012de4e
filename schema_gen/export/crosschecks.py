"""Checks that need all templates: uids that are named but missing, allow lists into nothing, circles of links."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schema_gen.export.discovery import CLASS_KINDS, Discovery
from schema_gen.export.findings import FindingLog
from schema_gen.export.templates import ReadTemplate
from schema_gen.model import TemplateKind, TemplateRef

__all__ = ["check_templates", "circles"]

_NAMED_AT_MOST: Final = 5
_KIND_NAMES: Final = {kind.value: kind for kind in TemplateKind}


@dataclass(frozen=True, slots=True)
class _Naming:
    """Who names a template, and where."""

    who: str
    path: str
    line: int


def check_templates(templates: Sequence[ReadTemplate], discovery: Discovery, *, findings: FindingLog) -> None:
    """Report what the templates say of each other that does not come out; none of it stops the reading."""
    _check_missing(templates, discovery, findings=findings)
    _check_allowed(templates, findings=findings)
    _check_circles(templates, findings=findings)


def _check_missing(templates: Sequence[ReadTemplate], discovery: Discovery, *, findings: FindingLog) -> None:
    present = {(template.kind, template.uid) for template in discovery.templates}
    namings: dict[tuple[TemplateKind, str], dict[str, _Naming]] = {}
    for read in templates:
        for kind, uid, naming in _namings(read):
            if (kind, uid) not in present and uid not in discovery.broken:
                namings.setdefault((kind, uid), {}).setdefault(naming.who, naming)
    for (kind, uid), who in namings.items():
        first = next(iter(who.values()))
        names = ", ".join(list(who)[:_NAMED_AT_MOST])
        more = f" and {len(who) - _NAMED_AT_MOST} more" if len(who) > _NAMED_AT_MOST else ""
        findings.warning(
            f"the {kind.value} template {uid!r} is not in the export, but named by {names}{more}; "
            "export it too, or its content stays untyped",
            path=first.path,
            line=first.line,
        )


def _namings(read: ReadTemplate) -> Iterator[tuple[TemplateKind, str, _Naming]]:
    """What a template names: by its form's fields, else by its list of references."""
    who = f"{read.template.kind.value} template {read.template.uid!r}"
    by_form: set[tuple[TemplateKind, str]] = set()
    for use in read.uses:
        target = (_KIND_NAMES[use.target.kind], use.target.uid)
        by_form.add(target)
        yield (*target, _Naming(f"{who} (field {use.field!r})", read.element.form, use.line))
    for reference in read.element.references.outgoing:
        kind = CLASS_KINDS.get(reference.kind)
        if kind is not None and reference.uid and (kind, reference.uid) not in by_form:
            yield kind, reference.uid, _Naming(who, read.element.references.path, reference.line)


def _check_allowed(templates: Sequence[ReadTemplate], *, findings: FindingLog) -> None:
    known = {read.element.attribute("templateid") for read in templates}
    for read in templates:
        if read.template.kind is not TemplateKind.PAGE or read.element.root is None:
            continue
        for allowed in read.element.root.named("ALLOWED"):
            number = allowed.get("templateid")
            if number and number not in known:
                findings.warning_once(
                    ("allowed", number),
                    f"page template {read.template.uid!r} admits a template with the id {number}, which is not in the "
                    "export; export it too if pages use it",
                    path=read.element.definition,
                    line=allowed.line,
                )


def _check_circles(templates: Sequence[ReadTemplate], *, findings: FindingLog) -> None:
    sources = {TemplateRef(read.template.kind.value, read.template.uid): read.template.source for read in templates}
    graph = {
        TemplateRef(read.template.kind.value, read.template.uid): [use.target for use in read.uses]
        for read in templates
    }
    for circle in circles(graph):
        links = [ref for ref in circle if ref.kind == "link"]
        if links:
            names = ", ".join(f"{ref.kind} template {ref.uid!r}" for ref in circle)
            verb = "admits itself" if len(circle) == 1 else "admit each other in a circle"
            findings.warning(f"{names} {verb}; a query decides how deep it goes", path=sources[links[0]])


def circles(graph: Mapping[TemplateRef, Iterable[TemplateRef]]) -> list[list[TemplateRef]]:
    """Find the groups of nodes that reach each other (strongly connected, or with an edge to itself), each sorted.

    Tarjan's algorithm with a stack of its own, since a chain of templates can be longer than Python's.
    """
    order: dict[TemplateRef, int] = {}
    low: dict[TemplateRef, int] = {}
    open_nodes: dict[TemplateRef, None] = {}
    found: list[list[TemplateRef]] = []
    for start in sorted(graph):
        if start in order:
            continue
        path = [(start, iter(graph[start]))]
        order[start] = low[start] = len(order)
        open_nodes[start] = None
        while path:
            node, targets = path[-1]
            target = next((candidate for candidate in targets if candidate in graph), None)
            if target is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    group = _close(open_nodes, node)
                    if len(group) > 1 or node in graph[node]:
                        found.append(sorted(group))
            elif target not in order:
                order[target] = low[target] = len(order)
                open_nodes[target] = None
                path.append((target, iter(graph[target])))
            elif target in open_nodes:
                low[node] = min(low[node], order[target])
    return sorted(found)


def _close(open_nodes: dict[TemplateRef, None], root: TemplateRef) -> list[TemplateRef]:
    group: list[TemplateRef] = []
    while not group or group[-1] != root:
        group.append(open_nodes.popitem()[0])
    return group
