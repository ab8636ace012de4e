"""Who is asking, may they do this, and how soon a deleted key is dead; on a real MongoDB with real change feeds."""

import base64
from collections.abc import AsyncIterator, Callable

import pytest

from content_core.access import ADMIN, AccessControl, Credentials, Principal
from content_core.access.principals import key_principal
from content_core.errors import ForbiddenError, UnauthenticatedError
from content_core.names import ADMIN_DATABASE, APIKEYS, AppKey
from content_core.store import ChangeFeed, Store
from tests.content_core.access.keys import READ, entry, key_document, store_global_key, store_key
from tests.patience import until

USER, PASSWORD = "admin", "correct horse"


@pytest.fixture
def access(store: Store, feed: ChangeFeed) -> AccessControl:
    return AccessControl(store, feed, admin_user=USER, admin_password=PASSWORD)


@pytest.fixture
async def other_server(store: Store) -> AsyncIterator[AccessControl]:
    """The access control of another server: with a feed of its own."""
    own = ChangeFeed(store)
    await own.start()
    yield AccessControl(store, own, admin_user=USER, admin_password=PASSWORD)
    await own.stop()


def bearer(key: str) -> Credentials:
    return Credentials(authorization=f"Bearer {key}")


def basic(user: str, password: str) -> Credentials:
    return Credentials(authorization="Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


async def is_known(access: AccessControl, key: str, tenant: str | None) -> bool:
    try:
        await access.authenticate(bearer(key), tenant=tenant)
    except UnauthenticatedError:
        return False
    return True


async def seconds_until_unknown(access: AccessControl, key: str, tenant: str) -> float:
    async def unknown() -> bool:
        return not await is_known(access, key, tenant)

    return await until(unknown)


async def seconds_until(access: AccessControl, key: str, tenant: str, arrived: Callable[[Principal], bool]) -> float:
    async def there() -> bool:
        return arrived(await access.authenticate(bearer(key), tenant=tenant))

    return await until(there)


async def test_admin_is_known_by_user_and_password(access: AccessControl) -> None:
    assert await access.authenticate(basic(USER, PASSWORD), tenant=None) == ADMIN


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), ("other", PASSWORD), (USER, ""), ("", ""), (USER, PASSWORD + "x"), ("ädmin", PASSWORD)],
)
async def test_wrong_password_is_refused(access: AccessControl, user: str, password: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await access.authenticate(basic(user, password), tenant=None)


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("admin", "")])
async def test_admin_without_name_or_password_cannot_be(
    store: Store, feed: ChangeFeed, user: str, password: str
) -> None:
    with pytest.raises(ValueError, match="name and a password"):
        AccessControl(store, feed, admin_user=user, admin_password=password)


@pytest.mark.parametrize("form", ["Bearer {}", 'apikey="{}"', "apikey={}", "BEARER {}", 'APIKEY = "{}"'])
async def test_both_header_forms_know_local_and_global_keys(
    store: Store, database: str, access: AccessControl, form: str
) -> None:
    local, everywhere = await store_key(store, database), await store_global_key(store)

    found = [
        await access.authenticate(Credentials(authorization=form.format(key)), tenant=database)
        for key in (local, everywhere)
    ]

    assert [database, None] == [principal.tenant for principal in found]


async def test_local_key_comes_before_the_global_one(store: Store, database: str, access: AccessControl) -> None:
    key = await store_global_key(store, entry("/"))
    await store_key(store, database, entry("/local/"), key=key)

    principal = await access.authenticate(bearer(key), tenant=database)

    assert (database, ["/local/"]) == (principal.tenant, [permission.url for permission in principal.permissions])


@pytest.mark.parametrize(
    "tenant", [None, "other", "admin", "local", "_logic", "graphql", "", "a b", "a.b", "a$b", "a\0b", "x" * 70, "a/b"]
)
async def test_local_key_is_unknown_elsewhere(
    store: Store, database: str, access: AccessControl, tenant: str | None
) -> None:
    assert not await is_known(access, await store_key(store, database, entry("/")), tenant)


async def test_key_of_caas_admin_is_global_under_its_own_path(store: Store, access: AccessControl) -> None:
    key = await store_global_key(store, entry("/"))

    assert (await access.authenticate(bearer(key), tenant=ADMIN_DATABASE)).tenant is None


async def test_document_whose_key_is_not_its_id_is_no_key(store: Store, database: str, access: AccessControl) -> None:
    document = {**key_document(entry("/")), "key": "another"}
    await store.replace(database, APIKEYS, document)

    assert not await is_known(access, document["_id"], database)
    assert not await is_known(access, "another", database)


RIGHT, WRONG = "right", "wrong"


