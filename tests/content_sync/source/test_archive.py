"""Archives as sources: read whole, and safe against paths that lead out and against bombs."""

import errno
import gc
import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from content_sync.source import SourceError, SourceLimits, open_source
from fixtures import PROJECTS, documents
from tests.content_sync.source.exports import ExportWriter, read_export
from tests.content_sync.source.test_documents import document

Pack = Callable[[Path, Mapping[str, bytes]], Path]

_LINE = json.dumps(document()).encode() + b"\n"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files, empty at the start and again at the end."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def _zip(place: Path, files: Mapping[str, bytes]) -> Path:
    target = place.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def _tar(place: Path, files: Mapping[str, bytes], *, mode: str = "w") -> Path:
    target = place.with_suffix(".tar" if mode == "w" else ".tar.gz")
    with tarfile.open(target, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


def _tar_gz(place: Path, files: Mapping[str, bytes]) -> Path:
    return _tar(place, files, mode="w:gz")


@pytest.fixture(params=[_zip, _tar, _tar_gz], ids=["zip", "tar", "tar.gz"])
def pack(request: pytest.FixtureRequest) -> Pack:
    packing: Pack = request.param
    return packing


def _tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_archive_reads_like_its_directory(tmp_path: Path, pack: Pack) -> None:
    project = PROJECTS["demo"]
    files = {f"content/{name}": body for name, body in _tree(project.content).items()}
    files |= {f"media/{name}": body for name, body in _tree(project.media).items()}
    source = open_source(pack(tmp_path / "demo", files))
    assert {each["_id"] for each in source.documents("preview")} == {
        each["_id"] for each in documents("demo", "preview")
    }
    file = next(iter(source.media("release")))
    with file.open() as body:
        assert len(body.read()) == file.size


def test_archive_may_hold_an_export(tmp_path: Path, pack: Pack) -> None:
    writer = ExportWriter(tmp_path / "export").everything()
    archive = pack(tmp_path / "packed", {f"project/{name}": body for name, body in _tree(writer.root).items()})
    assert read_export(archive) == read_export(writer.root)


def test_unpacked_files_go_with_the_source(tmp_path: Path, pack: Pack, scratch: Path) -> None:
    source = open_source(pack(tmp_path / "a", {"preview.ndjson": _LINE}))
    assert len(list(scratch.iterdir())) == 1
    assert len(list(source.documents("preview"))) == 1
    del source
    gc.collect()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "preview/../../evil.json", "..\\evil.json", "C:\\evil.json"]
)
def test_paths_that_lead_out_are_not_unpacked(tmp_path: Path, pack: Pack, scratch: Path, name: str) -> None:
    source = open_source(pack(tmp_path / "a", {name: _LINE, "preview.ndjson": _LINE}))
    assert len(list(source.documents("preview"))) == 1
    assert [path.name for path in tmp_path.rglob("*.json")] == []
    assert "leads out" in source.skipped()[0].why


def test_links_in_a_tar_are_not_unpacked(tmp_path: Path) -> None:
    target = tmp_path / "a.tar"
    with tarfile.open(target, "w") as archive:
        for name, kind in (("preview", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("fifo", tarfile.FIFOTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, str(tmp_path)
            archive.addfile(entry)
        entry = tarfile.TarInfo("preview/a.json")
        entry.size = len(_LINE)
        archive.addfile(entry, io.BytesIO(_LINE))
    source = open_source(target)
    assert len(list(source.documents("preview"))) == 1
    assert {each.what for each in source.skipped()} == {"preview", "hard", "fifo"}
    assert not (tmp_path / "a.json").exists()


def test_link_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    with zipfile.ZipFile(target, "w") as archive:
        link = zipfile.ZipInfo("preview/link.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("preview/a.json", _LINE)
    source = open_source(target)
    assert len(list(source.documents("preview"))) == 1
    assert [each.what for each in source.skipped()] == ["preview/link.json"]


@pytest.mark.parametrize("packing", [_zip, _tar_gz], ids=["zip", "tar.gz"])
def test_bomb_is_refused_and_leaves_nothing(tmp_path: Path, packing: Pack, scratch: Path) -> None:
    archive = packing(tmp_path / "bomb", {"preview.ndjson": b"\0" * 20_000_000})
    limits = SourceLimits(archive_free_bytes=1_000_000, archive_ratio=100)
    with pytest.raises(SourceError, match="unpacks to more than the limit"):
        open_source(archive, limits=limits)
    assert list(scratch.iterdir()) == []


def test_size_has_a_limit_of_its_own(tmp_path: Path, pack: Pack) -> None:
    archive = pack(tmp_path / "a", {"preview.ndjson": _LINE * 10})
    with pytest.raises(SourceError, match="limit of 1000 bytes"):
        open_source(archive, limits=SourceLimits(archive_bytes=1000))


def test_number_of_files_has_a_limit(tmp_path: Path, pack: Pack, scratch: Path) -> None:
    archive = pack(tmp_path / "a", {f"preview/{number}.json": _LINE for number in range(20)})
    with pytest.raises(SourceError, match="more than the limit of 10 files"):
        open_source(archive, limits=SourceLimits(archive_entries=10))
    assert list(scratch.iterdir()) == []


def test_broken_archive_is_refused(tmp_path: Path, pack: Pack, scratch: Path) -> None:
    archive = pack(tmp_path / "a", {"preview.ndjson": _LINE * 1000})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(SourceError, match="cannot be unpacked"):
        open_source(archive)
    assert list(scratch.iterdir()) == []


def test_archive_without_documents_is_refused(tmp_path: Path, pack: Pack, scratch: Path) -> None:
    with pytest.raises(SourceError, match="no documents"):
        open_source(pack(tmp_path / "a", {"readme.txt": b"x"}))
    assert list(scratch.iterdir()) == []


def test_archive_without_documents_is_named(tmp_path: Path, pack: Pack, scratch: Path) -> None:
    archive = pack(tmp_path / "a", {"readme.txt": b"x"})
    with pytest.raises(SourceError) as refused:
        open_source(archive)
    assert str(archive) in refused.value.message
    assert str(scratch) not in refused.value.message


def test_full_disk_is_told(tmp_path: Path, pack: Pack, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a", {"preview.ndjson": _LINE})

    def full(*_ignored: object, **_too: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(SourceError, match="No space left on device") as refused:
        open_source(archive)
    assert "TMPDIR" in str(refused.value.hint)
    assert list(scratch.iterdir()) == []


def test_no_place_for_temporary_files_is_told(tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a", {"preview.ndjson": _LINE})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        open_source(archive)


def test_file_and_directory_of_one_name(tmp_path: Path, pack: Pack) -> None:
    source = open_source(
        pack(tmp_path / "a", {"preview/a.json": _LINE, "preview/a.json/b.json": _LINE, "preview": b"x"})
    )
    assert len(list(source.documents("preview"))) == 1
    assert len(source.skipped()) == 2
