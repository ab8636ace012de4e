from pathlib import Path

import pytest

from content_sync.resolutions import PictureResolution, Resolutions, read_resolutions
from schema_gen.export.findings import FindingLog

REAL = Path("/work/shared/data/fcecom-reference-export")
_BEAN = """<OBJECT class="de.espirit.firstspirit.server.projectmanagement.ResolutionDTO">
<FIELD name="_keepAspectRatio" type="boolean">{keep}</FIELD><FIELD name="_smartCropping" type="boolean">{crop}</FIELD>
<FIELD name="_tags"><OBJECT class="java.util.TreeSet">{tags}</OBJECT></FIELD>
<FIELD name="m_height" type="int">{height}</FIELD><FIELD name="m_width" type="int">{width}</FIELD>
<FIELD name="m_name"><OBJECT class="java.lang.String">{name}</OBJECT></FIELD></OBJECT>"""


def bean(
    name: str, width: int = 0, height: int = 0, *, keep: bool = True, crop: bool = False, tags: tuple[str, ...] = ()
) -> str:
    written = "".join(f'<OBJECT class="java.lang.String">{tag}</OBJECT>' for tag in tags)
    return _BEAN.format(
        name=name, width=width, height=height, keep=str(keep).lower(), crop=str(crop).lower(), tags=written
    )


def read(tmp_path: Path, *beans: str) -> tuple[Resolutions, FindingLog]:
    (tmp_path / "TemplateStore").mkdir()
    folder = tmp_path / "Global" / "Project"
    folder.mkdir(parents=True)
    text = f'<OBJECT class="java.util.ArrayList">{"".join(beans)}</OBJECT>'
    (folder / "Resolutions.xml").write_text(text, encoding="utf-8")
    findings = FindingLog()
    return read_resolutions(tmp_path, findings=findings), findings


def names(resolutions: Resolutions) -> list[str]:
    return [resolution.name for resolution in resolutions.chosen]


def test_without_tags_all_are_chosen(tmp_path: Path) -> None:
    resolutions, _ = read(
        tmp_path, bean("ORIGINAL"), bean("L", 1920, 1080), bean("S", 480, 270, tags=("SmartCropping",))
    )

    assert names(resolutions) == ["ORIGINAL", "L", "S"]
    assert resolutions.untagged == frozenset()


@pytest.mark.parametrize("tag", ["CaaS", "caas", "CAAS"])
def test_with_one_tag_only_tagged_ones_are_chosen(tmp_path: Path, tag: str) -> None:
    resolutions, _ = read(tmp_path, bean("ORIGINAL"), bean("L", 1920, 1080, tags=("Other", tag)), bean("S", 480, 270))

    assert names(resolutions) == ["L"]
    assert resolutions.untagged == {"ORIGINAL", "S"}


def test_geometry_and_method_are_read(tmp_path: Path) -> None:
    resolutions, _ = read(tmp_path, bean("ORIGINAL"), bean("S", 480, 270, keep=False, crop=True))

    assert resolutions.every[1] == PictureResolution(
        name="S", width=480, height=270, keep_aspect_ratio=False, smart_cropping=True
    )


def test_the_original_is_always_there(tmp_path: Path) -> None:
    resolutions, _ = read(tmp_path, bean("S", 480, 270))

    assert names(resolutions) == ["ORIGINAL", "S"]


def test_what_makes_no_sense_is_left_out_and_told(tmp_path: Path) -> None:
    resolutions, findings = read(tmp_path, bean("S", 480, 270), bean("S", 1, 1), bean("huge", 99_999, 1), bean(""))

    assert names(resolutions) == ["ORIGINAL", "S"]
    assert len(findings.sorted()) == 3


def test_broken_or_missing_files_leave_the_original(tmp_path: Path) -> None:
    (tmp_path / "TemplateStore").mkdir()
    findings = FindingLog()
    assert read_resolutions(tmp_path, findings=findings) == Resolutions()

    (tmp_path / "Global" / "Project").mkdir(parents=True)
    (tmp_path / "Global" / "Project" / "Resolutions.xml").write_text("<OBJECT", encoding="utf-8")
    assert read_resolutions(tmp_path, findings=findings) == Resolutions()
    assert len(findings.sorted()) == 2


@pytest.mark.skipif(not REAL.exists(), reason="the real export is not here")
def test_a_real_export_has_thirteen_untagged_ones() -> None:
    findings = FindingLog()

    resolutions = read_resolutions(REAL, findings=findings)

    assert len(resolutions.chosen) == 13
    assert next(each for each in resolutions.every if each.name == "16x9_S").smart_cropping
    assert findings.sorted() == ()


@pytest.mark.parametrize(
    ("resolution", "size", "box"),
    [
        pytest.param(PictureResolution(name="cropped"), (600, 400), (0, 0, 600, 400), id="as the original"),
        pytest.param(PictureResolution(name="w", width=300), (300, 200), (0, 0, 600, 400), id="width only"),
        pytest.param(PictureResolution(name="h", height=100), (150, 100), (0, 0, 600, 400), id="height only"),
        pytest.param(PictureResolution(name="fit", width=300, height=100), (150, 100), (0, 0, 600, 400), id="fitted"),
        pytest.param(
            PictureResolution(name="free", width=300, height=100, keep_aspect_ratio=False), (300, 100),
            (0, 0, 600, 400), id="stretched",
        ),
        pytest.param(
            PictureResolution(name="crop", width=100, height=100, smart_cropping=True), (100, 100),
            (100, 0, 500, 400), id="cut at the sides",
        ),
        pytest.param(
            PictureResolution(name="crop", width=300, height=100, smart_cropping=True), (300, 100),
            (0, 100, 600, 300), id="cut at top and bottom",
        ),
        pytest.param(
            PictureResolution(name="fit", width=3000, height=3000), (600, 400), (0, 0, 600, 400), id="never enlarged",
        ),
        pytest.param(
            PictureResolution(name="crop", width=3000, height=3000, smart_cropping=True), (400, 400),
            (100, 0, 500, 400), id="cut but not enlarged",
        ),
        pytest.param(
            PictureResolution(name="free", width=1200, height=400, keep_aspect_ratio=False), (600, 200),
            (0, 0, 600, 400), id="stretched but not enlarged",
        ),
    ],
)  # fmt: skip
def test_geometry_of_a_landscape(
    resolution: PictureResolution, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    geometry = resolution.geometry(600, 400)

    assert (geometry.size, geometry.box) == (size, box)
    assert geometry.changes is (size != (600, 400))


@pytest.mark.parametrize(("width", "height"), [(1, 5000), (5000, 1), (1, 1), (3, 2)])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("crop", [True, False])
def test_no_picture_shrinks_to_nothing(width: int, height: int, keep: bool, crop: bool) -> None:
    resolution = PictureResolution(name="S", width=48, height=27, keep_aspect_ratio=keep, smart_cropping=crop)

    geometry = resolution.geometry(width, height)

    left, top, right, bottom = geometry.box
    assert min(geometry.size) >= 1
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_the_example_of_the_documents() -> None:
    assert PictureResolution(name="Teaser", width=111, height=100).geometry(578, 340).size == (111, 65)
