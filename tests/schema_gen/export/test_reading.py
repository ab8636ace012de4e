import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from schema_gen.export import ReadLimits, read_export
from schema_gen.model import ContentModel, Language
from tests.schema_gen.export.project import complete, messages, template, write


def test_a_complete_export_gives_a_model_without_findings(tmp_path: Path) -> None:
    reading = read_export(complete(tmp_path))
    assert reading.findings == ()
    assert [read.uid for read in reading.model.page_templates] == ["story"]
    assert reading.model.languages[0] == Language("EN", "en", "GB", master=True)
    assert (reading.model.gca_templates, reading.model.gca_known) == (("story",), True)
    assert reading.model.derived is False


def test_an_export_without_templates_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "TemplateStore").mkdir()
    reading = read_export(tmp_path)
    assert reading.model == ContentModel(gca_known=False)
    assert "no page, section, link or table template could be read" in messages(reading, "error")[0]


def test_only_the_template_store_is_indispensable(tmp_path: Path) -> None:
    template(tmp_path, "page", "story")
    reading = read_export(tmp_path)
    assert [read.uid for read in reading.model.page_templates] == ["story"]
    assert reading.errors == ()


def test_errors_come_first_then_the_order_of_the_files(tmp_path: Path) -> None:
    write(complete(tmp_path), "TemplateStore/b/StoreElement.xml", "<TEMPLATE")
    template(tmp_path, "section", "a", '<X name="x"/>', "<Y/>")
    write(tmp_path, "Global/Project/Project.xml", "")
    reading = read_export(tmp_path)
    assert [(finding.severity, finding.path.rpartition("/")[2], finding.line) for finding in reading.findings] == [
        ("error", "Project.xml", 1),
        ("error", "StoreElement.xml", 1),
        ("warning", "GomSource.xml", 2),
        ("warning", "GomSource.xml", 3),
    ]


@contextmanager
def listed_backwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file system that lists every directory in the opposite order."""
    scan = os.scandir

    @contextmanager
    def backwards(path: Any) -> Iterator[list[os.DirEntry[str]]]:
        with scan(path) as entries:
            yield sorted(entries, key=lambda entry: entry.name, reverse=True)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", backwards)
        yield


def test_the_order_of_the_file_system_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complete(tmp_path)
    for directory in ("c", "a", "b"):
        component = f'<ACME name="{directory}"/>'
        template(tmp_path, "section", "twin", component, directory=f"TemplateStore/SectionTemplates/{directory}")
    reading = read_export(tmp_path)
    with listed_backwards(monkeypatch):
        assert read_export(tmp_path) == reading
    assert [read.fields[0].name for read in reading.model.section_templates] == ["a"]


def test_a_copy_elsewhere_gives_the_same_reading(tmp_path: Path) -> None:
    template(complete(tmp_path / "here"), "section", "probe", '<ACME name="a"/>', "<X/>")
    shutil.copytree(tmp_path / "here", tmp_path / "there" / "below")
    assert read_export(tmp_path / "there") == read_export(tmp_path / "here")


def test_limits_can_be_given(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "probe", *(f'<CMS_INPUT_TEXT name="f{number}"/>' for number in range(100)))
    assert read_export(tmp_path).errors == ()
    (error,) = read_export(tmp_path, limits=ReadLimits(file_bytes=2500)).errors
    assert error.message.startswith("larger than the limit of 2500 bytes")
    (error,) = read_export(tmp_path, limits=ReadLimits(xml_elements=50)).errors
    assert error.message.startswith("more than 50 elements")


GARBAGE = {
    "empty": b"",
    "binary": bytes(range(256)) * 4,
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "latin": b"<CMS_MODULE name='\xfc'/>",
    "utf16_without_bom": "<CMS_MODULE".encode("utf-16-le"),
    "zip": b"PK\x03\x04" + b"\x00" * 60,
    "deep": b"<OBJECT>" * 20_000,
    "doctype": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    "nulls": b"\x00" * 1000,
    "open_section": b"[self",
}
READ_FILES = [
    "TemplateStore/PageTemplates/folder/story/StoreElement.xml",
    "TemplateStore/PageTemplates/folder/story/GomSource.xml",
    "TemplateStore/PageTemplates/folder/story/FS_References.txt",
    "TemplateStore/FS_References.txt",
    "TemplateStore/FS_Info.txt",
    "TemplateStore/Schemes/s/Schema.xml",
    "Global/Project/Languages.xml",
    "Global/Project/Resolutions.xml",
    "Global/Project/Project.xml",
    "Global/FS_GlobalReferences.txt",
    "Global/FS_ProjectReferences.txt",
    "GlobalStore/ProjectProperties/StoreElement.xml",
    "GlobalStore/ProjectProperties/FS_References.txt",
    "GlobalStore/GlobalContentArea/footer/StoreElement.xml",
    "GlobalStore/GlobalContentArea/footer/FS_References.txt",
]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("path", READ_FILES)
def test_garbage_in_any_file_never_raises(tmp_path: Path, path: str, garbage: str) -> None:
    template(complete(tmp_path), "section", "other", '<CMS_INPUT_TEXT name="a"/>')
    write(tmp_path, path, GARBAGE[garbage])
    reading = read_export(tmp_path)
    assert [read.uid for read in reading.model.section_templates] == ["other"]
    assert all(error.path == path for error in reading.errors)
    if path.endswith(".xml") and not (garbage == "empty" and path.endswith("GomSource.xml")):
        assert len(reading.errors) == 1
        assert reading.errors[0].line


@pytest.mark.parametrize("path", READ_FILES)
def test_a_missing_file_never_raises(tmp_path: Path, path: str) -> None:
    template(complete(tmp_path), "section", "other")
    (tmp_path / path).unlink(missing_ok=True)
    assert [read.uid for read in read_export(tmp_path).model.section_templates] == ["other"]
