"""Files that did not change since they were read: what is known of them is what reading gives."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content_sync.model import Head, Portion
from content_sync.picture_source import PictureSource
from content_sync.renditions import RenditionStore
from content_sync.source import DocumentsSource, ExportSource, FileMemory, open_source
from fixtures import PROJECTS
from tests.content_sync.source.test_documents import document


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "media").mkdir(parents=True)
    for number in range(4):
        write(root / f"preview/{number}.json", *(document(number, language=each) for each in ("en_GB", "de_DE")))
    return root


def write(place: Path, *values: Any) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(values))
    return place


def opened(root: Path, memory: FileMemory, **options: Any) -> DocumentsSource | ExportSource:
    return open_source(root, memory=memory, **options)


@pytest.fixture
def memory(root: Path, tmp_path: Path) -> Iterator[FileMemory]:
    """As it is after a job that read everything."""
    with FileMemory(tmp_path / "cache", root=root, settled=0) as first:
        list(opened(root, first).documents("preview"))
        list(opened(root, first).media("preview"))
    with FileMemory(tmp_path / "cache", root=root, settled=0) as second:
        yield second


def known(portions: Iterator[Portion]) -> list[bool]:
    return [portion.heads is not None for portion in portions]


def heads(source: DocumentsSource | ExportSource) -> list[Head]:
    return [head for portion in source.portions("preview") for head in portion.heads or ()]


def test_what_is_known_is_what_reading_gives(root: Path, memory: FileMemory) -> None:
    source = opened(root, memory)

    expected = [
        Head(each["_id"], each["fsType"], each["changeInfo"]["revision"]) for each in source.documents("preview")
    ]
    assert 8 == len(expected)
    assert expected == heads(source)


def test_nothing_is_known_without_a_memory(root: Path) -> None:
    assert [False] * 4 == known(open_source(root).portions("preview"))


def test_only_a_file_that_changed_is_read(root: Path, memory: FileMemory) -> None:
    place = write(root / "preview/2.json", document(2, text="new"))

    portions = list(opened(root, memory).portions("preview"))

    assert [True, True, False, True] == known(iter(portions))
    assert ["new"] == [each["text"] for each in portions[2].documents()]
    place.unlink()
    assert [True, True, True] == known(opened(root, memory).portions("preview"))


def test_known_documents_can_be_read_as_well(root: Path, memory: FileMemory) -> None:
    """In any order, also when others were only looked at."""
    source = opened(root, memory)
    portions = list(source.portions("preview"))

    assert [3, 3, 0, 0] == [
        int(each["identifier"].rpartition("-")[2]) for portion in (portions[3], portions[0])
        for each in portion.documents()
    ]  # fmt: skip
    assert () == source.skipped()


def test_what_is_broken_is_told_every_time(root: Path, memory: FileMemory) -> None:
    (root / "preview/lines.ndjson").write_text(f"{json.dumps(document(9))}\nno json\n")

    for _ in range(2):
        source = opened(root, memory)
        assert [True, True, True, True, False] == known(source.portions("preview"))
        assert 9 == len(list(source.documents("preview")))
        assert ["preview/lines.ndjson:2"] == [each.what for each in source.skipped()]


@pytest.mark.parametrize("name", ["0a.json", "9.json"])
def test_a_second_document_of_an_id_is_told_every_time(root: Path, memory: FileMemory, name: str) -> None:
    """Whichever of the two files is known: the first in order counts."""
    write(root / f"preview/{name}", document(3, language="en_GB", text="another"))
    first = {"0a.json": "another", "9.json": None}[name]

    for _ in range(3):
        source = opened(root, memory)
        list(source.media("preview"))  # which reads everything before
        found = [each for portion in source.portions("preview") for each in portion.documents()]
        assert [first] == [each.get("text") for each in found if each["_id"] == document(3)["_id"]]
        assert 8 == len(found)
        assert 1 == len(source.skipped())


def test_two_documents_of_an_id_in_one_file_are_told_every_time(root: Path, memory: FileMemory) -> None:
    write(root / "preview/twice.json", document(7), document(7, text="another"))

    for languages in ((), ("DE",), (), ()):
        source = opened(root, memory, languages=languages)
        list(source.media("preview"))
        portions = list(source.portions("preview"))
        assert [True] * 4 + [bool(languages)] == known(iter(portions))
        found = [each["_id"] for portion in portions for each in portion.documents()]
        assert len(set(found)) == len(found)
        assert bool(languages) != bool(source.skipped())


def test_languages_are_chosen_among_what_is_known(root: Path, memory: FileMemory) -> None:
    for chosen in ("DE", "de_DE"):
        found = heads(opened(root, memory, languages=(chosen,)))
        assert [True] * 4 == [head.document_id.endswith(".de_DE") for head in found]


def test_a_file_of_many_documents_is_read_every_time(root: Path, memory: FileMemory) -> None:
    lines = (json.dumps(document(number)) for number in range(100, 1200))
    (root / "preview/many.ndjson").write_text("\n".join(lines))

    for _ in range(2):
        source = opened(root, memory)
        assert 1108 == len(list(source.documents("preview")))
        assert False is known(source.portions("preview"))[-1]


def test_ids_that_cannot_be_sent_are_looked_at_every_time(root: Path, memory: FileMemory) -> None:
    write(root / "preview/odd.json", document(5) | {"_id": "a\nb"})

    list(opened(root, memory).documents("preview"))

    assert False is known(opened(root, memory).portions("preview"))[-1]


def test_media_that_are_known_have_the_same_binaries(tmp_path: Path) -> None:
    root = PROJECTS["demo"].path
    with FileMemory(tmp_path / "cache", root=root, settled=0) as memory:
        expected = {state: list(open_source(root).media(state)) for state in ("preview", "release")}
        for _ in range(2):
            source = opened(root, memory)
            assert expected == {state: list(source.media(state)) for state in source.states()}
            list(source.documents("preview"))
            assert () == source.skipped()


def test_a_binary_that_changed_has_another_digest(root: Path, memory: FileMemory) -> None:
    medium = document(8, fsType="Media", mediaType="FILE", fileMetaData={"extension": "txt"})
    write(root / "preview/medium.json", medium)
    place = root / "media" / f"{medium['identifier']}.txt"
    found = []
    for content in ("one", "two", "two"):
        if not place.exists() or place.read_text() != content:
            before = place.stat() if place.exists() else None
            place.write_text(content)
            if before:
                os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        [file] = opened(root, memory).media("preview")
        found.append(file.digest)
        with file.open() as body:
            assert content == body.read().decode()

    assert (2, found[1]) == (len(set(found)), found[2])


def test_pictures_pass_what_is_known_through(root: Path, memory: FileMemory, tmp_path: Path) -> None:
    pictures = PictureSource(opened(root, memory), store=RenditionStore(tmp_path / "renditions"))

    portions = list(pictures.portions("preview"))

    assert [True] * 4 == known(iter(portions))
    assert list(pictures.documents("preview")) == [each for portion in portions for each in portion.documents()]


def test_exports_know_digests_only(tmp_path: Path) -> None:
    root = PROJECTS["demo"].export
    with FileMemory(tmp_path / "cache", root=root, settled=0) as memory:
        first, second = (list(opened(root, memory, project="p").media("preview")) for _ in range(2))
        source = opened(root, memory, project="p")
        assert first
        assert first == second
        assert first == list(open_source(root, project="p").media("preview"))
        assert [False] == known(source.portions("preview"))
