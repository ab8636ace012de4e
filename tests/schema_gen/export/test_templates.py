from pathlib import Path

from schema_gen.export import read_export
from tests.schema_gen.export.project import complete, gid, messages, template


def test_a_page_template_has_names_bodies_and_its_source(tmp_path: Path) -> None:
    children = """<LANG language="EN" displayname="Story"/><LANG language="DE" displayname="Bericht"/>
      <LANG language="FR"/>
      <TEMPLATEBODY name="main"><LANG language="EN" displayname="Main"/></TEMPLATEBODY><TEMPLATEBODY name="aside"/>"""
    path = template(tmp_path, "page", "story", extra='hidden="1"', children=children)
    (read,) = read_export(tmp_path).model.page_templates
    assert read.display_names == (("DE", "Bericht"), ("EN", "Story"))
    assert read.bodies == ("main", "aside")
    assert (read.hidden, read.identifier, read.fields) == (True, gid("page", "story"), ())
    assert read.source == f"{path}/StoreElement.xml"


def test_bodies_without_a_name_of_their_own_are_left_out(tmp_path: Path) -> None:
    children = '<TEMPLATEBODY name="main"/>\n<TEMPLATEBODY/>\n<TEMPLATEBODY name="main"/>'
    template(complete(tmp_path), "page", "probe", children=children)
    reading = read_export(tmp_path)
    assert [read.bodies for read in reading.model.page_templates] == [("main",), ()]
    assert [finding.line for finding in reading.findings] == [2, 3]


def test_only_page_templates_have_bodies(tmp_path: Path) -> None:
    template(tmp_path, "section", "probe", children='<TEMPLATEBODY name="main"/>', extra='hidden="0"')
    (read,) = read_export(tmp_path).model.section_templates
    assert (read.bodies, read.hidden, read.schema, read.entity_type) == ((), False, None, None)


def test_a_template_without_a_gid_is_read_with_a_warning(tmp_path: Path) -> None:
    path = template(complete(tmp_path), "section", "probe", '<CMS_INPUT_TEXT name="a"/>')
    (tmp_path / path / "FS_References.txt").unlink()
    reading = read_export(tmp_path)
    assert [(read.uid, read.identifier) for read in reading.model.section_templates] == [("probe", None)]
    assert messages(reading)[0].startswith(f"warning: {path}/StoreElement.xml: no GID for the section template 'probe'")


def test_templates_are_sorted_by_uid_and_not_by_directory(tmp_path: Path) -> None:
    for directory, uid in (("a", "z"), ("b", "Y"), ("c", "x")):
        template(tmp_path, "link", uid, directory=f"TemplateStore/LinkTemplates/{directory}")
    assert [read.uid for read in read_export(tmp_path).model.link_templates] == ["Y", "x", "z"]
