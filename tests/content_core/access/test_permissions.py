"""The table of permissions, row for row, and the details that the documents leave open."""

from typing import Any

import pytest

from content_core.access.permissions import Permission, allows_app, allows_path, path_text, read_permissions
from content_core.names import AppKey

ALL = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def permission(url: str, mode: str | None = None, methods: list[str] | None = ALL) -> Permission:
    entry: dict[str, Any] = {"url": url}
    if mode is not None:
        entry["permissionMode"] = mode
    if methods is not None:
        entry["methods"] = methods
    (read,) = read_permissions({"permissions": [entry]})
    return read


@pytest.mark.parametrize(
    ("url", "segments", "expected"),
    [
        # the detail rows: trailing slash
        ("/content/", ["content"], True),
        ("/content", ["content"], True),
        ("/content/", ["content", "d1"], True),
        # boundary: a literal prefix
        ("/content", ["content-archive"], True),
        ("/content/", ["content-archive"], False),
        # encoded slashes stay encoded
        ("/content/a/", ["content", "a/b"], False),
        ("/content/a%2Fb", ["content", "a/b"], True),
        ("/content/a", ["content/a"], False),
        # without a leading slash
        ("content", ["content"], False),
        ("", ["content"], False),
        # names are compared as they are
        ("/Content", ["content"], False),
        ("/my content/", ["my content"], True),
        # bulk
        ("/content/*", ["content", "*"], True),
        ("/", [], True),
        ("/content/", [], False),
    ],
)
def test_prefix_is_literal_on_decoded_segments(url: str, segments: list[str], expected: bool) -> None:
    assert expected is allows_path(permission(url), method="GET", path=path_text(segments))


@pytest.mark.parametrize(
    ("url", "segments", "expected"),
    [
        ("/content", ["content"], True),
        ("/content/", ["content"], True),
        ("/content/.*", ["content"], True),
        ("/content", ["content", "d1"], False),
        ("/[a-z]+\\.(preview|release)\\.content/.*", ["shop.preview.content", "d1"], True),
        ("/content/[^/]+", ["content", "a/b"], True),  # as %2F
        ("/content/a/b", ["content", "a/b"], False),
        (".*", [], True),
        ("/(", ["("], False),  # cannot be read: opens nothing
    ],
)
def test_regex_covers_the_whole_path(url: str, segments: list[str], expected: bool) -> None:
    assert expected is allows_path(permission(url, "REGEX"), method="GET", path=path_text(segments))


@pytest.mark.parametrize(
    ("methods", "method", "expected"),
    [
        (["GET"], "GET", True),
        (["GET"], "HEAD", True),
        (["HEAD"], "HEAD", True),
        (["HEAD"], "GET", False),
        (["GET"], "PUT", False),
        (["PUT"], "PATCH", False),
        ([], "GET", False),
    ],
)
def test_method_must_be_named(methods: list[str], method: str, expected: bool) -> None:
    for mode in ("PREFIX", "REGEX"):
        assert expected is allows_path(permission("/", mode, methods), method=method, path="/")


@pytest.mark.parametrize(
    ("url", "tenant", "expected"),
    [
        ("acme___shop", None, True),
        ("acme/shop", None, True),
        ("/acme/shop", None, True),
        ("acme/shop/", None, True),
        ("shop", None, False),
        ("acme/other", None, False),
        ("acme", None, False),
        ("acme/shop", "acme", True),
        ("acme___shop", "acme", True),
        ("shop", "acme", True),
        ("/shop/", "acme", True),
        ("other/shop", "acme", False),
        ("acme/shop", "other", False),
        ("shop", "other", False),
    ],
)
def test_graphql_names_the_application(url: str, tenant: str | None, expected: bool) -> None:
    entry = permission(url, "GRAPHQL", None)

    assert expected is allows_app(entry, method="POST", key=AppKey("acme", "shop"), tenant=tenant)


def test_graphql_opens_no_path() -> None:
    assert not allows_path(permission("/", "GRAPHQL"), method="POST", path="/")


@pytest.mark.parametrize(("methods", "expected"), [(None, True), (["POST"], True), (["GET", "PUT"], False)])
def test_graphql_needs_post_where_methods_are_named(methods: list[str] | None, expected: bool) -> None:
    entry = permission("acme/shop", "GRAPHQL", methods)

    assert expected is allows_app(entry, method="POST", key=AppKey("acme", "shop"), tenant=None)


@pytest.mark.parametrize(
    ("url", "mode", "tenant", "expected"),
    [
        ("/graphql/acme/shop", "PREFIX", None, True),
        ("/graphql/acme___shop/", "PREFIX", None, True),
        ("/graphql/", "PREFIX", None, True),
        ("/", "PREFIX", None, True),
        ("/acme/", "PREFIX", None, False),
        ("/graphql/acme/.*", "REGEX", None, True),
        ("/graphql/acme___.*", "REGEX", None, True),
        ("/graphql/other/.*", "REGEX", None, False),
        # entries of local keys that name paths never open GraphQL
        ("/", "PREFIX", "acme", False),
        ("/graphql/acme/shop", "PREFIX", "acme", False),
        (".*", "REGEX", "acme", False),
    ],
)
def test_paths_of_global_keys_open_applications(url: str, mode: str, tenant: str | None, expected: bool) -> None:
    entry = permission(url, mode)

    assert expected is allows_app(entry, method="POST", key=AppKey("acme", "shop"), tenant=tenant)


@pytest.mark.parametrize(
    "entries",
    [
        None,
        "x",
        [None],
        [{}],
        [{"url": 5, "methods": ["GET"]}],
        [{"url": "/"}],
        [{"url": "/", "methods": "GET"}],
        [{"url": "/", "permissionMode": "ALL", "methods": ["GET"]}],
        [{"url": "/", "permissionMode": ["PREFIX"], "methods": ["GET"]}],
        [{"url": "/", "methods": [1, None]}],
    ],
)
def test_what_is_no_entry_opens_nothing(entries: Any) -> None:
    read = read_permissions({"permissions": entries})

    assert not any(allows_path(entry, method="GET", path="/") for entry in read)
