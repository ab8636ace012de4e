from pathlib import Path

from schema_gen.export.findings import FindingLog
from schema_gen.export.layout import ExportDirectory, ExportFiles, ReadLimits
from schema_gen.export.references import References, parse_references, read_references
from tests.schema_gen.export.project import gid, references, write


def test_own_block_and_sections_are_told_apart() -> None:
    read = parse_references(
        references("page", "story", ("section", "quote"), ("link", "more")), path="FS_References.txt"
    )
    assert read.own is not None
    assert (read.own.uid, read.own.gid, read.own.kind, read.own.line) == (
        "story",
        gid("page", "story"),
        "PageTemplateImpl",
        2,
    )
    assert [(reference.uid, reference.kind) for reference in read.section("optionalId")] == [
        ("quote", "SectionTemplateImpl"),
        ("more", "LinkTemplateImpl"),
    ]
    assert read.section("requiredId") == ()


def test_windows_line_ends_and_a_missing_last_one_are_fine() -> None:
    read = parse_references("[self]\r\nuid=a\r\n\r\n[x]\r\nuid=b\r\n\r\nuid=c", path="")
    assert read.own is not None
    assert [read.own.uid, *(reference.uid for reference in read.section("x"))] == ["a", "b", "c"]


def test_a_section_begins_a_new_block_without_a_blank_line() -> None:
    read = parse_references("[self]\nuid=a\n[x]\nuid=b", path="")
    assert [reference.uid for reference in read.outgoing] == ["b"]


def test_lines_of_no_known_form_are_passed_over() -> None:
    read = parse_references("garbage\n= \n[self\n[self]\n\nnonsense\nuid = a = b \nuid=second", path="")
    assert read.own is not None
    assert (read.own.uid, read.own.gid, read.own.kind) == ("a = b", "", "")


def test_only_the_first_own_block_counts() -> None:
    read = parse_references("[self]\nuid=a\n\nuid=b", path="")
    assert read.own is not None
    assert (read.own.uid, read.outgoing) == ("a", ())


def test_the_older_place_is_read(tmp_path: Path) -> None:
    write(tmp_path, "story/.FirstSpirit/References.txt", references("page", "story"))
    files = ExportFiles(tmp_path, findings=FindingLog(), limits=ReadLimits())
    read = read_references(files, ExportDirectory("story", frozenset({".FirstSpirit"}), ()))
    assert read.path == "story/.FirstSpirit/References.txt"
    assert read.own is not None
    assert read.own.uid == "story"


def test_without_a_file_there_are_no_references(tmp_path: Path) -> None:
    files = ExportFiles(tmp_path, findings=FindingLog(), limits=ReadLimits())
    assert read_references(files, ExportDirectory("story", frozenset(), ())) == References()
    assert read_references(files, ExportDirectory("story", frozenset({".FirstSpirit"}), ())) == References()
