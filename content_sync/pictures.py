"""Reading and scaling pictures with Pillow, under limits that hold for whatever the bytes claim to be.

Formats are kept, pictures turned as their EXIF orientation says, colour profiles carried over; all other metadata stay
behind. The same picture and geometry give the same bytes.
"""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageSequence, UnidentifiedImageError

from content_sync.model import MediaFile
from content_sync.resolutions import Geometry, PictureResolution

__all__ = ["RECIPE", "Made", "PictureError", "PictureLimits", "is_vector", "make", "read_size"]

RECIPE: Final = "1"
"""Changes whenever this module makes other bytes of the same picture, so that kept ones are made anew."""

_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
_ANIMATED: Final = frozenset({"GIF", "PNG", "WEBP"})
_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "WEBP": {"quality": 85},
    "AVIF": {"quality": 70},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_ORIENTATION: Final = 0x0112
_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
_SMALLER_JPEG: Final = 4
"""How many times the limit a JPEG may have: its decoder gives a quarter of the pixels without reading them all."""

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureError(Exception):
    """A picture cannot be read or made; the message says why, for a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What one picture may cost.

    Attributes:
        pixels: the most that are decoded; transparent pictures count twice, since they take twice the memory.
    """

    pixels: int = 40_000_000

    def __post_init__(self) -> None:
        # Pillow's own limit guards what no header tells, such as frames of an animation; it must not be the lower one.
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, _SMALLER_JPEG * self.pixels)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was made."""

    data: bytes
    width: int
    height: int


def is_vector(file: MediaFile) -> bool:
    """Whether a picture has no pixels, so that its bytes serve every resolution."""
    return file.content_type.partition(";")[0].strip().lower() == "image/svg+xml"


def read_size(file: MediaFile) -> tuple[int, int]:
    """Read width and height as a browser shows them; only the header is decoded, so that no limit is needed.

    Raises:
        PictureError: this is no picture.
    """
    with _opened(file) as image:
        return _shown_size(image)


def make(
    file: MediaFile, wanted: Sequence[PictureResolution], *, limits: PictureLimits
) -> Iterator[tuple[PictureResolution, Made]]:
    """Make resolutions of a picture, which is decoded once.

    Raises:
        PictureError: this is no picture, it is over the limits, or its bytes are broken.
    """
    with _opened(file) as image:
        _check(image, limits)
        width, height = _shown_size(image)
        _reduce(image, limits)
        for resolution in wanted:
            yield resolution, _make_one(image, resolution.geometry(width, height), (width, height), limits)


@contextmanager
def _opened(file: MediaFile) -> Iterator[Image.Image]:
    """Open a picture; whatever Pillow finds wrong with it becomes a PictureError."""
    try:
        with file.open() as stream, Image.open(stream, formats=_FORMATS) as image:
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError as problem:
        raise PictureError("its bytes are no picture of a format that can be read") from problem
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as problem:
        raise PictureError(f"a picture with more pixels than the limit of {Image.MAX_IMAGE_PIXELS}") from problem
    except Exception as problem:  # decoders of foreign bytes fail in every way that there is
        raise PictureError(f"its bytes cannot be decoded: {problem}") from problem


def _check(image: Image.Image, limits: PictureLimits) -> None:
    allowed = limits.pixels * (_SMALLER_JPEG if image.format in {"JPEG", "MPO"} else 1)
    if _cost(image) > allowed:
        size = f"{image.width} x {image.height}"
        raise PictureError(f"a picture of {size} pixels is over the limit of {limits.pixels}")


def _cost(image: Image.Image) -> int:
    return image.width * image.height * (2 if _has_transparency(image) else 1)


def _has_transparency(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def _orientation(image: Image.Image) -> int:
    found = image.getexif().get(_ORIENTATION, 1)
    return found if found in _TURNS else 1


def _shown_size(image: Image.Image) -> tuple[int, int]:
    turned = _orientation(image) in _QUARTER_TURNS
    return (image.height, image.width) if turned else (image.width, image.height)


def _reduce(image: Image.Image, limits: PictureLimits) -> None:
    """Let the decoder of a large JPEG give fewer pixels."""
    if _cost(image) > limits.pixels:
        image.draft(None, (image.width // 2, image.height // 2))


def _make_one(image: Image.Image, geometry: Geometry, shown: tuple[int, int], limits: PictureLimits) -> Made:
    animated = image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1
    if not animated:
        image.seek(0)
        return _encoded(image, [_scaled(image, geometry, shown)], geometry)
    frames: list[Image.Image] = []
    durations: list[int] = []
    pixels = geometry.size[0] * geometry.size[1]
    for frame in ImageSequence.Iterator(image):
        if pixels * (len(frames) + 1) > limits.pixels:
            raise PictureError(f"an animation with more pixels in all its frames than the limit of {limits.pixels}")
        durations.append(int(frame.info.get("duration", 0)))
        frames.append(_scaled(frame.convert("RGBA"), geometry, shown))
    return _encoded(image, frames, geometry, duration=durations, loop=image.info.get("loop", 0))


def _scaled(image: Image.Image, geometry: Geometry, shown: tuple[int, int]) -> Image.Image:
    """Cut, scale and turn: in this order, so that only the small picture is ever copied."""
    orientation = _orientation(image)
    (left, top, right, bottom), size, (width, height) = geometry.box, geometry.size, shown
    if orientation in _QUARTER_TURNS:
        left, top, right, bottom, size = top, left, bottom, right, (size[1], size[0])
        width, height = height, width
    across, down = image.width / width, image.height / height
    box = (left * across, top * down, right * across, bottom * down)
    scaled = _with_full_colours(image).resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return scaled.transpose(_TURNS[orientation]) if orientation in _TURNS else scaled


def _with_full_colours(image: Image.Image) -> Image.Image:
    """Palettes and bitmaps cannot be scaled smoothly."""
    if image.mode in {"P", "PA"} or (image.mode == "RGB" and "transparency" in image.info):
        return image.convert("RGBA" if _has_transparency(image) else "RGB")
    return image.convert("L") if image.mode == "1" else image


def _encoded(original: Image.Image, frames: list[Image.Image], geometry: Geometry, **animation: Any) -> Made:
    kind = "JPEG" if original.format in {"JPEG", "MPO"} else str(original.format)
    options = dict(_OPTIONS.get(kind, {}))
    if (profile := original.info.get("icc_profile")) and kind != "BMP":
        options["icc_profile"] = profile
    if animation:
        options |= {"save_all": True, "append_images": frames[1:], **animation}
        options |= {"disposal": 2} if kind == "GIF" else {}
    target = io.BytesIO()
    frames[0].save(target, kind, **options)
    return Made(target.getvalue(), *geometry.size)
