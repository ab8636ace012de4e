"""Binaries beside documents: found by name, index or address."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from content_sync.model import MediaFile
from content_sync.source import open_source
from fixtures import PROJECTS, media

GID = "d3c1a8b0-9f0e-4c5b-a6a3-1c0e7f5b2d44"


def _picture(*, language: str = "en_GB", dependent: bool = False, **more: Any) -> dict[str, Any]:
    code, _, country = language.partition("_")
    meta = {"fileSize": 1, "extension": "jpg", "mimeType": "image/jpeg", "url": "", "seoRoute": "/Photos/ridge.jpg"}
    return {
        "_id": f"{GID}.{language}", "fsType": "Media", "uid": "ridge", "fileName": "Ridge_1", "identifier": GID,
        "languageDependent": dependent, "mediaType": "PICTURE", "resolutionsMetaData": {"ORIGINAL": meta},
        "locale": {"identifier": code.upper(), "country": country, "language": code}, **more,
    }  # fmt: skip


def _file(**more: Any) -> dict[str, Any]:
    meta = {"fileSize": 1, "extension": "pdf", "mimeType": "application/pdf", "encoding": None}
    picture = _picture(mediaType="FILE", fileMetaData=meta, url="", **more)
    del picture["resolutionsMetaData"]
    return picture


def _media(root: Path, documents: list[dict[str, Any]], files: dict[str, bytes], **options: Any) -> list[MediaFile]:
    (root / "preview").mkdir(parents=True, exist_ok=True)
    (root / "preview/media.json").write_text(json.dumps(documents))
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return list(open_source(root, **options).media("preview"))


def test_sample_project_has_all_its_binaries() -> None:
    source = open_source(PROJECTS["demo"].path)
    for state in source.states():
        expected = {each.file_id: each for each in media("demo") if state in each.states}
        found = {each.file_id: each for each in source.media(state)}
        assert found.keys() == expected.keys()
        for file_id, file in found.items():
            content = expected[file_id].path.read_bytes()
            assert (file.size, file.digest) == (len(content), hashlib.sha256(content).hexdigest())
            assert file.content_type == expected[file_id].mime_type
    assert source.skipped() == ()


@pytest.mark.parametrize(
    "name",
    [
        f"media/{GID}.ORIGINAL",
        f"media/{GID}.ORIGINAL.jpg",
        "media/Photos/ridge.jpg",
        "media/ridge.jpg",
        "media/Ridge_1.jpg",
        f"preview.files/{GID}.ORIGINAL",
        f"{GID}.preview.files/{GID}.ORIGINAL",
    ],
)
def test_binary_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    (file,) = _media(tmp_path, [_picture()], {name: b"jpg"})
    assert (file.file_id, file.resolution, file.language) == (f"{GID}.ORIGINAL", "ORIGINAL", None)
    assert (file.path, file.content_type, file.size) == ("Photos/ridge.jpg", "image/jpeg", 3)
    with file.open() as body:
        assert body.read() == b"jpg"


def test_binaries_of_the_other_state_do_not_count(tmp_path: Path) -> None:
    assert _media(tmp_path, [_picture()], {f"release.files/{GID}.ORIGINAL": b"jpg"}) == []


def test_state_has_its_own_binary_before_the_shared_one(tmp_path: Path) -> None:
    files = {f"preview.files/{GID}.ORIGINAL": b"own", f"media/{GID}.ORIGINAL": b"shared"}
    (file,) = _media(tmp_path, [_picture()], files)
    assert file.size == 3


def test_shared_binary_comes_once(tmp_path: Path) -> None:
    documents = [_picture(language="de_DE"), _picture()]
    (file,) = _media(tmp_path, documents, {"media/ridge.jpg": b"jpg"})
    assert file.document_id == f"{GID}.de_DE"


def test_binaries_per_language(tmp_path: Path) -> None:
    documents = [_picture(language=each, dependent=True) for each in ("de_DE", "en_GB")]
    files = {f"media/{GID}.de_DE.ORIGINAL": b"de", "media/ridge_EN.jpg": b"english"}
    found = _media(tmp_path, documents, files)
    assert [(file.file_id, file.language, file.size) for file in found] == [
        (f"{GID}.de_DE.ORIGINAL", "de_DE", 2),
        (f"{GID}.en_GB.ORIGINAL", "en_GB", 7),
    ]


def test_address_gives_the_file_id(tmp_path: Path) -> None:
    document = _picture()
    document["resolutionsMetaData"]["ORIGINAL"]["url"] = f"https://x/acme/{GID}.preview.files/{GID}_original/binary"
    (file,) = _media(tmp_path, [document], {f"media/{GID}_original": b"jpg"})
    assert file.file_id == f"{GID}_original"


def test_file_has_no_resolution(tmp_path: Path) -> None:
    (file,) = _media(tmp_path, [_file()], {f"media/{GID}.pdf": b"pdf"})
    assert (file.file_id, file.resolution, file.content_type) == (GID, None, "application/pdf")
    assert file.path == f"{GID}/Ridge_1.pdf"


def test_index_names_files_and_more(tmp_path: Path) -> None:
    entry = {"file": "blob/1", "path": "/../Docs/List.pdf", "contentType": "application/x-pdf"}
    index = json.dumps({GID: entry, "other": "x"}).encode()
    (file,) = _media(tmp_path, [_file()], {"media/index.json": index, "media/blob/1": b"pdf"})
    assert (file.path, file.content_type, file.size) == ("Docs/List.pdf", "application/x-pdf", 3)


@pytest.mark.parametrize("index", [b"{", b"[]", b'{"x": 5}'], ids=["broken", "array", "number"])
def test_odd_index_does_not_stop_reading(tmp_path: Path, index: bytes) -> None:
    assert len(_media(tmp_path, [_file()], {"media/index.json": index, f"media/{GID}": b"pdf"})) == 1


def test_missing_binary_is_reported(tmp_path: Path) -> None:
    assert _media(tmp_path, [_picture()], {"media/other.jpg": b"x"}) == []
    source = open_source(tmp_path)
    list(source.media("preview"))
    assert [each.what for each in source.skipped()] == [f"{GID}.en_GB (ORIGINAL)"]


def test_documents_without_any_binaries_are_fine(tmp_path: Path) -> None:
    assert _media(tmp_path, [_picture()], {}) == []
    assert open_source(tmp_path).skipped() == ()


@pytest.mark.parametrize("route", ["/../secret.txt", "/%2e%2e/secret.txt", "/a\u0000b", "/" + "x" * 5000])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, route: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/secret.txt").write_text("secret")
    document = _picture(uid="../secret", fileName="../../secret")
    document["resolutionsMetaData"]["ORIGINAL"] |= {"seoRoute": route, "extension": "txt"}
    assert _media(tmp_path / "source", [document], {"media/index.json": b'{"x": "../secret.txt"}'}) == []


def test_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    root = tmp_path / "source"
    (root / "media").mkdir(parents=True)
    (root / "media/ridge.jpg").symlink_to(secret)
    assert _media(root, [_picture()], {}) == []


def test_json_binaries_are_no_documents(tmp_path: Path) -> None:
    files = {"media/animation.json": b'{"v": "5.7", "layers": []}', "media/broken.json": b"{", f"media/{GID}": b"x"}
    assert len(_media(tmp_path, [_file()], files)) == 1
    source = open_source(tmp_path)
    assert len(list(source.documents("preview"))) == 1
    assert source.skipped() == ()
