"""JSON documents as a source: layouts, states, and what is broken."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from content_sync.model import Source
from content_sync.source import SourceError, SourceLimits, open_source
from fixtures import PROJECTS, documents

GID = "c0a1f5de-5b64-4f0a-8a1e-6f9e5d1b2c33"


def document(number: int = 1, *, language: str = "en_GB", **more: Any) -> dict[str, Any]:
    """A small document."""
    code, _, country = language.partition("_")
    return {
        "_id": f"{GID}-{number}.{language}",
        "fsType": "PageRef",
        "identifier": f"{GID}-{number}",
        "changeInfo": {"date": "2025-02-03T08:15Z", "revision": 4711},
        "locale": {"identifier": code.upper(), "country": country, "language": code},
        **more,
    }


def _write(place: Path, *values: object) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values))
    return place


def _ids(source: Source, state: Any = "preview") -> list[str]:
    return [each["_id"] for each in source.documents(state)]


def test_sample_project_comes_through_exactly() -> None:
    project = PROJECTS["demo"]
    source = open_source(project.path, base="https://caas.example.org/")
    assert source.project == project.project
    assert source.states() == ("preview", "release")
    for state in source.states():
        expected = {each["_id"]: each for each in documents("demo", state, base="https://caas.example.org")}
        for each in expected.values():
            del each["changeInfo"]["lastSynced"]
        found = {each["_id"]: each for each in source.documents(state)}
        assert found == expected
    assert source.skipped() == ()


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("preview/a.json", "preview"),
        ("release/deep/er/a.json", "release"),
        ("preview.ndjson", "preview"),
        ("release.jsonl", "release"),
        ("release.json", "release"),
        (f"{GID}.release.content/a.json", "release"),
        (f"{GID}.preview.content.ndjson", "preview"),
        ("release/preview.ndjson", "preview"),
        ("release/preview.json", "release"),
    ],
)
def test_names_say_the_state(tmp_path: Path, path: str, state: str) -> None:
    _write(tmp_path / path, document())
    source = open_source(tmp_path)
    assert source.states() == (state,)
    assert len(_ids(source, state)) == 1


def test_collection_name_says_the_project(tmp_path: Path) -> None:
    _write(tmp_path / f"{GID}.preview.content/a.json", document())
    assert open_source(tmp_path).project == GID
    assert open_source(tmp_path, project="other").project == "other"


def test_documents_of_two_projects_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write(tmp_path / f"{name}.preview.content/a.json", document())
    with pytest.raises(SourceError, match=r"several projects \(one, two\)"):
        open_source(tmp_path)


def test_state_must_be_known(tmp_path: Path) -> None:
    _write(tmp_path / "a.json", document())
    with pytest.raises(SourceError, match=r"which state a\.json belongs to"):
        open_source(tmp_path)
    source = open_source(tmp_path, state="release")
    assert source.states() == ("release",)
    assert len(_ids(source, "release")) == 1


def test_given_state_is_for_what_says_none(tmp_path: Path) -> None:
    _write(tmp_path / "a.json", document(1))
    _write(tmp_path / "preview/b.json", document(2))
    source = open_source(tmp_path, state="release")
    assert source.states() == ("preview", "release")
    assert _ids(source, "preview") == [f"{GID}-2.en_GB"]
    assert _ids(source, "release") == [f"{GID}-1.en_GB"]


def test_single_file_is_a_source(tmp_path: Path) -> None:
    place = _write(tmp_path / "all.ndjson", document(1), "", document(2))
    assert len(_ids(open_source(place, state="preview"))) == 2


def test_nothing_to_sync_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no documents"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match="no documents"):
        open_source(tmp_path / "notes.txt", state="preview")
    with pytest.raises(SourceError, match="no such file"):
        open_source(tmp_path / "missing")


@pytest.mark.parametrize(
    "whole",
    [
        [document(1), document(2)],
        {"_embedded": [document(1), document(2)]},
        {"_id": "x.preview.content", "_embedded": {"rh:doc": [document(1), document(2)]}},
    ],
    ids=["array", "listing", "hal"],
)
def test_one_file_may_hold_several(tmp_path: Path, whole: object) -> None:
    _write(tmp_path / "preview/all.json", whole)
    assert len(_ids(open_source(tmp_path))) == 2


def test_broken_line_is_reported_with_its_number(tmp_path: Path) -> None:
    _write(tmp_path / "preview.ndjson", document(1), '{"_id": "x", ', document(2), "[1]", '"text"', "NaN")
    source = open_source(tmp_path)
    assert len(_ids(source)) == 2
    assert [each.what for each in source.skipped()] == [f"preview.ndjson:{line}" for line in (2, 4, 5, 6)]


def test_broken_file_is_reported_with_its_line(tmp_path: Path) -> None:
    _write(tmp_path / "preview/a.json", '{\n "fsType": "PageRef",\n "name": oops\n}')
    (tmp_path / "preview/b.json").write_bytes(b'{"_id": "\xff"}')
    _write(tmp_path / "preview/c.json", document(3))
    source = open_source(tmp_path)
    assert len(_ids(source)) == 1
    assert [each.what.partition(":")[0] for each in source.skipped()] == ["preview/a.json", "preview/b.json"]
    assert source.skipped()[0].what == "preview/a.json:3"


@pytest.mark.parametrize(
    "value", [{"_id": "x"}, {"_id": "x", "fsType": "Page"}, {"_id": 7, "fsType": "PageRef"}, 5, None],
    ids=["no-kind", "other-kind", "number-as-id", "number", "null"],
)  # fmt: skip
def test_what_is_no_document_is_reported(tmp_path: Path, value: object) -> None:
    _write(tmp_path / "preview/a.json", value)
    source = open_source(tmp_path)
    assert _ids(source) == []
    assert len(source.skipped()) == 1


def test_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    for name in ("preview/a.json", "preview/b.ndjson"):
        _write(tmp_path / name, "\ufeff" + json.dumps(document(len(name))))
    assert len(_ids(open_source(tmp_path))) == 2


def test_what_belongs_to_the_server_is_left_out(tmp_path: Path) -> None:
    stored = document(_etag={"$oid": "67a07c10a4c1f20b8d3e5a10"}, _links={"self": {"href": "x"}})
    stored["changeInfo"]["lastSynced"] = 1738570512345
    _write(tmp_path / "preview/a.json", stored)
    (found,) = open_source(tmp_path).documents("preview")
    assert found == document()


def test_document_without_revision_gets_one_of_its_content(tmp_path: Path) -> None:
    bare = {name: value for name, value in document().items() if name not in {"changeInfo", "_id"}}
    revisions = []
    for name in ("one", "one", "two"):
        _write(tmp_path / "preview/a.json", {**bare, "name": name})
        (found,) = open_source(tmp_path).documents("preview")
        assert found["_id"] == document()["_id"]
        revisions.append(found["changeInfo"]["revision"])
    assert revisions[0] == revisions[1] != revisions[2]
    assert 0 < revisions[0] < 2**31


def test_base_stands_at_the_beginning_of_a_text_only(tmp_path: Path) -> None:
    texts: dict[str, Any] = {
        "url": "{base}/x",
        "text": "write {base}/x",
        "nested": '{"url":"{base}/x"}',
        "name": "{base}",
    }
    _write(tmp_path / "preview/a.json", document(**texts))
    (found,) = open_source(tmp_path, base="https://c").documents("preview")
    assert [found[name] for name in texts] == ["https://c/x", "write {base}/x", '{"url":"https://c/x"}', "{base}"]
    (found,) = open_source(tmp_path).documents("preview")
    assert {name: found[name] for name in texts} == texts


def test_second_document_of_an_id_is_reported(tmp_path: Path) -> None:
    _write(tmp_path / "preview.ndjson", document(1, name="first"), document(1, name="second"))
    source = open_source(tmp_path)
    assert [each["name"] for each in source.documents("preview")] == ["first"]
    assert "second document" in source.skipped()[0].why


def test_languages_can_be_chosen(tmp_path: Path) -> None:
    _write(tmp_path / "preview.ndjson", document(), document(language="de_DE"), document(language="fr_FR"))
    assert _ids(open_source(tmp_path, languages=["EN", "fr_FR"])) == [f"{GID}-1.en_GB", f"{GID}-1.fr_FR"]


def test_larger_documents_than_the_limit_are_reported(tmp_path: Path) -> None:
    big = document(2, name="x" * 3000)
    _write(tmp_path / "preview.ndjson", document(1), big, document(3))
    _write(tmp_path / "preview/big.json", big)
    source = open_source(tmp_path, limits=SourceLimits(document_bytes=1000))
    assert _ids(source) == [f"{GID}-1.en_GB", f"{GID}-3.en_GB"]
    assert [each.what for each in source.skipped()] == ["preview/big.json", "preview.ndjson:2"]


def test_links_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    outside = _write(tmp_path / "outside.json", document(9))
    root = tmp_path / "source"
    _write(root / "preview/a.json", document(1))
    _write(root / "preview/.hidden.json", document(2))
    _write(root / ".git/x.json", document(3))
    (root / "preview/link.json").symlink_to(outside)
    (root / "preview/loop").symlink_to(root)
    source = open_source(root)
    assert _ids(source) == [f"{GID}-1.en_GB"]
    assert {each.what for each in source.skipped()} == {"preview/link.json", "preview/loop"}


def test_unreadable_names_do_not_stop_reading(tmp_path: Path) -> None:
    _write(tmp_path / "preview/a.json", document(1))
    (tmp_path / "preview/b.json").mkdir()
    assert _ids(open_source(tmp_path)) == [f"{GID}-1.en_GB"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"fsType": ["PageRef"]},
        {"fsType": {"a": 1}},
        {"locale": [1]},
        {"locale": {"language": 5, "country": [], "identifier": {}}},
        {"changeInfo": [1]},
        {"changeInfo": {"revision": {"$numberLong": "5"}}},
        {"fsType": "Media", "uid": ["a"], "fileName": {}, "resolutionsMetaData": {"ORIGINAL": {"url": 5}}},
        {"fsType": "Media", "resolutionsMetaData": {"ORIGINAL": {"extension": [1], "seoRoute": {}, "mimeType": 7}}},
        {"fsType": "Media", "mediaType": "FILE", "uid": 5, "fileMetaData": [1], "url": {}, "identifier": ["b"]},
        {"fsType": "Media", "mediaType": "FILE", "uid": "x" * 400, "languageDependent": "yes"},
    ],
)
def test_wrong_types_do_not_stop_reading(tmp_path: Path, wrong: dict[str, Any]) -> None:
    _write(tmp_path / "preview.ndjson", document(1) | wrong, document(2))
    _write(tmp_path / "media" / "index.json", {f"{GID}-1": {"file": ["a"], "path": 5}, "x": 5})
    source = open_source(tmp_path)
    list(source.media("preview"))
    assert document(2)["_id"] in _ids(source)


@pytest.mark.parametrize(
    ("name", "content", "broken"),
    [
        ("a.json", "{", True),
        ("a.json", '"\xe4"'.encode("latin-1"), True),
        ("a.json", json.dumps(document(3, text="x" * 9000)), True),
        ("a.ndjson", f"{json.dumps(document(3))}\n{{\n{json.dumps(document(4))}\n", True),
        ("a.json", json.dumps(document(3) | {"_id": 5}), True),
        ("a.json", json.dumps(document(3) | {"fsType": "Other"}), False),
        ("a.json", json.dumps(document(1)), False),
    ],
)
def test_content_that_cannot_be_read_is_told_apart(
    tmp_path: Path, name: str, content: str | bytes, *, broken: bool
) -> None:
    _write(tmp_path / "preview" / "0.json", document(1))
    (tmp_path / "preview" / name).write_bytes(content.encode() if isinstance(content, str) else content)
    source = open_source(tmp_path, limits=SourceLimits(document_bytes=8000))
    assert document(1)["_id"] in _ids(source)
    assert [broken] == [each.broken for each in source.skipped()]


def test_list_of_skipped_things_is_bounded(tmp_path: Path) -> None:
    _write(tmp_path / "preview.ndjson", *["{"] * 20, document())
    source = open_source(tmp_path, limits=SourceLimits(skipped=5))
    assert len(_ids(source)) == 1
    assert len(source.skipped()) == 6
    assert "15 more" in source.skipped()[-1].why


def test_one_document_is_in_memory_at_a_time(tmp_path: Path) -> None:
    with (tmp_path / "preview.ndjson").open("w") as file:
        for number in range(5000):
            file.write(json.dumps(document(number, name="x" * 5000)) + "\n")
    source = open_source(tmp_path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.documents("preview")) == 5000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000, "25 MB of documents"
