import pytest

from content_core.store import ChangeFeed, Store
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.http.server import Server, serve


@pytest.mark.parametrize("path", ["/graphql/{}/workshop", "/graphql/{}/unknown", "/graphql", "/graphql/_graphiql/x.js"])
async def test_preflights_are_answered_for_any_path(path: str, server: Server, database: str) -> None:
    response = await server.client.options(path.format(database), headers={"Origin": "https://shop.example"})

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == (
        "Authorization, Content-Type, X-Requested-With, No-Auth-Challenge"
    )
    assert response.headers["access-control-allow-origin"] == "*"


async def test_answers_are_open_to_every_origin_without_its_credentials(server: Server, database: str) -> None:
    response = await server.client.post(f"/graphql/{database}/workshop", headers={"Origin": "https://shop.example"})

    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    assert "vary" not in response.headers
    assert response.headers["access-control-expose-headers"] == ""


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://shop.example", ("https://shop.example", "true")),
        ("https://evil.example", ("*", None)),
        ("https://SHOP.example", ("*", None)),
        ("null", ("*", None)),
    ],
)
async def test_credentials_can_be_kept_to_some_origins(
    origin: str, expected: tuple[str, str | None], store: Store, feed: ChangeFeed
) -> None:
    async with serve(store, feed, GraphQLSettings(allowed_origins=("https://shop.example",))) as server:
        response = await server.client.post("/graphql/a/b", headers={"Origin": origin})

    allowed = response.headers["access-control-allow-origin"], response.headers.get("access-control-allow-credentials")
    assert allowed == expected
    assert response.headers["vary"] == "Origin"


async def test_page_still_varies_by_what_it_accepts(store: Store, feed: ChangeFeed) -> None:
    async with serve(store, feed, GraphQLSettings(allowed_origins=("https://shop.example",))) as server:
        response = await server.client.get("/graphql/a/b", headers={"Accept": "text/html"})

    assert {part.strip() for part in response.headers["vary"].split(",")} == {"Accept", "Origin"}