@pytest.mark.parametrize(
    ("token", "header", "cookie", "known"),
    [
        (None, RIGHT, None, True),
        (None, RIGHT, WRONG, True),
        (None, WRONG, None, False),
        (WRONG, RIGHT, None, False),
        ("", RIGHT, None, False),
        (None, WRONG, WRONG, False),
        (None, None, WRONG, False),
        (None, "", WRONG, False),
        (WRONG, None, None, False),
        (None, None, None, False),
    ],
)
async def test_only_the_first_way_counts(
    store: Store, database: str, access: AccessControl, token: str | None, header: str | None, cookie: str | None,
    known: bool,
) -> None:  # fmt: skip
    key = await store_key(store, database)
    authorization = f"Bearer {key if header == RIGHT else header}" if header else header
    shown = Credentials(security_token=token, authorization=authorization, cookie=cookie)

    if known:
        assert database == (await access.authenticate(shown, tenant=database)).tenant
        return
    with pytest.raises(UnauthenticatedError):
        await access.authenticate(shown, tenant=database)


async def test_deleted_key_is_dead_on_every_server_within_a_second(
    store: Store, database: str, access: AccessControl, other_server: AccessControl
) -> None:
    key = await store_key(store, database, entry("/"))
    assert await is_known(access, key, database)
    assert await is_known(other_server, key, database)

    await store.delete(database, APIKEYS, key)

    assert await seconds_until_unknown(other_server, key, database) < 1
    assert await seconds_until_unknown(access, key, database) < 1


async def test_narrowed_key_is_narrow_within_a_second(store: Store, database: str, other_server: AccessControl) -> None:
    key = await store_key(store, database, entry("/"))
    await other_server.authenticate(bearer(key), tenant=database)

    await store_key(store, database, entry("/a/"), key=key)

    assert await seconds_until(other_server, key, database, lambda who: who.permissions[0].url == "/a/") < 1


async def test_dropped_database_takes_its_keys_along(store: Store, database: str, other_server: AccessControl) -> None:
    key = await store_key(store, database, entry("/"))
    assert await is_known(other_server, key, database)

    await store.drop_database(database)

    assert await seconds_until_unknown(other_server, key, database) < 1


async def test_new_local_key_takes_over_from_the_global_one(
    store: Store, database: str, other_server: AccessControl
) -> None:
    key = await store_global_key(store, entry("/"))
    assert (await other_server.authenticate(bearer(key), tenant=database)).tenant is None

    await store_key(store, database, key=key)

    assert await seconds_until(other_server, key, database, lambda who: who.tenant == database) < 1


async def test_unknown_key_is_known_as_soon_as_it_is_stored(store: Store, database: str, access: AccessControl) -> None:
    key = str(key_document()["_id"])
    assert not await is_known(access, key, database)

    await store_key(store, database, key=key)

    assert await is_known(access, key, database)


async def test_nothing_is_remembered_while_the_feed_is_down(store: Store, database: str, feed: ChangeFeed) -> None:
    access = AccessControl(store, feed, admin_user=USER, admin_password=PASSWORD)
    key = await store_key(store, database)
    assert await is_known(access, key, database)
    await feed.stop()

    await store.delete(database, APIKEYS, key)

    assert not await is_known(access, key, database)


async def test_forgotten_key_is_looked_up_again(store: Store, database: str, access: AccessControl) -> None:
    key = await store_key(store, database)
    assert await is_known(access, key, database)
    await store.delete(database, APIKEYS, key)

    access.forget(key)

    assert not await is_known(access, key, database)


def principal(*permissions: dict[str, object], tenant: str | None = None) -> Principal:
    return key_principal(key_document(*permissions), tenant=tenant)


def may(access: AccessControl, who: Principal, method: str, *segments: str) -> bool:
    try:
        access.authorize_path(who, method=method, segments=segments)
    except ForbiddenError:
        return False
    return True


def may_query(access: AccessControl, who: Principal, app: str) -> bool:
    try:
        access.authorize_app(who, key=AppKey.parse(app))
    except ForbiddenError:
        return False
    return True


PATHS: dict[str, tuple[str, ...]] = {
    "/": (),
    "/project/": ("project",),
    "/project/content/": ("project", "content"),
    "/other-project/": ("other-project",),
    "/other-project/content/": ("other-project", "content"),
}


@pytest.mark.parametrize(
    ("url", "tenant", "answers"),
    [
        ("/", None, "yes yes yes yes yes"),
        ("/project/", None, "no yes yes no no"),
        ("/", "project", "no yes yes no no"),
        ("/content/", "project", "no no yes no no"),
    ],
)
def test_table_of_the_documents(access: AccessControl, url: str, tenant: str | None, answers: str) -> None:
    who = principal(entry(url, "GET"), tenant=tenant)

    given = ["yes" if may(access, who, "GET", *segments) else "no" for segments in PATHS.values()]

    assert answers == " ".join(given)


def test_one_of_several_entries_is_enough(access: AccessControl) -> None:
    who = principal(entry("/a/", "GET"), entry("/b/", "PUT"))

    assert [
        may(access, who, "GET", "a"),
        may(access, who, "PUT", "a"),
        may(access, who, "GET", "b"),
        may(access, who, "PUT", "b"),
    ] == [True, False, False, True]


