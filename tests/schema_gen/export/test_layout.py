import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schema_gen.errors import GeneratorError, NotAnExportError
from schema_gen.export import ReadLimits, read_export
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import ExportFiles, find_root
from tests.schema_gen.export.project import complete, messages, template, write

NOBODY = 65534


def opened(root: Path, *, limits: ReadLimits | None = None) -> tuple[ExportFiles, FindingLog]:
    findings = FindingLog()
    return ExportFiles(root.resolve(), findings=findings, limits=limits or ReadLimits()), findings


def broken(files: ExportFiles, path: str) -> str:
    with pytest.raises(BrokenFileError) as caught:
        files.read_bytes(path)
    assert caught.value.path == path
    return caught.value.message


def test_root_is_the_directory_with_the_template_store(tmp_path: Path) -> None:
    (tmp_path / "TemplateStore").mkdir()
    assert find_root(tmp_path) == tmp_path


def test_root_may_be_one_level_below(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "export" / "TemplateStore").mkdir(parents=True)
    assert find_root(tmp_path) == tmp_path / "export"


def test_root_may_be_given_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "TemplateStore").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert find_root(tmp_path / "link") == tmp_path / "real"


def test_two_exports_in_one_directory_are_named(tmp_path: Path) -> None:
    (tmp_path / "one" / "TemplateStore").mkdir(parents=True)
    (tmp_path / "two" / "TemplateStore").mkdir(parents=True)
    with pytest.raises(NotAnExportError, match="several exports: one, two"):
        find_root(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such directory"),
        ("file", "a file, not a directory"),
        ("empty", "no directory TemplateStore"),
        ("store_is_a_file", "no directory TemplateStore"),
        ("store_is_a_link", "no directory TemplateStore"),
        ("null\0byte", "not a FirstSpirit export|no such directory|cannot be read"),
        ("x" * 5000, "cannot be read: File name too long"),
    ],
)
def test_no_export_is_refused_with_a_reason(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    write(tmp_path, "store_is_a_file/TemplateStore", "")
    (tmp_path / "store_is_a_link").mkdir()
    (tmp_path / "store_is_a_link" / "TemplateStore").symlink_to(tmp_path)
    with pytest.raises(NotAnExportError, match=message) as caught:
        read_export(tmp_path / name)
    assert caught.value.hint
    assert (caught.value.code, isinstance(caught.value, GeneratorError)) == ("OC601", True)


def test_walk_is_sorted_and_passes_bookkeeping_and_skipped_names(tmp_path: Path) -> None:
    for path in ("top/b/x", "top/a", "top/.FirstSpirit", "top/Scripts/s", "top/b/Scripts"):
        (tmp_path / path).mkdir(parents=True)
    files, _ = opened(tmp_path)
    walked = [directory.path for directory in files.walk("top", skip=frozenset({"Scripts"}))]
    assert walked == ["top", "top/a", "top/b", "top/b/Scripts", "top/b/x"]


def test_walk_of_nothing_is_empty(tmp_path: Path) -> None:
    files, findings = opened(tmp_path)
    assert list(files.walk("GlobalStore")) == []
    assert findings.sorted() == ()


def test_walk_reports_a_file_in_the_place_of_a_directory(tmp_path: Path) -> None:
    write(tmp_path, "GlobalStore", "")
    files, findings = opened(tmp_path)
    assert list(files.walk("GlobalStore")) == []
    assert [str(finding) for finding in findings.sorted()] == [
        "error: GlobalStore: a file where a directory is expected; repair it, or export the project again"
    ]


def test_links_between_directories_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "top" / "a").mkdir(parents=True)
    (tmp_path / "top" / "a" / "loop").symlink_to(tmp_path / "top")
    (tmp_path / "top" / "self").symlink_to("self")
    files, findings = opened(tmp_path)
    assert [directory.path for directory in files.walk("top")] == ["top", "top/a"]
    assert [(finding.severity, finding.path) for finding in findings.sorted()] == [
        ("warning", "top/a/loop"),
        ("warning", "top/self"),
    ]


