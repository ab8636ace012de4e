from pathlib import Path

import pytest

from schema_gen.export import read_export
from schema_gen.model import ContentModel
from tests.schema_gen.export.project import (
    TREES,
    block,
    complete,
    definition,
    form,
    gid,
    messages,
    references,
    template,
    write,
)


def uids(model: ContentModel) -> dict[str, list[str]]:
    kinds = {
        "page": model.page_templates,
        "section": model.section_templates,
        "link": model.link_templates,
        "table": model.table_templates,
    }
    return {kind: [template.uid for template in templates] for kind, templates in kinds.items() if templates}


@pytest.mark.parametrize("kind", ["page", "section", "link", "table"])
def test_each_kind_is_found_in_its_tree(tmp_path: Path, kind: str) -> None:
    template(tmp_path, kind, "probe")
    assert uids(read_export(tmp_path).model) == {kind: ["probe"]}


def test_the_class_tells_the_kind_before_the_tag_and_the_tree(tmp_path: Path) -> None:
    path = template(tmp_path, "page", "probe")
    write(tmp_path, f"{path}/FS_References.txt", references("section", "probe"))
    assert uids(read_export(tmp_path).model) == {"section": ["probe"]}


@pytest.mark.parametrize(
    ("tree", "root", "kind"),
    [
        ("LinkTemplates", '<TEMPLATE type="page" filename="probe"/>', "page"),
        ("PageTemplates", '<TEMPLATE type="SECTION" filename="probe"/>', "section"),
        ("PageTemplates", '<LINKTEMPLATE cat="url" type="x" name="probe"/>', "link"),
        ("SectionTemplates", '<TABLETEMPLATE filename="probe"/>', "table"),
    ],
)
def test_without_a_class_tag_and_type_tell_the_kind(tmp_path: Path, tree: str, root: str, kind: str) -> None:
    write(tmp_path, f"TemplateStore/{tree}/any/StoreElement.xml", root)
    assert uids(read_export(tmp_path).model) == {kind: ["probe"]}


@pytest.mark.parametrize("kind", ["page", "section", "link"])
def test_a_definition_that_is_none_is_warned_of_where_the_class_tells_the_kind(tmp_path: Path, kind: str) -> None:
    path = template(complete(tmp_path), kind, "probe", '<CMS_INPUT_TEXT name="a"/>')
    write(tmp_path, f"{path}/StoreElement.xml", "<html/>")
    reading = read_export(tmp_path)
    assert "probe" in uids(reading.model)[kind]
    assert messages(reading)[0].startswith(
        f"warning: {path}/StoreElement.xml:1: <html> is no definition of a template; only the form was read"
    )


@pytest.mark.parametrize("kind", ["page", "section", "link"])
def test_an_unknown_tag_with_a_form_is_read_by_its_tree(tmp_path: Path, kind: str) -> None:
    path = f"TemplateStore/{TREES[kind]}/probe"
    write(tmp_path, f"{path}/StoreElement.xml", "<NEWTEMPLATE/>")
    write(tmp_path, f"{path}/GomSource.xml", form())
    reading = read_export(tmp_path)
    assert uids(reading.model) == {kind: ["probe"]}
    assert f"<NEWTEMPLATE> is no known element of the template store; read as a {kind} template" in "".join(
        messages(reading)
    )


def test_an_unknown_tag_without_a_form_is_left_alone(tmp_path: Path) -> None:
    write(complete(tmp_path), "TemplateStore/PageTemplates/new/StoreElement.xml", "<NEWFOLDER/>")
    reading = read_export(tmp_path)
    assert uids(reading.model) == {"page": ["story"]}
    message = "<NEWFOLDER> is no known element of the template store; left alone"
    assert messages(reading) == [f"warning: TemplateStore/PageTemplates/new/StoreElement.xml:1: {message}"]


@pytest.mark.parametrize("tree", ["Scripts", "Workflows"])
def test_scripts_and_workflows_are_never_read(tmp_path: Path, tree: str) -> None:
    write(complete(tmp_path), f"TemplateStore/{tree}/probe/StoreElement.xml", "<SCRIPT")
    write(tmp_path, f"TemplateStore/{tree}/probe/GomSource.xml", form())
    reading = read_export(tmp_path)
    assert uids(reading.model) == {"page": ["story"]}
    assert reading.findings == ()


def test_folders_and_format_templates_are_no_templates(tmp_path: Path) -> None:
    root = complete(tmp_path)
    write(root, "TemplateStore/PageTemplates/folder/StoreElement.xml", '<TEMPLATEFOLDER name="folder"/>')
    write(root, "TemplateStore/FormatTemplates/p/StoreElement.xml", '<FORMATTEMPLATE name="p"/>')
    write(root, "TemplateStore/FormatTemplates/s/StoreElement.xml", '<STYLETEMPLATE name="s"/>')
    write(root, "TemplateStore/FormatTemplates/s/GomSource.xml", form('<CMS_INPUT_TEXT name="color"/>'))
    reading = read_export(root)
    assert uids(reading.model) == {"page": ["story"]}
    assert reading.findings == ()


def test_the_uid_is_that_of_the_references_before_attribute_and_directory(tmp_path: Path) -> None:
    path = template(tmp_path, "page", "by_attribute", directory="TemplateStore/PageTemplates/by_directory")
    write(tmp_path, f"{path}/FS_References.txt", references("page", "by_reference"))
    assert uids(read_export(tmp_path).model) == {"page": ["by_reference"]}
    (tmp_path / path / "FS_References.txt").unlink()
    assert uids(read_export(tmp_path).model) == {"page": ["by_attribute"]}
    write(tmp_path, f"{path}/StoreElement.xml", '<TEMPLATE type="page"/>')
    assert uids(read_export(tmp_path).model) == {"page": ["by_directory"]}


