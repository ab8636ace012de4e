from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_gen.export import read_export
from schema_gen.export.crosschecks import circles
from schema_gen.model import TemplateRef
from tests.schema_gen.export.project import complete, messages, template, write


def link(*uids: str) -> str:
    editors = "".join(f'<LINKEDITOR name="{uid}"/>' for uid in uids)
    return f'<CMS_INPUT_LINK name="to"><LINKEDITORS>{editors}</LINKEDITORS></CMS_INPUT_LINK>'


def catalog(*uids: str) -> str:
    cards = "".join(f'<TEMPLATE uid="{uid}"/>' for uid in uids)
    return f'<FS_CATALOG name="cards"><TEMPLATES type="section">{cards}</TEMPLATES></FS_CATALOG>'


def test_a_missing_template_is_reported_once_with_all_who_name_it(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "b", '<CMS_INPUT_TEXT name="x"/>', link("gone"))
    template(tmp_path, "link", "a", link("gone"), names=[("link", "gone")])
    path = "TemplateStore/LinkTemplates/folder/a/GomSource.xml:2"
    message = (
        "the link template 'gone' is not in the export, but named by link template 'a' (field 'to'), "
        "section template 'b' (field 'to'); export it too, or its content stays untyped"
    )
    assert messages(read_export(tmp_path)) == [f"warning: {path}: {message}"]


def test_of_many_who_name_it_five_are_listed(tmp_path: Path) -> None:
    for number in range(7):
        template(complete(tmp_path), "section", f"s{number}", catalog("gone"))
    (message,) = messages(read_export(tmp_path))
    assert "'s4' (field 'cards') and 2 more;" in message


@pytest.mark.parametrize("kind", ["page", "section", "link", "table"])
def test_templates_in_the_list_of_references_count_too(tmp_path: Path, kind: str) -> None:
    path = template(complete(tmp_path), "section", "probe", names=[(kind, "gone")])
    (message,) = messages(read_export(tmp_path))
    assert message.startswith(f"warning: {path}/FS_References.txt:8: the {kind} template 'gone' is not in the export")


def test_kinds_are_not_mixed_up(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "same", link("same"))
    (message,) = messages(read_export(tmp_path))
    assert "the link template 'same' is not in the export" in message


def test_a_broken_template_is_not_also_missing(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "probe", catalog("broken_form", "broken_definition"))
    write(tmp_path, f"{template(tmp_path, 'section', 'broken_form')}/GomSource.xml", "<CMS_MODULE>")
    write(tmp_path, f"{template(tmp_path, 'section', 'broken_definition')}/StoreElement.xml", "<TEMPLATE>")
    reading = read_export(tmp_path)
    assert len(reading.errors) == 2
    assert messages(reading, "warning") == []


def test_allow_lists_into_nothing_are_warned_of_once(tmp_path: Path) -> None:
    allowed = '<ALLOWED enabled="main" templateid="11"/>\n<ALLOWED enabled="main" templateid="-12"/>'
    template(complete(tmp_path), "section", "known", extra='templateid="11"')
    template(tmp_path, "page", "a", children=allowed)
    template(tmp_path, "page", "b", children=allowed)
    (message,) = messages(read_export(tmp_path))
    assert message.partition(";")[0] == (
        "warning: TemplateStore/PageTemplates/folder/a/StoreElement.xml:2: "
        "page template 'a' admits a template with the id -12, which is not in the export"
    )


def test_links_in_a_circle_are_a_warning(tmp_path: Path) -> None:
    template(complete(tmp_path), "link", "a", link("b"))
    template(tmp_path, "link", "b", link("c"))
    template(tmp_path, "link", "c", link("a", "leaf"))
    template(tmp_path, "link", "leaf")
    template(tmp_path, "link", "itself", link("itself"))
    reading = read_export(tmp_path)
    assert [finding.message.partition(";")[0] for finding in reading.findings] == [
        "link template 'a', link template 'b', link template 'c' admit each other in a circle",
        "link template 'itself' admits itself",
    ]
    assert reading.errors == ()


def test_a_circle_may_go_through_sections(tmp_path: Path) -> None:
    template(complete(tmp_path), "link", "popup", catalog("text"))
    template(tmp_path, "section", "text", link("popup"))
    template(tmp_path, "section", "box", catalog("box"))
    (message,) = messages(read_export(tmp_path))
    assert "link template 'popup', section template 'text' admit each other in a circle" in message


NODES = [TemplateRef("link", name) for name in "abcdef"]


@given(st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES))))
def test_circles_are_the_groups_that_reach_each_other(graph: dict[TemplateRef, list[TemplateRef]]) -> None:
    reach = {node: {target for target in targets if target in graph} for node, targets in graph.items()}
    for _ in NODES:
        for reached in reach.values():
            reached.update(*(reach[node] for node in tuple(reached)))
    on_circle = [node for node in graph if node in reach[node]]
    groups = {
        tuple(sorted(other for other in on_circle if other in reach[node] and node in reach[other]))
        for node in on_circle
    }
    assert circles(graph) == sorted(map(list, groups))


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    nodes = [TemplateRef("link", f"{number:06}") for number in range(20_000)]
    graph = {node: [following] for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True)}
    assert circles(graph) == [nodes]
