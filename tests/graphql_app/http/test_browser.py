import pytest

from tests.graphql_app.http.server import ADMIN, Server

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["{}/workshop", "{}___workshop", "{}/unknown", "nobody/nothing"])
async def test_browsers_get_graphiql_without_credentials(path: str, server: Server, database: str) -> None:
    response = await server.client.get(f"/graphql/{path.format(database)}", headers=HTML)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_the_page_looks_alike_everywhere(server: Server, database: str) -> None:
    pages = [await server.client.get(f"/graphql/{database}/{app}", headers=HTML) for app in ("workshop", "unknown")]

    assert pages[0].content == pages[1].content


async def test_a_page_that_is_known_is_not_sent_again(server: Server, database: str) -> None:
    path = f"/graphql/{database}/workshop"
    etag = (await server.client.get(path, headers=HTML)).headers["etag"]

    response = await server.client.get(path, headers=HTML | {"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0"])
async def test_programs_get_no_page(accept: str, server: Server, database: str) -> None:
    response = await server.client.get(f"/graphql/{database}/workshop", headers={"Accept": accept}, auth=ADMIN)

    assert response.status_code == 405


async def test_the_files_of_the_page_are_served(server: Server, database: str) -> None:
    page = (await server.client.get(f"/graphql/{database}/workshop", headers=HTML)).text
    name = page.split("/graphql/_graphiql/")[1].split('"')[0]

    response = await server.client.get(f"/graphql/_graphiql/{name}")

    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]


async def test_other_files_are_not_there(server: Server) -> None:
    for name in ("nothing.js", "..%2F..%2Fbundle.py", "manifest.json"):
        assert (await server.client.get(f"/graphql/_graphiql/{name}")).status_code in {401, 404}
