"""The resolutions of a project's pictures: which of them are transferred, and the geometry that each one means.

Pure but for reading ``Global/Project/Resolutions.xml``; pictures are made in ``renditions``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schema_gen.export.beans import bean_fields, find_beans, flag, number, strings, text
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import ExportFiles, ReadLimits, find_root

__all__ = ["ORIGINAL", "Geometry", "PictureResolution", "Resolutions", "read_resolutions"]

ORIGINAL: Final = "ORIGINAL"
_FILE: Final = "Global/Project/Resolutions.xml"
_TAG: Final = "caas"
_MAX_SIDE: Final = 18_918
"""The largest width or height that FirstSpirit lets a resolution have."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a picture becomes another one: cut first, then scaled.

    Attributes:
        box: the part of the original that is kept: left, top, right, bottom.
        size: width and height of the result.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]

    @property
    def changes(self) -> bool:
        """Whether the result differs from the original at all."""
        left, top, right, bottom = self.box
        return (left, top) != (0, 0) or (right, bottom) != self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureResolution:
    """A resolution of the project.

    Attributes:
        name: the key in ``resolutionsMetaData``.
        width: in pixels; 0 = what the aspect ratio gives.
        height: likewise; both 0 = as the original.
        keep_aspect_ratio: whether a picture of another shape is fitted in, instead of being stretched.
        smart_cropping: whether a picture of another shape is cut.
        tagged: whether it has the tag ``CaaS``.
    """

    name: str
    width: int = 0
    height: int = 0
    keep_aspect_ratio: bool = True
    smart_cropping: bool = False
    tagged: bool = False

    def geometry(self, width: int, height: int) -> Geometry:
        """What becomes of a picture of this size; never larger than the picture is.

        Cropping keeps the middle: where the motif is, an export does not say.
        """
        whole = (0, 0, width, height)
        if not self.width and not self.height:
            return Geometry(whole, (width, height))
        if not self.width or not self.height:
            factor = self.width / width if self.width else self.height / height
            return Geometry(whole, _scaled(width, height, factor))
        if self.smart_cropping:
            return self._cropped(width, height)
        if self.keep_aspect_ratio:
            return Geometry(whole, _scaled(width, height, min(self.width / width, self.height / height)))
        smaller = min(1.0, width / self.width, height / self.height)
        return Geometry(whole, _scaled(self.width, self.height, smaller))

    def _cropped(self, width: int, height: int) -> Geometry:
        factor = min(width / self.width, height / self.height)
        kept_width = min(width, max(1, round(self.width * factor)))
        kept_height = min(height, max(1, round(self.height * factor)))
        left, top = (width - kept_width) // 2, (height - kept_height) // 2
        box = (left, top, left + kept_width, top + kept_height)
        wanted = (self.width, self.height)
        return Geometry(box, wanted if factor >= 1 else (kept_width, kept_height))


@dataclass(frozen=True, slots=True)
class Resolutions:
    """The resolutions of a project, ``ORIGINAL`` among them, in its order."""

    every: tuple[PictureResolution, ...] = (PictureResolution(name=ORIGINAL),)

    @property
    def chosen(self) -> tuple[PictureResolution, ...]:
        """Those that are transferred and listed: the ones with the tag ``CaaS``, or all if none has it."""
        tagged = tuple(resolution for resolution in self.every if resolution.tagged)
        return tagged or self.every

    @property
    def untagged(self) -> frozenset[str]:
        """The names of those that stay out because others have the tag; binaries of theirs are never removed."""
        chosen = self.chosen
        return frozenset(resolution.name for resolution in self.every if resolution not in chosen)


def read_resolutions(path: Path, *, findings: FindingLog) -> Resolutions:
    """Read the resolutions of an export.

    Args:
        path: the export, or the directory that holds it.
        findings: takes what is wrong with them.

    Raises:
        NotAnExportError: the path holds no export.
    """
    try:
        files = ExportFiles(find_root(path), findings=findings, limits=ReadLimits())
        root = files.read_xml(_FILE)
    except BrokenFileError as problem:
        findings.broken(problem)
        return Resolutions()
    if root is None:
        findings.warning("missing: pictures have their original resolution only", path=_FILE)
        return Resolutions()
    found: dict[str, PictureResolution] = {}
    for bean in find_beans(root, "ResolutionDTO"):
        fields = bean_fields(bean)
        name = text(fields.get("m_name"))
        width, height = number(fields.get("m_width")) or 0, number(fields.get("m_height")) or 0
        if not name or name in found or not _sane(width, height):
            findings.warning(f"the resolution {name!r} was left out: no name, or one twice, or no size",
                             path=_FILE, line=bean.line)  # fmt: skip
            continue
        found[name] = PictureResolution(
            name=name,
            width=width,
            height=height,
            keep_aspect_ratio=flag(fields.get("_keepAspectRatio"), default=True),
            smart_cropping=flag(fields.get("_smartCropping"), default=False),
            tagged=any(tag.strip().lower() == _TAG for tag in strings(fields.get("_tags"))),
        )
    return Resolutions(_with_original(found.values()))


def _with_original(found: Iterable[PictureResolution]) -> tuple[PictureResolution, ...]:
    resolutions = tuple(found)
    if any(resolution.name == ORIGINAL for resolution in resolutions):
        return resolutions
    return (PictureResolution(name=ORIGINAL), *resolutions)


def _sane(width: int, height: int) -> bool:
    return 0 <= width <= _MAX_SIDE and 0 <= height <= _MAX_SIDE


def _scaled(width: int, height: int, factor: float) -> tuple[int, int]:
    """Scale a size, not beyond what it is, and not to nothing."""
    smaller = min(1.0, factor)
    return max(1, round(width * smaller)), max(1, round(height * smaller))
