"""Secrets and lists of members, read from files."""

from pathlib import Path

import pytest

from content_core.errors import ReplicaSetError
from content_core.store.replica_set_access import Login, read_credentials
from content_core.store.replica_set_keeper import read_members
from content_core.store.replica_set_member import Mongod, UnreachableError
from tests.content_core.store.members import SECRETS


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name, text in {**SECRETS, "clusterKey": "abcd\nefgh\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_secrets_are_read(secrets: Path) -> None:
    (secrets / "mongoPassword").write_text("line\n", encoding="utf-8")

    found = read_credentials(secrets)

    assert found.root == Login("root", "rootsecret1")
    assert found.app == Login("caas", "line")
    assert found.exporter == Login("exporter", "exportersecret1")
    assert found.member == {"username": "__system", "password": "abcdefgh", "authSource": "local"}


def test_secrets_are_not_shown(secrets: Path) -> None:
    found = read_credentials(secrets)

    assert not [text for text in ("secret1", "abcd", "efgh") if text in repr(found)]


def test_all_missing_secrets_are_named(secrets: Path) -> None:
    (secrets / "mongoUser").unlink()
    (secrets / "clusterKey").write_text(" \n", encoding="utf-8")
    (secrets / "mongoPassword").write_bytes(b"\xff")

    with pytest.raises(ReplicaSetError, match=r"mongoUser, mongoPassword, clusterKey$"):
        read_credentials(secrets)


def test_users_have_different_names(secrets: Path) -> None:
    (secrets / "mongoUser").write_text("root", encoding="utf-8")

    with pytest.raises(ReplicaSetError, match="different user names: root, root, exporter"):
        read_credentials(secrets)


def test_members_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "members"
    path.write_text("# three of them\nb:1\n\n a:1 \n", encoding="utf-8")

    assert read_members(path) == ("b:1", "a:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nobody\n", "is empty"),
        ("a:1\nb:1\na:1\n", "names one of them twice"),
        ("".join(f"h{number}:1\n" for number in range(8)), "lists 8 members; a replica set has at most 7 that vote"),
    ],
    ids=["empty", "twice", "too many"],
)
def test_wrong_list_of_members_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "members"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ReplicaSetError, match=message):
        read_members(path)


def test_absent_list_of_members_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplicaSetError, match="cannot be read"):
        read_members(tmp_path / "members")


@pytest.mark.parametrize("address", ["", "host:port", "host:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ReplicaSetError, match="is no address of a member"):
        Mongod(address, 1).hello()


def test_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match=r"nowhere\.invalid:27017 does not answer"):
        Mongod("nowhere.invalid:27017", 1).hello()
