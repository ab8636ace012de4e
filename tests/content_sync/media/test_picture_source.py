import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from content_sync.model import MediaFile, Skipped
from content_sync.picture_source import PictureFile, PictureSource
from content_sync.pictures import PictureLimits
from content_sync.renditions import RenditionError, RenditionStore
from content_sync.resolutions import PictureResolution, Resolutions
from schema_gen.model import Resolution
from tests.content_sync.media.samples import GID, OTHER, Sample, media_document, media_file, opened, picture

ORIGINAL = PictureResolution(name="ORIGINAL")
S = PictureResolution(name="16x9_S", width=48, height=27, smart_cropping=True)
M = PictureResolution(name="M", width=100)
TAGGED = PictureResolution(name="Teaser", width=64, height=64, tagged=True)


def source(tmp_path: Path, files: Sequence[MediaFile], *every: PictureResolution, **options: Any) -> PictureSource:
    return PictureSource(
        Sample(files, options.pop("documents", ()), options.pop("said", ())),
        store=RenditionStore(tmp_path / "renditions"),
        resolutions=Resolutions(every) if every else None,
        **options,
    )


def test_missing_resolutions_are_made(tmp_path: Path) -> None:
    files = list(source(tmp_path, [media_file(picture())], ORIGINAL, S, M).media("preview"))

    assert [file.resolution for file in files] == ["ORIGINAL", "16x9_S", "M"]
    assert [file.file_id for file in files] == [f"{GID}.ORIGINAL", f"{GID}.16x9_S", f"{GID}.M"]
    assert [file.path for file in files] == ["Photos/ridge.jpg", "Photos/ridge_16x9_S.jpg", "Photos/ridge_M.jpg"]
    assert [opened(file).size for file in files] == [(320, 200), (48, 27), (100, 62)]
    assert [(file.width, file.height) for file in files if isinstance(file, PictureFile)] == [(48, 27), (100, 62)]
    for file in files:
        with file.open() as stream:
            data = stream.read()
        assert file == media_file(data, resolution=file.resolution, path=file.path) or (file.size, file.digest) == (
            len(data),
            media_file(data).digest,
        )


def test_what_the_export_has_is_taken(tmp_path: Path) -> None:
    own = media_file(b"from the export", resolution="16x9_S", path="Photos/ridge_16x9_S.jpg")

    files = list(source(tmp_path, [media_file(picture()), own], ORIGINAL, S).media("preview"))

    assert files[1] is own


def test_with_tags_only_tagged_resolutions_are_yielded(tmp_path: Path) -> None:
    present = [media_file(picture()), media_file(b"small", resolution="16x9_S", path="Photos/ridge_16x9_S.jpg")]

    files = list(source(tmp_path, present, ORIGINAL, S, TAGGED).media("preview"))

    assert [file.resolution for file in files] == ["Teaser"]


def test_with_tags_only_tagged_resolutions_are_listed(tmp_path: Path) -> None:
    document = media_document(resolutionsMetaData={"ORIGINAL": {"width": 1}, "Teaser": {"width": 2}})
    page = {"_id": "p", "fsType": "PageRef"}

    documents = list(source(tmp_path, [], ORIGINAL, S, TAGGED, documents=[document, page]).documents("preview"))

    assert documents[0]["resolutionsMetaData"] == {"Teaser": {"width": 2}}
    assert documents[0]["_id"] == document["_id"]
    assert documents[1] is page
    assert "ORIGINAL" in document["resolutionsMetaData"]


def test_files_are_not_pictures(tmp_path: Path) -> None:
    files = [media_file(resolution=None, path="Lists/packing.pdf", content_type="application/pdf"),
             media_file(picture(), gid=OTHER)]  # fmt: skip

    yielded = list(source(tmp_path, files, ORIGINAL, M).media("preview"))

    assert yielded[0] is files[0]
    assert [file.resolution for file in yielded[1:]] == ["ORIGINAL", "M"]


