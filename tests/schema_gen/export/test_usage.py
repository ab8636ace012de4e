from pathlib import Path

import pytest

from schema_gen.export import read_export
from tests.schema_gen.export.project import block, complete, messages, references, template, write

PROPERTIES = "GlobalStore/ProjectProperties"
AREA = "GlobalStore/GlobalContentArea"
OWN = "[self]\nuid=/ProjectProperties\nclass=x.ProjectPropertiesImpl\n\n"


def pages(root: Path, *uids: str) -> Path:
    for number, uid in enumerate(uids, start=1):
        template(root, "page", uid, extra=f'templateid="{number}" id="-{number}"')
    return root


def properties(root: Path, *, number: str = "", required: str = "", project_wide: str = "") -> None:
    """Write the three places that can name the settings template."""
    write(root, f"{PROPERTIES}/StoreElement.xml", f'<PROJECTSETTINGS id="7" pagetemplate="{number}"/>')
    if required:
        content = f"{OWN}[requiredProjectId]\n{block('page', required)}"
        write(root, f"{PROPERTIES}/FS_References.txt", content)
    if project_wide:
        content = f"[WebeditSystemFolder]\nuid=root\n\n[ProjectPropertiesTemplate]\n{block('page', project_wide)}"
        write(root, "Global/FS_ProjectReferences.txt", content)


@pytest.mark.parametrize(
    ("number", "required", "project_wide", "expected"),
    [
        ("2", "a", "c", "a"),
        ("2", "gone", "c", "b"),
        ("2", "", "", "b"),
        ("-2", "", "", "b"),
        ("99", "gone", "c", "c"),
        ("", "", "c", "c"),
    ],
)
def test_the_settings_template_is_looked_for_in_order(
    tmp_path: Path, number: str, required: str, project_wide: str, expected: str
) -> None:
    properties(pages(tmp_path, "a", "b", "c"), number=number, required=required, project_wide=project_wide)
    assert read_export(tmp_path).model.settings_template == expected


def test_the_uid_finds_it_where_gids_are_missing(tmp_path: Path) -> None:
    root = pages(tmp_path, "a", "b")
    (root / "TemplateStore/PageTemplates/folder/b/FS_References.txt").unlink()
    properties(root, required="b")
    assert read_export(root).model.settings_template == "b"


def test_other_required_elements_are_not_taken_for_it(tmp_path: Path) -> None:
    properties(pages(tmp_path, "a"))
    write(tmp_path, f"{PROPERTIES}/FS_References.txt", f"{OWN}[requiredProjectId]\n{block('section', 'a')}")
    assert read_export(tmp_path).model.settings_template is None


def test_a_settings_template_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    for place in ({"required": "gone"}, {"number": "99"}, {"project_wide": "gone"}):
        root = tmp_path / "_".join(place)
        properties(complete(root), **place)
        reading = read_export(root)
        assert reading.model.settings_template is None
        (message,) = messages(reading)
        assert "the project properties use the page template" in message
        assert ("with the id 99" if "number" in place else "'gone'") in message


@pytest.mark.parametrize("number", ["", "-1", "0"])
def test_a_project_without_settings_needs_no_warning(tmp_path: Path, number: str) -> None:
    properties(complete(tmp_path), number=number)
    reading = read_export(tmp_path)
    assert reading.model.settings_template is None
    assert reading.findings == ()


@pytest.mark.parametrize(
    "path", [f"{PROPERTIES}/StoreElement.xml", f"{PROPERTIES}/FS_References.txt", "Global/FS_ProjectReferences.txt"]
)
def test_broken_settings_files_are_errors(tmp_path: Path, path: str) -> None:
    properties(complete(tmp_path))
    write(tmp_path, path, b"\xff\xfe\xff")
    assert [error.path for error in read_export(tmp_path).errors] == [path]


def test_gca_pages_are_found_in_folders_by_number_and_by_references(tmp_path: Path) -> None:
    root = pages(tmp_path, "footer", "texts", "unused", "third")
    write(root, f"{AREA}/StoreElement.xml", "<GLOBALCONTENT/>")
    write(root, f"{AREA}/folder/StoreElement.xml", "<FOLDER/>")
    write(root, f"{AREA}/folder/site_footer/StoreElement.xml", '<GCAPAGE pagetemplate="1"/>')
    write(root, f"{AREA}/folder/labels/FS_References.txt", f"[self]\nuid=labels\n\n[x]\n{block('page', 'texts')}")
    write(
        root,
        f"{AREA}/both/FS_References.txt",
        f"[self]\nuid=both\n\n[optionalId]\n{block('page', 'unused')}[requiredProjectId]\n{block('page', 'third')}",
    )
    model = read_export(root).model
    assert (model.gca_templates, model.gca_known) == (("footer", "texts", "third"), True)


def test_bodies_and_sections_of_a_gca_page_are_not_pages(tmp_path: Path) -> None:
    root = pages(tmp_path, "footer", "other")
    write(root, f"{AREA}/page/StoreElement.xml", '<GCAPAGE pagetemplate="1"/>')
    write(root, f"{AREA}/page/main/FS_References.txt", references("section", "main", ("page", "other")))
    write(root, f"{AREA}/page2/StoreElement.xml", '<GCAPAGE pagetemplate="1"/>')
    assert read_export(root).model.gca_templates == ("footer",)


def test_without_gca_pages_every_page_template_counts(tmp_path: Path) -> None:
    write(pages(tmp_path, "b", "a"), f"{AREA}/StoreElement.xml", "<GLOBALCONTENT/>")
    reading = read_export(tmp_path)
    assert (reading.model.gca_templates, reading.model.gca_known) == (("a", "b"), False)
    assert any(message.startswith(f"warning: {AREA}: the export does not tell") for message in messages(reading))


def test_a_gca_page_of_a_missing_template_is_a_warning(tmp_path: Path) -> None:
    write(complete(tmp_path), f"{AREA}/other/StoreElement.xml", '<GCAPAGE pagetemplate="99"/>')
    reading = read_export(tmp_path)
    assert reading.model.gca_templates == ("story",)
    (message,) = messages(reading)
    assert message.startswith(f"warning: {AREA}/other/StoreElement.xml: this GCA page uses a page template")


def test_a_broken_gca_page_is_an_error(tmp_path: Path) -> None:
    write(complete(tmp_path), f"{AREA}/other/StoreElement.xml", "<GCAPAGE")
    assert [error.path for error in read_export(tmp_path).errors] == [f"{AREA}/other/StoreElement.xml"]
