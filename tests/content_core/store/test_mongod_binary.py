"""Which mongod is taken, and what is said where none can be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from content_core.errors import EmbeddedMongoError
from content_core.store import mongod_binary
from content_core.store.mongod_binary import find_mongod, parse_version

Program = Callable[[str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a shell script named mongod on the path, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(script: str) -> Path:
        path = tmp_path / "mongod"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def unpackaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod_binary, "_PACKAGE", "no-such-distribution")


def test_program_on_the_path_goes_before_the_package(program: Program) -> None:
    path = program("echo db version v7.0.12")

    found = find_mongod(None)

    assert (path, (7, 0, 12)) == (found.path, found.version)


def test_package_serves_where_the_path_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_mongod(None).path.parts[-4:] == ("fiftyone", "db", "bin", "mongod")


def test_package_serves_where_the_one_on_the_path_does_not_run(program: Program) -> None:
    program("exit 3")

    assert find_mongod(None).path.parts[-4:] == ("fiftyone", "db", "bin", "mongod")


def test_named_program_is_the_only_candidate(program: Program, tmp_path: Path) -> None:
    program("echo db version v7.0.12")

    with pytest.raises(EmbeddedMongoError, match=r"/nowhere/mongod \(OPENCAAS_MONGOD\): no such program$"):
        find_mongod("/nowhere/mongod")


def test_named_command_is_looked_up_on_the_path(program: Program) -> None:
    path = program("echo db version v6.0.0")

    assert path == find_mongod("mongod").path


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'mongod: error while loading shared libraries: libcurl.so.4' >&2; exit 127", "libcurl.so.4"),
        ("echo db version v4.4.29", "it is MongoDB 4.4.29, and 6.0 is the oldest that does"),
        ("exit 3", "--version ends with status 3"),
        ("echo hello", "hello"),
    ],
    ids=["library missing", "too old", "silent", "no version"],
)
@pytest.mark.usefixtures("unpackaged")
def test_program_that_does_not_do_is_named_with_the_reason(program: Program, script: str, reason: str) -> None:
    path = program(script)

    with pytest.raises(EmbeddedMongoError) as caught:
        find_mongod(None)
    assert f"{path} (PATH)" in caught.value.message
    assert reason in caught.value.message


def test_file_that_may_not_be_executed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mongod"
    path.touch(mode=0o644)

    with pytest.raises(EmbeddedMongoError, match="it may not be executed"):
        find_mongod(str(path))


def test_program_of_another_platform_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mongod"
    path.write_bytes(b"\xcf\xfa\xed\xfe not for Linux")
    path.chmod(0o755)

    with pytest.raises(EmbeddedMongoError, match="it does not run on this machine"):
        find_mongod(str(path))


@pytest.mark.usefixtures("unpackaged")
def test_without_any_program_the_remedies_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EmbeddedMongoError, match="there is none on the PATH") as caught:
        find_mongod(None)
    for remedy in ("OPENCAAS_MONGODB_URI", "OPENCAAS_MONGOD", "opencaas[embedded]"):
        assert remedy in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "version"), [("db version v6.0.5\nBuild Info", (6, 0, 5)), ("v10.11.12-rc1", (10, 11, 12)), ("none", None)]
)
def test_version_is_read_from_text(text: str, version: tuple[int, int, int] | None) -> None:
    assert version == parse_version(text)
