"""The built page and its files: complete, unaltered since the build, and closed to everything else."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import graphql_app.graphiql
from graphql_app.graphiql import asset, page

FOLDER = Path(graphql_app.graphiql.__file__).parent
ASSETS = FOLDER / "assets"
SOURCE = FOLDER / "source"
PREFIX = "/graphql/_graphiql/"
MANIFEST: dict[str, Any] = json.loads((ASSETS / "manifest.json").read_bytes())
NAMES = [entry["name"] for entry in MANIFEST["assets"]]


class Elements(HTMLParser):
    """Collects the start tags of a page, and the text inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"script", "style"}:
            self.inline += data.strip()


@pytest.fixture
def elements() -> Elements:
    parser = Elements()
    parser.feed(page()[0].decode())
    return parser


def hash_sources() -> str:
    """As build.mjs does it: over the hashes and names of all source files, by name."""
    paths = sorted(
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "node_modules" not in path.parts
    )
    lines = [f"{hashlib.sha256((SOURCE / path).read_bytes()).hexdigest()}  {path}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_page_is_html_that_is_asked_for_anew() -> None:
    body, headers = page()
    assert body.startswith(b"<!doctype html>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Vary"] == "Accept"


def test_page_policy_allows_only_its_own_server() -> None:
    directives = dict(part.split(" ", 1) for part in page()[1]["Content-Security-Policy"].split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_page_tells_nobody_where_it_was() -> None:
    headers = page()[1]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_page_headers_belong_to_the_caller() -> None:
    page()[1]["Content-Security-Policy"] = "default-src *"
    assert page()[1]["Content-Security-Policy"].startswith("default-src 'none'")


def test_page_has_no_inline_code(elements: Elements) -> None:
    assert elements.inline == ""
    attributes = {name for _, attrs in elements.tags for name in attrs}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


def test_page_refers_to_served_files_only(elements: Elements) -> None:
    addresses = [attrs[name] or "" for _, attrs in elements.tags for name in ("src", "href") if name in attrs]
    assert len(addresses) == len(NAMES)
    assert all(address.startswith(PREFIX) and asset(address.removeprefix(PREFIX)) for address in addresses)


@pytest.mark.parametrize("name", NAMES)
def test_asset_may_be_kept_for_good(name: str) -> None:
    found = asset(name)
    assert found is not None
    digest = hashlib.sha256(found.body).hexdigest()
    assert digest[:16] in name
    assert found.etag == f'"{digest}"'
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.headers["ETag"] == found.etag
    assert found.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("js", "text/javascript; charset=utf-8"),
        ("css", "text/css; charset=utf-8"),
        ("svg", "image/svg+xml"),
        ("txt", "text/plain; charset=utf-8"),
    ],
)
def test_asset_media_type_follows_its_kind(suffix: str, media_type: str) -> None:
    (name,) = (name for name in NAMES if name.endswith(f".{suffix}"))
    found = asset(name)
    assert found is not None
    assert found.headers["Content-Type"] == media_type


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "manifest.json",
            "page.html",
            "../bundle.py",
            "..%2fbundle.py",
            "assets/page.html",
            "/etc/passwd",
        ),
        *(f"{NAMES[0]}/", f"./{NAMES[0]}", NAMES[0].upper(), f"{NAMES[0]}\0"),
    ],
)
def test_asset_of_any_other_name_is_none(name: str) -> None:
    assert asset(name) is None


def test_assets_are_read_once() -> None:
    assert asset(NAMES[0]) is asset(NAMES[0])


def test_manifest_hashes_match_the_files() -> None:
    entries = [*MANIFEST["assets"], MANIFEST["page"]]
    built = {entry["file"]: hashlib.sha256((ASSETS / entry["file"]).read_bytes()).hexdigest() for entry in entries}
    assert {entry["file"]: entry["sha256"] for entry in entries} == built


def test_manifest_lists_every_file() -> None:
    listed = {entry["file"] for entry in [*MANIFEST["assets"], MANIFEST["page"]]} | {"manifest.json"}
    assert listed == {path.name for path in ASSETS.iterdir()}


def test_assets_were_built_from_these_sources() -> None:
    """After editing source/: npm ci && npm run build, in that folder."""
    assert MANIFEST["source"] == hash_sources()


def test_style_sheet_loads_nothing_from_elsewhere() -> None:
    (name,) = (name for name in NAMES if name.endswith(".css"))
    found = asset(name)
    assert found is not None
    text = found.body.decode()
    assert "@import" not in text
    urls = re.findall(r"url\(\s*[\"']?([^)\"']*)", text)
    assert all(url.startswith(("data:image/", "#")) for url in urls)


@pytest.mark.parametrize("suffix", ["js", "css"])
def test_bundle_names_no_source_map(suffix: str) -> None:
    (name,) = (name for name in NAMES if name.endswith(f".{suffix}"))
    found = asset(name)
    assert found is not None
    assert b"sourceMappingURL=" not in found.body


def test_licences_of_all_bundled_packages_are_served() -> None:
    package = json.loads((SOURCE / "package.json").read_bytes())
    (served,) = (name for name in NAMES if name.endswith(".txt"))
    found = asset(served)
    assert found is not None
    text = found.body.decode()
    assert all(f"{name} {version} (" in text for name, version in package["dependencies"].items())
    assert "Permission is hereby granted" in text


def test_dependencies_are_pinned() -> None:
    package = json.loads((SOURCE / "package.json").read_bytes())
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