def test_each_language_has_its_own_pictures(tmp_path: Path) -> None:
    files = [
        media_file(picture(width, 200), language=language, path="Photos/map.jpg")
        for language, width in (("de_DE", 200), ("en_GB", 400))
    ]

    yielded = list(source(tmp_path, files, ORIGINAL, M).media("preview"))

    assert [(file.file_id, file.path) for file in yielded] == [
        (f"{GID}.de_DE.ORIGINAL", "Photos/de_DE/map.jpg"), (f"{GID}.de_DE.M", "Photos/de_DE/map_M.jpg"),
        (f"{GID}.en_GB.ORIGINAL", "Photos/en_GB/map.jpg"), (f"{GID}.en_GB.M", "Photos/en_GB/map_M.jpg"),
    ]  # fmt: skip
    assert [opened(file).size for file in yielded] == [(200, 200), (100, 100), (400, 200), (100, 50)]


def test_a_vector_serves_every_resolution(tmp_path: Path) -> None:
    logo = media_file(b"<svg/>", path="Logos/logo.svg", content_type="image/svg+xml")
    pictures = source(tmp_path, [logo], ORIGINAL, S)

    files = list(pictures.media("preview"))

    assert [(file.path, file.digest) for file in files] == [
        ("Logos/logo.svg", logo.digest), ("Logos/logo_16x9_S.svg", logo.digest),
    ]  # fmt: skip
    assert pictures.skipped() == (Skipped("a page", "broken"),)


def test_a_small_original_serves_larger_resolutions(tmp_path: Path) -> None:
    small = media_file(picture(40, 20))

    files = list(source(tmp_path, [small], ORIGINAL, M).media("preview"))

    assert files[1].digest == small.digest
    assert isinstance(files[1], PictureFile)
    assert (files[1].width, files[1].height) == (40, 20)


def test_a_bad_picture_is_reported_and_the_others_are_made(tmp_path: Path) -> None:
    bad, good = media_file(b"no picture", path="Photos/bad.jpg"), media_file(picture(), gid=OTHER)
    pictures = source(tmp_path, [bad, good], ORIGINAL, S, M)

    files = list(pictures.media("preview"))

    assert [file.file_id for file in files] == [
        f"{GID}.ORIGINAL", f"{OTHER}.ORIGINAL", f"{OTHER}.16x9_S", f"{OTHER}.M",
    ]  # fmt: skip
    why = "its bytes are no picture of a format that can be read; not made: 16x9_S, M"
    assert pictures.skipped() == (Skipped("a page", "broken"), Skipped(f"{GID} (Photos/bad.jpg)", why))


def test_a_bad_picture_keeps_its_original_where_that_has_no_tag(tmp_path: Path) -> None:
    bad = media_file(b"no picture")
    pictures = source(tmp_path, [bad], ORIGINAL, TAGGED)

    assert list(pictures.media("preview")) == [bad]
    assert len(pictures.skipped()) == 2


def test_a_picture_over_the_limit_is_reported(tmp_path: Path) -> None:
    pictures = source(tmp_path, [media_file(picture(kind="PNG"))], ORIGINAL, M, limits=PictureLimits(pixels=1000))

    assert [file.resolution for file in pictures.media("preview")] == ["ORIGINAL"]
    assert "320 x 200" in pictures.skipped()[1].why


def test_a_picture_without_its_original_is_reported(tmp_path: Path) -> None:
    small = media_file(b"small", resolution="16x9_S")
    pictures = source(tmp_path, [small], ORIGINAL, S, M)

    assert list(pictures.media("preview")) == [small]
    assert pictures.skipped()[1].why.endswith("cannot be made: ORIGINAL, M")


def test_the_same_picture_is_reported_once(tmp_path: Path) -> None:
    pictures = source(tmp_path, [media_file(b"no picture")], ORIGINAL, M)

    for state in ("preview", "release"):
        list(pictures.media(state))

    assert len(pictures.skipped()) == 2


def test_what_the_source_says_of_resolutions_counts_where_nothing_else_does(tmp_path: Path) -> None:
    pictures = source(tmp_path, [media_file(picture())], said=(Resolution("ORIGINAL"), Resolution("M", 100, 100)))

    assert [opened(file).size for file in pictures.media("preview")] == [(320, 200), (100, 62)]
    assert pictures.resolutions() == ()


