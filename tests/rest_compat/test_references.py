"""resolveRef over HTTP: what counts as a reference, levels, limits, and that nobody reads what they may not."""

from typing import Any

import httpx
import pytest

from content_core.store import Store
from rest_compat import RestSettings
from rest_compat.references import parse_reference
from tests.content_core.access.keys import entry, store_key
from tests.rest_compat.test_app import bearer

HERE = "http://caas.example"
PUBLIC = "https://content.example"


@pytest.fixture
def settings() -> RestSettings:
    return RestSettings(public_url=PUBLIC, public_urls=("https://other.example/",))


@pytest.fixture
async def site(store: Store, tenant: str) -> str:
    """The address of documents that refer to each other in a chain, with some that lead nowhere."""
    base = f"{HERE}/{tenant}/c"
    for number in range(6):
        url = f"{base}/{number + 1}.en"
        data = {"url": url, "many": [{"url": url}, {"url": f"{base}/0.en"}, 5, {"url": 7}], "deep": [[{"url": url}]]}
        await store.insert(tenant, "c", {"_id": f"{number}.en", "data": data})
    strange = [
        f"{PUBLIC}/{tenant}/c/1.en", f"https://other.example/{tenant}/c/1.en", f"{base}/1.en/", f"{base}/%31.en",
        "http://foreign.example/x/c/1.en", f"/{tenant}/c/1.en", "relative", "", f"{base}", f"{HERE}/{tenant}",
        f"{base}/none", f"{base}/1.en/x", f"{HERE}/{tenant}/apikeys/x", f"{HERE}/{tenant}/_properties/x",
        f"{HERE}x/{tenant}/c/1.en", f"{base}//1.en", f"{base}/../c/1.en", f"{base}/%ff", f"{base}/1.en?x=1",
        f"{base}/1\0.en", "http://[", f"{HERE}/admin/c/1", f"{base}/1.en#x",
    ]  # fmt: skip
    await store.insert(tenant, "c", {"_id": "strange", "urls": strange})
    return f"/{tenant}/c"


def keys(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [url.rsplit("/", 1)[1] for url in response.json()["_resolvedRefs"]]


async def test_resolve_ref_of_document(admin: httpx.AsyncClient, site: str) -> None:
    response = await admin.get(f"{site}/0.en?resolveRef=data.url")

    body = response.json()
    assert list(body) == ["_id", "data", "_resolvedRefs"]
    url = f"{HERE}{site}/1.en"
    assert body["_resolvedRefs"] == {url: (await admin.get(f"{site}/1.en")).json()}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["data.url"], ["1.en"]),
        (["data.many[*].url"], ["1.en", "0.en"]),
        (["data.many[1].url"], ["0.en"]),
        (["data.many[9].url"], []),
        (["data.deep[*][*].url"], ["1.en"]),
        (["data.deep[0][0].url"], ["1.en"]),
        (["data.url", "$1.data.url"], ["1.en", "2.en"]),
        (["data.url", "$1.data.url", "$2.data.url", "$3.data.url", "$4.data.url"], ["1.en", "2.en", "3.en", "4.en"]),
        (["$1.data.url"], []),
        (["data.url", "$2.data.url"], ["1.en"]),
        (["data"], []),
        (["none.url"], []),
        (["data.url.x"], []),
        (["data[*].url"], []),
        ([""], []),
        (["..", "a[", "a[x]", "[0]", "$x.data.url", "$0.data.url", "$99.data.url", "$1.", "a[-1]"], []),
        (["data.url"] * 3, ["1.en"]),
    ],
)
async def test_resolve_ref_paths(admin: httpx.AsyncClient, site: str, paths: list[str], expected: list[str]) -> None:
    assert expected == keys(await admin.get(f"{site}/0.en", params={"resolveRef": paths}))


async def test_resolve_ref_of_list_adds_an_element(admin: httpx.AsyncClient, site: str) -> None:
    query = {"filter": "{_id: {$in: ['0.en', '5.en']}}", "resolveRef": "data.url", "keys": "{data: 1}"}
    response = await admin.get(site, params=query)
    body = response.json()
    elements = body["_embedded"]["rh:doc"]

    assert body["_returned"] == 2
    assert [element["_id"] for element in elements] == ["5.en", "0.en", "_resolvedRefs"]
    assert list(elements[2]["_resolvedRefs"]) == [f"{HERE}{site}/1.en"]
    plain = (await admin.get(site, params={**query, "rep": "pj"})).json()
    assert plain == elements

    nothing = (await admin.get(site, params={"filter": "{_id: 'none'}", "resolveRef": "x"})).json()
    assert nothing == {"_returned": 0, "_embedded": {"rh:doc": [{"_id": "_resolvedRefs", "_resolvedRefs": {}}]}}


async def test_only_own_addresses_are_resolved(admin: httpx.AsyncClient, site: str) -> None:
    body = (await admin.get(f"{site}/strange?resolveRef=urls[*]")).json()

    assert list(body["_resolvedRefs"]) == [
        f"{PUBLIC}{site}/1.en", f"https://other.example{site}/1.en", f"{HERE}{site}/1.en/", f"{HERE}{site}/%31.en",
    ]  # fmt: skip
    assert {document["_id"] for document in body["_resolvedRefs"].values()} == {"1.en"}


async def test_targets_need_the_right_to_read_them(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, site: str
) -> None:
    await store.insert(tenant, "secret", {"_id": "x"})
    await store.insert("caas_other", "c", {"_id": "x"})
    urls = [f"{HERE}/{tenant}/secret/x", f"{HERE}/caas_other/c/x", f"{HERE}/{tenant}/c/1.en"]
    await store.insert(tenant, "c", {"_id": "mixed", "urls": urls})
    narrow = bearer(await store_key(store, tenant, entry("/c/", "GET")))
    wide = bearer(await store_key(store, tenant, entry("/", "GET")))

    path = f"{site}/mixed?resolveRef=urls[*]"
    assert list((await anonymous.get(path, headers=narrow)).json()["_resolvedRefs"]) == urls[2:]
    assert list((await anonymous.get(path, headers=wide)).json()["_resolvedRefs"]) == [urls[0], urls[2]]
    await store.drop_database("caas_other")


async def test_at_most_100_references_are_resolved(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    for number in range(120):
        await store.insert(tenant, "n", {"_id": f"d{number}"})
    urls = [f"{HERE}/{tenant}/n/d{number}" for number in range(120)]
    await store.insert(tenant, "n", {"_id": "all", "urls": urls})

    assert urls[:100] == list((await admin.get(f"/{tenant}/n/all?resolveRef=urls[*]")).json()["_resolvedRefs"])


class TestSwitchedOff:
    @pytest.fixture
    def settings(self) -> RestSettings:
        return RestSettings(resolve_refs=False)

    async def test_parameter_is_ignored(self, admin: httpx.AsyncClient, site: str) -> None:
        assert "_resolvedRefs" not in (await admin.get(f"{site}/0.en?resolveRef=data.url")).json()


@pytest.mark.parametrize(("text", "known"), [
    ("a", True), ("a-b c.d", True), ("$3.a", True), ("$4.a", False), ("a]", True), ("a[*]x", False), ("a" * 9000, True),
])  # fmt: skip
def test_grammar(text: str, known: Any) -> None:
    assert known is (parse_reference(text, max_depth=3) is not None)