def test_a_linked_store_outside_is_not_walked(tmp_path: Path) -> None:
    (tmp_path / "outside" / "secret").mkdir(parents=True)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "GlobalStore").symlink_to(tmp_path / "outside")
    files, findings = opened(tmp_path / "export")
    assert list(files.walk("GlobalStore")) == []
    assert "leads out of the export" in findings.sorted()[0].message


def test_a_link_to_a_file_inside_is_read(tmp_path: Path) -> None:
    write(tmp_path, "shared/form.xml", "content")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "GomSource.xml").symlink_to("../shared/form.xml")
    assert opened(tmp_path)[0].read_bytes("a/GomSource.xml") == b"content"


def test_files_outside_are_not_read_through_links(tmp_path: Path) -> None:
    write(tmp_path, "outside/secret.xml", "secret")
    write(tmp_path, "export/a/real.xml", "")
    (tmp_path / "export" / "a" / "file.xml").symlink_to(tmp_path / "outside" / "secret.xml")
    (tmp_path / "export" / "Global").symlink_to(tmp_path / "outside")
    files, _ = opened(tmp_path / "export")
    assert "leads out of the export" in broken(files, "a/file.xml")
    assert "leads out of the export" in broken(files, "Global/secret.xml")


def test_an_absent_file_is_none(tmp_path: Path) -> None:
    assert opened(tmp_path)[0].read_bytes("Global/Project/Languages.xml") is None


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    write(tmp_path, "file", "")
    files, _ = opened(tmp_path)
    assert broken(files, "directory").startswith("a directory where a file is expected")
    assert broken(files, "pipe").startswith("a special file where a file is expected")
    assert "symbolic links" in broken(files, "loop")
    assert "No such file" in broken(files, "dangling")
    assert "Not a directory" in broken(files, "file/below")


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "ten", b"x" * 10)
    write(tmp_path, "eleven", b"x" * 11)
    files, _ = opened(tmp_path, limits=ReadLimits(file_bytes=10))
    assert files.read_bytes("ten") == b"x" * 10
    assert "larger than the limit of 10 bytes" in broken(files, "eleven")


@pytest.mark.parametrize(
    "data",
    ["uid=grün".encode(), b"\xef\xbb\xbf" + "uid=grün".encode(), "uid=grün".encode("utf-16")],
    ids=["utf8", "bom", "utf16"],
)
def test_text_is_read_in_its_encodings(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, "text", data)
    assert opened(tmp_path)[0].read_text("text") == "uid=grün"


def test_text_that_is_none_is_refused_with_the_line(tmp_path: Path) -> None:
    write(tmp_path, "text", b"[self]\nuid=gr\xfcn\n")
    with pytest.raises(BrokenFileError) as caught:
        opened(tmp_path)[0].read_text("text")
    assert (caught.value.line, caught.value.message[:14]) == (2, "not UTF-8 text")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Tests may run as root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_denied_files_and_directories_are_reported() -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        complete(root)
        denied = template(root, "section", "denied", '<CMS_INPUT_TEXT name="a"/>')
        hidden = template(root, "section", "hidden")
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (root / denied / "GomSource.xml").chmod(0)
        (root / hidden).chmod(0)
        with as_nobody():
            reading = read_export(root)
        (root / hidden).chmod(0o755)
    errors = messages(reading, "error")
    assert [error.partition(";")[0] for error in errors] == [
        f"error: {denied}/GomSource.xml: cannot be read: Permission denied",
        f"error: {hidden}: cannot be read: Permission denied",
    ]


def test_a_denied_root_is_no_export() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0)
        with as_nobody(), pytest.raises(NotAnExportError, match="Permission denied"):
            read_export(Path(place))
        Path(place).chmod(0o755)


def test_names_that_are_no_text_are_shown_safely(tmp_path: Path) -> None:
    root = complete(tmp_path)
    name = os.fsdecode(b"caf\xe9\x1b[31m")
    write(root, f"TemplateStore/PageTemplates/{name}/StoreElement.xml", "<TEMPLATE type='page'")
    (finding,) = read_export(root).errors
    assert finding.path == "TemplateStore/PageTemplates/caf\ufffd\ufffd[31m/StoreElement.xml"
    str(finding).encode()