def test_the_older_bookkeeping_is_read(tmp_path: Path) -> None:
    path = template(tmp_path, "page", "story")
    (tmp_path / path / "FS_References.txt").unlink()
    write(tmp_path, f"{path}/.FirstSpirit/References.txt", references("page", "named_there"))
    (read,) = read_export(tmp_path).model.page_templates
    assert (read.uid, read.identifier) == ("named_there", gid("page", "named_there"))


def test_two_templates_of_one_kind_with_one_uid_are_an_error(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "twin", '<CMS_INPUT_TEXT name="first"/>', directory="TemplateStore/a")
    template(tmp_path, "section", "twin", '<CMS_INPUT_TEXT name="second"/>', directory="TemplateStore/b")
    reading = read_export(tmp_path)
    assert [read.fields[0].name for read in reading.model.section_templates] == ["first"]
    message = (
        "a second section template with the uid 'twin', which TemplateStore/a/FS_References.txt:2 has already; "
        "rename or remove one of the two"
    )
    assert messages(reading) == [f"error: TemplateStore/b/FS_References.txt:2: {message}"]


def test_the_place_of_a_double_is_its_definition_without_references(tmp_path: Path) -> None:
    write(tmp_path, "TemplateStore/a/StoreElement.xml", definition("link", "twin"))
    write(tmp_path, "TemplateStore/b/StoreElement.xml", "<!-- second -->\n" + definition("link", "twin"))
    (error,) = read_export(tmp_path).errors
    assert (error.path, error.line) == ("TemplateStore/b/StoreElement.xml", 2)
    assert "which TemplateStore/a/StoreElement.xml:1 has already" in error.message


def test_templates_of_different_kinds_may_share_a_uid(tmp_path: Path) -> None:
    for kind in TREES:
        template(tmp_path, kind, "same")
    reading = read_export(tmp_path)
    assert uids(reading.model) == {kind: ["same"] for kind in TREES}
    assert reading.errors == ()


def test_a_broken_definition_leaves_out_only_its_template(tmp_path: Path) -> None:
    path = template(complete(tmp_path), "section", "probe", '<CMS_INPUT_TEXT name="a"/>')
    write(tmp_path, f"{path}/StoreElement.xml", '<TEMPLATE type="section">\n<LANG>\n</TEMPLATE>')
    reading = read_export(tmp_path)
    assert uids(reading.model) == {"page": ["story"]}
    assert messages(reading) == [
        f"error: {path}/StoreElement.xml:3: malformed XML: mismatched tag; repair it, or export the project again"
    ]


@pytest.mark.parametrize("name", ["StoreElement.xml", "FS_References.txt", "GomSource.xml"])
def test_a_directory_in_the_place_of_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    path = template(complete(tmp_path), "section", "probe", '<CMS_INPUT_TEXT name="a"/>')
    (tmp_path / path / name).unlink()
    (tmp_path / path / name).mkdir()
    (error,) = read_export(tmp_path).errors
    assert error.path == f"{path}/{name}"
    assert error.message.startswith("a directory where a file is expected")


@pytest.mark.parametrize("kept", ["FS_References.txt", "GomSource.xml", "Ruleset.xml", "ChannelSource_HTML_html.html"])
def test_a_template_without_its_definition_is_an_error(tmp_path: Path, kept: str) -> None:
    path = "TemplateStore/SectionTemplates/probe"
    content = references("section", "probe") if kept == "FS_References.txt" else ""
    write(complete(tmp_path), f"{path}/{kept}", content)
    message = "missing, although a section template lies in this directory; export the project again"
    assert messages(read_export(tmp_path)) == [f"error: {path}/StoreElement.xml: {message}"]


def test_stray_files_make_no_template(tmp_path: Path) -> None:
    write(complete(tmp_path), "TemplateStore/SectionTemplates/notes/README.md", "notes")
    write(tmp_path, "TemplateStore/SectionTemplates/notes/FS_Info.txt", "HierarchicElement: true")
    assert read_export(tmp_path).findings == ()


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("FS_Files.txt", "# mimeType name\ntext/xml;UTF-8    GomSource.xml\n"),
        (".FirstSpirit/Files.txt", "# name crc32\nGomSource.xml 12ab\n"),
    ],
)
def test_a_form_that_is_listed_but_missing_is_an_error(tmp_path: Path, path: str, listing: str) -> None:
    directory = template(complete(tmp_path), "section", "probe")
    write(tmp_path, f"{directory}/{path}", listing)
    assert messages(read_export(tmp_path)) == [
        f"error: {directory}/{path}:2: names GomSource.xml, but that file is missing; export the project again"
    ]


def test_other_files_may_be_listed_and_missing(tmp_path: Path) -> None:
    directory = template(complete(tmp_path), "section", "probe")
    write(tmp_path, f"{directory}/FS_Files.txt", "image/png  PreviewImage.png\ntext/xml MyGomSource.xml\n")
    assert read_export(tmp_path).findings == ()


def test_references_that_are_no_text_leave_the_template_out(tmp_path: Path) -> None:
    path = template(complete(tmp_path), "section", "probe")
    write(tmp_path, f"{path}/FS_References.txt", b"[self]\n" + block("section", "probe").encode() + b"\xff\n")
    reading = read_export(tmp_path)
    assert uids(reading.model) == {"page": ["story"]}
    assert "not UTF-8 text" in messages(reading, "error")[0]