def test_options_is_never_checked(access: AccessControl) -> None:
    assert may(access, principal(), "OPTIONS", "acme")


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_segments_that_move_about_are_covered_by_nothing(access: AccessControl, segment: str) -> None:
    assert not may(access, principal(entry("/")), "GET", "acme", segment)


@pytest.mark.parametrize(
    ("methods", "method", "expected"),
    [
        (READ, "GET", False),
        (["GET", "PUT"], "GET", True),
        (["GET", "POST"], "GET", True),
        (["GET", "PATCH"], "GET", True),
        (["GET", "DELETE"], "GET", False),
        (["PUT"], "GET", False),
        (["PUT"], "PUT", True),
        (["DELETE"], "DELETE", False),
        (["DELETE", "PUT"], "DELETE", True),
    ],
)
@pytest.mark.parametrize("below", [(), ("k1",), ("*",), ("_size",), ("_aggrs", "x")])
def test_keys_are_read_by_those_who_may_write_them(
    access: AccessControl, methods: list[str], method: str, expected: bool, below: tuple[str, ...]
) -> None:
    everywhere, local = principal(entry("/", *methods)), principal(entry("/", *methods), tenant="acme")

    for who in (everywhere, local):
        assert expected is may(access, who, method, "acme", APIKEYS, *below)


def test_admin_may_do_everything(access: AccessControl) -> None:
    assert may(access, ADMIN, "DELETE", "acme", APIKEYS, "k")
    assert may_query(access, ADMIN, "acme/shop")
    assert access.may_read_collection(ADMIN, "acme", APIKEYS)


def test_collections_are_read_with_get(access: AccessControl) -> None:
    who = principal(entry("/content/", "GET"), entry("/apikeys/", "GET"), tenant="acme")

    assert [
        access.may_read_collection(who, "acme", "content"),
        access.may_read_collection(who, "acme", "other"),
        access.may_read_collection(who, "other", "content"),
        access.may_read_collection(who, "acme", APIKEYS),
    ] == [True, False, False, False]


@pytest.mark.parametrize(
    ("permission", "tenant", "expected"),
    [
        (entry("acme/shop", "POST", mode="GRAPHQL"), None, True),
        (entry("acme/shop", "POST", mode="GRAPHQL"), "acme", True),
        (entry("shop", "POST", mode="GRAPHQL"), "acme", True),
        (entry("acme/shop", "POST", mode="GRAPHQL"), "other", False),
        (entry("/graphql/"), None, True),
        (entry("/"), "acme", False),
    ],
)
def test_applications_are_opened_as_ruled(
    access: AccessControl, permission: dict[str, object], tenant: str | None, expected: bool
) -> None:
    who = principal(permission, tenant=tenant)

    assert [expected, False] == [may_query(access, who, "acme___shop"), may_query(access, principal(), "acme/shop")]
    if permission.get("permissionMode") == "GRAPHQL":
        assert not may(access, who, "POST", "acme", "shop")


def test_key_id_is_not_the_key() -> None:
    document = key_document()
    who = key_principal(document, tenant=None)

    assert len(who.key_id) >= 8
    assert document["_id"] not in repr(who)


@pytest.mark.parametrize("websocket", [True, False])
async def test_websocket_with_a_cookie_alone_needs_a_trusted_origin(
    store: Store, database: str, feed: ChangeFeed, websocket: bool
) -> None:
    access = AccessControl(
        store, feed, admin_user=USER, admin_password=PASSWORD, allowed_origins=("https://shop.example",)
    )
    key = await store_key(store, database, entry("/"), entry("shop", "POST", mode="GRAPHQL"))
    token, _ = await access.issue_token(bearer(key), tenant=database, ttl=None)

    for origin, trusted in (("https://evil.example", False), (None, False), ("https://shop.example", True)):
        shown = Credentials(cookie=token, origin=origin, host="caas.example")
        who = await access.authenticate(shown, tenant=database)
        segments = (database, "notes", "_streams", "crud")
        if trusted or not websocket:
            access.authorize_path(who, method="GET", segments=segments, websocket=websocket)
            continue
        with pytest.raises(ForbiddenError):
            access.authorize_path(who, method="GET", segments=segments, websocket=websocket)
        with pytest.raises(ForbiddenError):
            access.authorize_app(who, key=AppKey(database, "shop"), websocket=websocket)


async def test_token_reads_collections_of_its_database_only(store: Store, database: str, access: AccessControl) -> None:
    key = await store_global_key(store, entry("/"))
    token, _ = await access.issue_token(bearer(key), tenant=database, ttl="60")
    who = await access.authenticate(Credentials(security_token=token), tenant=database)

    assert [True, False] == [access.may_read_collection(who, name, "notes") for name in (database, "other")]
    assert may_query(access, who, f"{database}/shop")
    assert not may_query(access, who, "other/shop")
    assert token not in repr(Credentials(security_token=token, cookie=token))
