"""Media of an export: documents, binaries, ids and paths."""

import hashlib
from pathlib import Path

import pytest

from tests.content_sync.source.exports import ExportWriter, gid_of, open_export, read_export


@pytest.fixture
def export(tmp_path: Path) -> ExportWriter:
    return ExportWriter(tmp_path).everything()


def _resolution(name: str = "ORIGINAL") -> str:
    return f'<RESOLUTION extension="png" height="3" mimetype="image/png" resolutionid="{name}" width="4"/>'


def test_shared_picture_has_one_binary_and_two_documents(export: ExportWriter) -> None:
    found = read_export(export.root)
    english, german = found["Media/ridge.EN"], found["Media/ridge.DE"]
    assert english["resolutionsMetaData"] == german["resolutionsMetaData"]
    assert english["resolutionsMetaData"]["ORIGINAL"] == {
        "fileSize": 15, "extension": "png", "mimeType": "image/png", "width": 40, "height": 30, "url": "",
        "seoRoute": "/Our-photos/ridge.png",
    }  # fmt: skip
    assert (english["languageDependent"], english["mediaType"], english["fileName"]) == (False, "PICTURE", "ridge")
    (file,) = open_export(export.root).media("preview")
    assert file.file_id == f"{gid_of('medium', 'ridge')}.ORIGINAL"
    assert (file.document_id, file.language) == (english["_id"], None)
    assert (file.path, file.content_type) == ("Our-photos/ridge.png", "image/png")
    with file.open() as body:
        assert hashlib.sha256(body.read()).hexdigest() == file.digest


def test_language_dependent_picture_has_a_binary_each(export: ExportWriter) -> None:
    inner = "".join(f'<PICTURE language="{each}">{_resolution()}</PICTURE>' for each in ("DE", "EN"))
    files = {"Picture_map_ORIGINAL_DE.png": b"de", "Picture_map_ORIGINAL_EN.png": b"english"}
    export.medium("map", inner, files=files, attributes=' languagedependent="1"')
    found = read_export(export.root)
    sizes = {each: found[f"Media/map.{each}"]["resolutionsMetaData"]["ORIGINAL"]["fileSize"] for each in ("DE", "EN")}
    assert sizes == {"DE": 2, "EN": 7}
    media = [file for file in open_export(export.root).media("preview") if "map" in file.path]
    assert [(file.language, file.path) for file in media] == [
        ("en_GB", "Our-photos/EN/map.png"), ("de_DE", "Our-photos/DE/map.png"),
    ]  # fmt: skip
    assert [file.file_id for file in media] == [
        f"{gid_of('medium', 'map')}.{each}.ORIGINAL" for each in ("en_GB", "de_DE")
    ]
    assert [file.document_id for file in media] == [found["Media/map.EN"]["_id"], found["Media/map.DE"]["_id"]]


def test_file_has_its_own_attributes(export: ExportWriter) -> None:
    export.medium(
        "list", '<FILE extension="pdf" mimetype="application/pdf"/>', kind="file", files={"File_list.pdf": b"%PDF"}
    )
    document = read_export(export.root)["Media/list.DE"]
    assert document["mediaType"] == "FILE"
    assert document["fileMetaData"] == {
        "fileSize": 4, "extension": "pdf", "mimeType": "application/pdf", "encoding": None,
    }  # fmt: skip
    assert "resolutionsMetaData" not in document
    file = next(file for file in open_export(export.root).media("preview") if file.resolution is None)
    assert (file.file_id, file.path) == (gid_of("medium", "list"), "Our-photos/list.pdf")


def test_only_tagged_resolutions_are_listed(export: ExportWriter) -> None:
    export.settings(tags={"ORIGINAL": "", "S": "CaaS", "L": "SmartCropping"})
    inner = f"<PICTURE>{''.join(map(_resolution, ('ORIGINAL', 'S', 'L')))}</PICTURE>"
    files = {f"Picture_peak_{name}.png": name.encode() for name in ("ORIGINAL", "S", "L")}
    export.medium("peak", inner, files=files)
    source = open_export(export.root)
    assert [resolution.name for resolution in source.resolutions()] == ["ORIGINAL", "S"]
    listed = read_export(export.root)["Media/peak.EN"]["resolutionsMetaData"]
    assert list(listed) == ["ORIGINAL", "S"]
    assert listed["S"]["seoRoute"] == "/Our-photos/peak_S.png"


def test_missing_binary_is_reported(export: ExportWriter) -> None:
    export.medium("gone", f"<PICTURE>{_resolution()}</PICTURE>", files={})
    source = open_export(export.root)
    documents = {each.get("uid"): each for each in source.documents("preview")}
    assert documents["gone"]["resolutionsMetaData"] == {}
    assert len(list(source.media("preview"))) == 1
    assert [each.what for each in source.skipped()] == ["MediaStore/photos/gone/StoreElement.xml"]


def test_binary_under_a_similar_name_is_found(export: ExportWriter) -> None:
    export.medium("odd name", f"<PICTURE>{_resolution()}</PICTURE>", files={"Picture_odd_name_original.PNG": b"x"})
    assert len(list(open_export(export.root).media("preview"))) == 2


def test_binary_outside_of_the_export_is_not_read(
    export: ExportWriter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret")
    export.medium("link", f"<PICTURE>{_resolution()}</PICTURE>", files={})
    (export.root / "MediaStore/photos/link/Picture_link_ORIGINAL.png").symlink_to(secret)
    assert [file.path for file in open_export(export.root).media("preview")] == ["Our-photos/ridge.png"]


def test_paths_of_two_media_never_collide(export: ExportWriter) -> None:
    for uid in ("peak", "peak_1"):
        inner = f"<PICTURE>{_resolution()}</PICTURE>"
        export.medium(uid, inner, files={"Picture_peak_ORIGINAL.png": uid.encode()})
        place = export.root / f"MediaStore/photos/{uid}/StoreElement.xml"
        place.write_text(place.read_text().replace(f'filename="{uid}"', 'filename="peak"'))
    paths = [file.path for file in open_export(export.root).media("preview")]
    assert sorted(paths) == ["Our-photos/peak.png", "Our-photos/peak_1.png", "Our-photos/ridge.png"]
