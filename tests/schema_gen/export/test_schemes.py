from pathlib import Path

import pytest

from schema_gen.export import read_export
from schema_gen.model import ContentModel
from tests.schema_gen.export.project import complete, form, gid, messages, references, template, write

SCHEMES = "TemplateStore/Schemes"


def tables(model: ContentModel) -> list[tuple[str, str | None, str | None]]:
    return [(table.uid, table.schema, table.entity_type) for table in model.table_templates]


def test_the_stand_in_is_read_without_a_finding(tmp_path: Path) -> None:
    root = complete(tmp_path)
    write(root, f"{SCHEMES}/StoreElement.xml", '<SCHEMES id="1"/>')
    write(root, f"{SCHEMES}/trails/StoreElement.xml", '<SCHEMA id="31" name="trails"/>')
    write(root, f"{SCHEMES}/trails/Schema.xml", '<ENTITYTYPE name="hut"><ATTRIBUTE name="title"/></ENTITYTYPE>')
    template(
        root,
        "table",
        "trails.hut",
        '<CMS_INPUT_TEXT name="tt_name"/>',
        directory=f"{SCHEMES}/trails/trails.hut",
        extra='entitytype="hut" templateid="771"',
        children='<LANG language="EN" displayname="Hut"/>',
    )
    reading = read_export(root)
    assert tables(reading.model) == [("trails.hut", "trails", "hut")]
    (table,) = reading.model.table_templates
    assert (table.identifier, table.display_names) == (gid("table", "trails.hut"), (("EN", "Hut"),))
    assert [field.name for field in table.fields] == ["tt_name"]
    assert reading.findings == ()


@pytest.mark.parametrize("attribute", ["entitytype", "entityType", "table"])
def test_the_entity_type_is_an_attribute_of_any_of_three_names(tmp_path: Path, attribute: str) -> None:
    template(tmp_path, "table", "trails.x", directory=f"{SCHEMES}/trails/x", extra=f'{attribute}="Hut"')
    assert tables(read_export(tmp_path).model) == [("trails.x", "trails", "Hut")]


@pytest.mark.parametrize(
    ("uid", "entity_type"), [("trails.hut", "hut"), ("trails.hut.old", "hut.old"), ("hut", "hut"), ("hut.", "hut.")]
)
def test_else_it_is_what_follows_the_first_dot(tmp_path: Path, uid: str, entity_type: str) -> None:
    template(tmp_path, "table", uid, directory=f"{SCHEMES}/trails/any")
    assert tables(read_export(tmp_path).model) == [(uid, "trails", entity_type)]


def test_the_schema_is_the_directory_below_schemes_by_its_uid(tmp_path: Path) -> None:
    write(tmp_path, f"{SCHEMES}/dir/StoreElement.xml", '<SCHEMA name="by_attribute"/>')
    template(tmp_path, "table", "x.hut", directory=f"{SCHEMES}/dir/folder/hut")
    assert tables(read_export(tmp_path).model) == [("x.hut", "by_attribute", "hut")]
    write(tmp_path, f"{SCHEMES}/dir/FS_References.txt", references("schema", "by_reference"))
    assert tables(read_export(tmp_path).model) == [("x.hut", "by_reference", "hut")]


def test_a_table_template_right_below_schemes_has_its_schema_in_the_uid(tmp_path: Path) -> None:
    template(tmp_path, "table", "trails.hut", directory=f"{SCHEMES}/trails.hut")
    assert tables(read_export(tmp_path).model) == [("trails.hut", "trails", "hut")]


def test_a_broken_schema_does_not_hide_its_tables(tmp_path: Path) -> None:
    write(tmp_path, f"{SCHEMES}/trails/StoreElement.xml", "<SCHEMA")
    template(tmp_path, "table", "x.hut", directory=f"{SCHEMES}/trails/hut")
    reading = read_export(tmp_path)
    assert tables(reading.model) == [("x.hut", "trails", "hut")]
    assert [error.path for error in reading.errors] == [f"{SCHEMES}/trails/StoreElement.xml"]


def test_a_form_alone_makes_a_table_template(tmp_path: Path) -> None:
    write(complete(tmp_path), f"{SCHEMES}/trails/trails.hut/GomSource.xml", form('<CMS_INPUT_TEXT name="a"/>'))
    reading = read_export(tmp_path)
    assert tables(reading.model) == [("trails.hut", "trails", "hut")]
    assert [message.partition("xml: ")[2].partition(";")[0] for message in messages(reading)] == [
        "missing, although a table template lies in this directory",
        "no GID for the table template 'trails.hut': FS_References.txt is missing or has no [self]",
    ]


def test_an_unknown_tag_with_a_form_is_a_table_template_and_a_warning(tmp_path: Path) -> None:
    for uid in ("trails.hut", "trails.lake"):
        path = template(complete(tmp_path), "table", uid, "", directory=f"{SCHEMES}/trails/{uid}")
        write(tmp_path, f"{path}/StoreElement.xml", "<REALTABLE/>")
    write(tmp_path, f"{SCHEMES}/trails/model.xml", "<REALSCHEMA/>")
    reading = read_export(tmp_path)
    assert tables(reading.model) == [("trails.hut", "trails", "hut"), ("trails.lake", "trails", "lake")]
    assert [message.partition(",")[0].partition("xml:1: ")[2] for message in messages(reading)] == [
        "<REALSCHEMA> is no schema XML that is known here; it is well-formed and was otherwise ignored",
        "<REALTABLE> is no schema XML that is known here; it is well-formed and was otherwise ignored",
    ]


def test_queries_are_passed_over(tmp_path: Path) -> None:
    root = complete(tmp_path)
    write(root, f"{SCHEMES}/trails/plain/StoreElement.xml", '<QUERY name="plain"/>')
    write(root, f"{SCHEMES}/trails/with_form/FS_References.txt", references("query", "with_form"))
    write(root, f"{SCHEMES}/trails/with_form/GomSource.xml", form('<CMS_INPUT_TEXT name="parameter"/>'))
    reading = read_export(root)
    assert tables(reading.model) == []
    assert reading.findings == ()


@pytest.mark.parametrize("content", ["<ENTITYTYPE>", "<!DOCTYPE x><ENTITYTYPE/>", ""])
def test_other_xml_must_be_well_formed(tmp_path: Path, content: str) -> None:
    write(complete(tmp_path), f"{SCHEMES}/trails/Schema.xml", content)
    (error,) = read_export(tmp_path).errors
    assert (error.path, error.line) == (f"{SCHEMES}/trails/Schema.xml", 1)


def test_a_broken_table_definition_is_reported_once(tmp_path: Path) -> None:
    write(complete(tmp_path), f"{SCHEMES}/trails/trails.hut/StoreElement.xml", "<TABLETEMPLATE>")
    write(tmp_path, f"{SCHEMES}/trails/trails.hut/GomSource.xml", form())
    reading = read_export(tmp_path)
    assert tables(reading.model) == []
    assert [finding.path for finding in reading.findings] == [f"{SCHEMES}/trails/trails.hut/StoreElement.xml"]
