"""The demo project's export becomes the documents that were composed for it, but for what an export does not tell."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from content_sync.source import open_source
from fixtures import BASE, PROJECTS, Name, documents

_MADE_LATER = {"url", "16x9_S", "SQUARE_M"}
"""Addresses of binaries, and resolutions that are made from the original."""

_UNTOLD = Counter(
    {
        "Dataset.route": 18,  # which projections are detail pages
        "Dataset.routes": 36,
        "Media.description": 6,
        "Media.fileMetaData.encoding": 2,
        "PageRef…brokenReference": 4,
        "PageRef…mediaType": 10,  # of targets that are not in the export
        "PageRef…url": 2,  # in a remote project, whose GID is unknown
        "ProjectProperties.displayName": 2,
    }
)


@pytest.mark.parametrize("name", ["demo", "tutorial"])
def test_export_gives_the_composed_documents(name: Name) -> None:
    project = PROJECTS[name]
    source = open_source(project.export, base=BASE, tenant=project.tenant, project=project.project)
    expected = {each["_id"]: _comparable(each) for each in documents(name, "preview")}
    found = {each["_id"]: _comparable(each) for each in source.documents("preview")}
    assert expected.keys() == found.keys()
    differences = Counter(path for key, want in expected.items() for path in _compare(want, found[key], want["fsType"]))
    assert differences == (_UNTOLD if name == "demo" else {})
    assert source.skipped() == ()


def test_export_names_every_original() -> None:
    project = PROJECTS["demo"]
    source = open_source(project.export)
    media = {file.file_id: file for file in source.media("preview")}
    logo = media["aac07154-1195-5f20-a824-6e2881ced3f9.ORIGINAL"]
    assert (logo.path, logo.content_type, logo.language) == ("Brand/logo.png", "image/png", None)
    booklet = media["c7b93af0-fb22-5762-b1cc-8e09e2481cef.de_DE"]
    assert (booklet.path, booklet.language, booklet.resolution) == ("Downloads/DE/care_booklet.pdf", "de_DE", None)
    with booklet.open() as body:
        assert len(body.read()) == booklet.size


def _comparable(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "changeInfo"}


def _compare(want: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(want, dict) and isinstance(found, dict):
        for name in want.keys() | found.keys():
            inner = f"{path}…{name}" if path.startswith("PageRef") and "…" not in path else f"{path}.{name}"
            inner = f"PageRef…{name}" if path.startswith("PageRef") else inner
            if name in want and name in found:
                yield from _compare(want[name], found[name], inner)
            elif name not in _MADE_LATER or path.startswith("PageRef"):
                yield inner
        assert set(want) != set(found) or list(want) == list(found) or "formData" in path
    elif isinstance(want, list) and isinstance(found, list) and len(want) == len(found):
        for one, other in zip(want, found, strict=True):
            yield from _compare(one, other, f"{path}[]")
    elif want != found and not (path.startswith("Media") and path.endswith(".url")):
        yield path.removesuffix("[]") if isinstance(want, list) else path