def test_without_resolutions_everything_passes(tmp_path: Path) -> None:
    files = [media_file(picture()), media_file(b"x", resolution="any", path="Photos/any.jpg")]
    document = media_document(resolutionsMetaData={"any": {}})
    pictures = source(tmp_path, files, documents=[document])

    assert list(pictures.media("preview")) == files
    assert list(pictures.documents("preview")) == [document]
    assert (pictures.project, pictures.states()) == (Sample().project, ("preview", "release"))


def test_a_picture_is_made_once(tmp_path: Path) -> None:
    first = list(source(tmp_path, [media_file(picture())], ORIGINAL, S, M).media("preview"))
    kept = {path: path.stat().st_ino for path in (tmp_path / "renditions").rglob("*.bin")}

    second = list(source(tmp_path, [media_file(picture())], ORIGINAL, S, M).media("preview"))

    assert len(kept) == 2
    assert {path: path.stat().st_ino for path in (tmp_path / "renditions").rglob("*.bin")} == kept
    assert [file.digest for file in second] == [file.digest for file in first]


@pytest.mark.parametrize("damage", ["cut", "note", "gone"])
def test_a_damaged_rendition_is_made_anew(tmp_path: Path, damage: str) -> None:
    first = list(source(tmp_path, [media_file(picture())], ORIGINAL, M).media("preview"))
    (path,) = (tmp_path / "renditions").rglob("*.bin")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "note":
        path.with_suffix(".json").write_text("{", encoding="utf-8")
    else:
        path.unlink()

    second = list(source(tmp_path, [media_file(picture())], ORIGINAL, M).media("preview"))

    assert second[1].digest == first[1].digest
    assert opened(second[1]).size == (100, 62)


def test_a_changed_resolution_is_made_anew(tmp_path: Path) -> None:
    wide = PictureResolution(name="M", width=200)
    first = list(source(tmp_path, [media_file(picture())], ORIGINAL, M).media("preview"))

    second = list(source(tmp_path, [media_file(picture())], ORIGINAL, wide).media("preview"))

    assert second[1].file_id == first[1].file_id
    assert second[1].digest != first[1].digest


def test_what_was_not_used_for_long_is_trimmed(tmp_path: Path) -> None:
    store = RenditionStore(tmp_path / "renditions")
    pictures = PictureSource(Sample([media_file(picture())]), store=store, resolutions=Resolutions((ORIGINAL, S, M)))
    small, large = list(pictures.media("preview"))[1:]
    longer_ago = time.time() - 1000
    for path in (tmp_path / "renditions").rglob("*.bin"):
        if path.stat().st_size == small.size:
            os.utime(path, (longer_ago, longer_ago))

    removed = RenditionStore(tmp_path / "renditions", max_bytes=large.size).trim()

    assert removed == 1
    assert [path.stat().st_size for path in (tmp_path / "renditions").rglob("*.bin")] == [large.size]
    assert len(list((tmp_path / "renditions").rglob("*.json"))) == 1
    assert RenditionStore(tmp_path / "nowhere").trim() == 0


def test_what_a_killed_job_left_is_trimmed(tmp_path: Path) -> None:
    list(source(tmp_path, [media_file(picture())], ORIGINAL, M).media("preview"))
    (path,) = (tmp_path / "renditions").rglob("*.bin")
    old, new = path.parent / "tmpold", path.parent / "tmpnew"
    for partial in (old, new):
        partial.write_bytes(b"half")
    os.utime(old, (time.time() - 100_000,) * 2)

    assert RenditionStore(tmp_path / "renditions").trim() == 0

    assert sorted(path.parent.iterdir()) == sorted([path, path.with_suffix(".json"), new])


def test_a_directory_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "renditions").write_text("a file", encoding="utf-8")

    with pytest.raises(RenditionError, match="cannot be kept"):
        list(source(tmp_path, [media_file(picture())], ORIGINAL, M).media("preview"))
