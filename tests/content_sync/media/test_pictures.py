import io
import struct
import zlib
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from content_sync.model import MediaFile
from content_sync.pictures import Made, PictureError, PictureLimits, make, read_size
from content_sync.resolutions import PictureResolution
from tests.content_sync.media.samples import media_file, picture

LIMITS = PictureLimits()
SMALL = PictureResolution(name="S", width=80, height=50)


def one(file: MediaFile, resolution: PictureResolution = SMALL, limits: PictureLimits = LIMITS) -> Made:
    ((_, made),) = make(file, [resolution], limits=limits)
    return made


def image_of(made: Made) -> Image.Image:
    image = Image.open(io.BytesIO(made.data))
    image.load()
    return image


def huge_png(width: int, height: int) -> bytes:
    """A picture of a few bytes that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"),
        ("PNG", "I;16"), ("GIF", "P"), ("WEBP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "RGB"), ("BMP", "RGB"),
        ("AVIF", "RGB"),
    ],
)  # fmt: skip
def test_a_format_is_kept(kind: str, mode: str) -> None:
    data = picture(kind=kind, mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        target = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("I;16").save(target, "PNG")
        data = target.getvalue()

    made = one(media_file(data))

    image = image_of(made)
    assert image.format == kind
    assert image.size == (made.width, made.height) == (80, 50)


def test_the_same_picture_gives_the_same_bytes() -> None:
    file = media_file(picture())

    assert one(file).data == one(file).data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    """The result looks like what a browser shows of the original, and is not turned once more."""
    data = picture(orientation=orientation)
    shown = Image.open(io.BytesIO(data))
    from PIL import ImageOps

    expected = ImageOps.exif_transpose(shown)
    wide = expected.width > expected.height

    file = media_file(data)
    made = one(file, PictureResolution(name="S", width=80 if wide else 50, height=50 if wide else 80))

    image = image_of(made)
    assert read_size(file) == expected.size
    assert image.size == ((80, 50) if wide else (50, 80))
    assert image.getexif().get(0x0112, 1) == 1
    for x, y in ((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75), (0.02, 0.02), (0.98, 0.98)):
        there = image.getpixel((int(x * image.width), int(y * image.height)))
        wanted = expected.getpixel((int(x * expected.width), int(y * expected.height)))
        assert isinstance(there, tuple)
        assert isinstance(wanted, tuple)
        assert all(abs(a - b) < 60 for a, b in zip(there, wanted, strict=True))


def test_cropping_keeps_the_middle() -> None:
    data = io.BytesIO()
    image = Image.new("RGB", (300, 100), "black")
    image.paste((255, 255, 255), (100, 0, 200, 100))
    image.save(data, "PNG")

    made = one(
        media_file(data.getvalue(), content_type="image/png"),
        PictureResolution(name="square", width=50, height=50, smart_cropping=True),
    )

    result = image_of(made)
    assert result.size == (50, 50)
    assert [result.getpixel((x, 25)) for x in (6, 25, 43)] == [(255, 255, 255)] * 3


def test_transparency_is_kept() -> None:
    data = io.BytesIO()
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 50, 100))
    image.save(data, "PNG")

    result = image_of(one(media_file(data.getvalue()), PictureResolution(name="S", width=20, height=20)))

    assert result.getpixel((4, 10)) == (0, 0, 255, 255)
    assert result.getpixel((16, 10))[3] == 0  # type: ignore[index]


def test_a_colour_profile_is_kept_and_other_metadata_are_not() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"

    result = image_of(one(media_file(picture(icc_profile=b"a profile", exif=exif))))

    assert result.info["icc_profile"] == b"a profile"
    assert not result.getexif()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_moves_on(kind: str) -> None:
    frames = [Image.new("RGB", (100, 60), colour) for colour in ("red", "green", "blue")]
    data = io.BytesIO()
    frames[0].save(data, kind, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)

    result = image_of(one(media_file(data.getvalue()), PictureResolution(name="S", width=50, height=30)))

    assert result.size == (50, 30)
    assert getattr(result, "n_frames", 1) == 3


def test_an_animation_over_the_limit_is_refused() -> None:
    frames = [Image.new("RGB", (100, 60), colour) for colour in ("red", "green", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])

    with pytest.raises(PictureError, match="animation"):
        one(media_file(data.getvalue()), PictureResolution(name="S", width=90, height=54), PictureLimits(pixels=12_100))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture at all", id="text"),
        pytest.param(picture()[:900], id="cut off"),
        pytest.param(picture(kind="PNG")[:200], id="cut off PNG"),
        pytest.param(picture(kind="GIF")[:60], id="cut off GIF"),
        pytest.param(picture(kind="TIFF", compression="tiff_lzw")[:-60], id="cut off TIFF"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", id="a program"),
    ],
)
def test_bad_bytes_are_told(data: bytes) -> None:
    with pytest.raises(PictureError):
        one(media_file(data))


def test_broken_at_random_never_escapes() -> None:
    """Whatever happens to its bytes, a picture is made, or refused in our words."""
    import random

    chance = random.Random(7)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        whole = picture(64, 40, kind=kind)
        for _ in range(40):
            broken = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            try:
                one(media_file(bytes(broken)), PictureResolution(name="S", width=32, height=20))
            except PictureError:
                continue


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (60_000, 60_000), (7_000, 7_000)])
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    with pytest.raises(PictureError, match="limit"):
        one(media_file(huge_png(width, height)))


def test_transparent_pixels_count_twice() -> None:
    limits = PictureLimits(pixels=320 * 200)

    assert one(media_file(picture(kind="PNG")), limits=limits).width == 80
    with pytest.raises(PictureError, match="limit"):
        one(media_file(picture(kind="PNG", mode="RGBA")), limits=limits)


def test_a_jpeg_over_the_limit_is_decoded_smaller() -> None:
    limits = PictureLimits(pixels=320 * 200 // 3)

    made = one(media_file(picture()), limits=limits)

    assert image_of(made).size == (80, 50)
    left, right = image_of(made).getpixel((20, 30)), image_of(made).getpixel((60, 30))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] - left[2] > 150
    assert right[2] - right[0] > 150


def test_a_jpeg_far_over_the_limit_is_refused() -> None:
    with pytest.raises(PictureError, match="limit"):
        one(media_file(picture()), limits=PictureLimits(pixels=320 * 200 // 5))


def test_bytes_that_cannot_be_opened_are_told() -> None:
    def fails() -> Any:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PictureError, match="Permission denied"):
        one(replace(media_file(), open=fails))
