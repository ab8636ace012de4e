"""The built GraphiQL page and its files, read once from the package.

Knows headers, not HTTP: who serves them decides about paths, methods and conditional requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["Asset", "asset", "page"]

# 'unsafe-inline' for styles only: the panes are sized by style attributes, and menus add a style element of their own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of the page; its name changes with its content, so that browsers may keep it for good."""

    body: bytes
    media_type: str
    etag: str

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers to answer with, for the whole body as it stands."""
        return {
            "Content-Type": self.media_type,
            "ETag": self.etag,
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bundle:
    page: Asset
    assets: Mapping[str, Asset]


@cache
def _read_bundle() -> _Bundle:
    folder = files(__package__) / "assets"
    manifest = json.loads((folder / "manifest.json").read_bytes())

    def read(entry: Mapping[str, str]) -> Asset:
        return Asset(
            body=(folder / entry["file"]).read_bytes(),
            media_type=entry["media_type"],
            etag=f'"{entry["sha256"]}"',
        )

    assets = {entry["name"]: read(entry) for entry in manifest["assets"]}
    return _Bundle(page=read(manifest["page"]), assets=MappingProxyType(assets))


def page() -> tuple[bytes, dict[str, str]]:
    """Give the page's body and headers; they are the same at every GraphQL address."""
    found = _read_bundle().page
    return found.body, {
        "Content-Type": found.media_type,
        "ETag": found.etag,
        # The page names its files by content: it must be asked for anew, or an update would not arrive.
        "Cache-Control": "no-cache",
        # The same address answers programs differently.
        "Vary": "Accept",
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def asset(name: str) -> Asset | None:
    """Find a file of the page by its exact name; None for any other name, whatever it holds."""
    return _read_bundle().assets.get(name)
