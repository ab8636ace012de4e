"""GraphiQL as a visitor meets it: the page in Chromium against a running service."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from .browser import (
    OpenPage,
    enter_key,
    expect_state,
    open_browser,
    open_page,
    result,
    result_text,
    run_query,
    show_pane,
)
from .service import FORBIDDEN_KEY, KEY, Service, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "query Shop($limit: Int) {\n  pages(limit: $limit) {\n    title\n  }\n}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def service() -> AsyncIterator[Service]:
    async with serve() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def opened(service: Service, browser: Browser) -> AsyncIterator[OpenPage]:
    async with open_page(f"{service.url}/graphql/demo/shop", browser=browser) as page:
        yield page


async def editor_text(opened: OpenPage) -> str:
    text: str = await opened.page.evaluate(
        "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.getValue()"
    )
    return text


async def until_remembered(opened: OpenPage, text: str) -> None:
    """Wait until GraphiQL has stored what was typed: it does so half a second late."""
    await opened.page.wait_for_function("(text) => JSON.stringify({...localStorage}).includes(text)", arg=text)


async def stored(opened: OpenPage, storage: str) -> str:
    text: str = await opened.page.evaluate(f"JSON.stringify({{...{storage}}})")
    return text


async def notice(opened: OpenPage) -> str:
    return await opened.page.locator(".oc-notice").inner_text()


async def test_page_without_key_explains_and_asks_nothing(service: Service, opened: OpenPage) -> None:
    await expect_state(opened, "keyless")
    assert "Enter an API key to begin." in await notice(opened)
    assert await opened.page.get_by_label("API key").get_attribute("type") == "password"
    assert await result_text(opened) == ""
    await run_query(opened, "{ __typename }")
    assert "Enter an API key to begin." in await result_text(opened)
    assert service.operations == []


async def test_key_loads_the_schema_and_queries_give_data(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, SHOP, variables={"limit": 2})
    assert await result(opened) == {"data": {"pages": [{"title": "Page 1"}, {"title": "Page 2"}]}}
    assert service.operations == ["IntrospectionQuery", "Shop"]
    assert await opened.page.locator(".oc-notice").count() == 0


async def test_whole_visit_stays_on_the_host_without_a_complaint(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, "{ pages { title teaser { ... on Picture { address } } } }")
    # A picture's address in the answer: hovering must not fetch it.
    await opened.page.locator(".result-window .cm-string", has_text="picture.png").first.hover()
    await opened.page.wait_for_timeout(1000)
    await show_pane(opened, "Explorer")
    await show_pane(opened, "History")
    await show_pane(opened, "Documentation Explorer")
    await opened.page.locator(".graphiql-plugin").get_by_text("Page", exact=True).click()
    await opened.page.get_by_role("button", name="Open settings dialog").click()
    await opened.page.keyboard.press("Escape")
    await opened.page.wait_for_timeout(800)
    assert opened.foreign_requests == []
    assert opened.problems == []
    assert {url.removeprefix(service.url).rsplit("/", 1)[0] for url in opened.requests} == {
        "/graphql/demo",
        "/graphql/_graphiql",
    }


async def test_policy_keeps_scripts_from_other_hosts(service: Service, opened: OpenPage) -> None:
    elsewhere = service.url.replace("127.0.0.1", "localhost")
    outcome = await opened.page.evaluate("(url) => fetch(url).then(() => 'reached', () => 'kept')", elsewhere)
    assert outcome == "kept"
    assert any("Content Security Policy" in problem for problem in opened.problems)


async def test_documentation_shows_types_and_descriptions(opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    assert "Root Types" in await show_pane(opened, "Documentation Explorer")
    await opened.page.locator(".graphiql-plugin").get_by_text("Page", exact=True).click()
    await expect(opened.page.locator(".graphiql-plugin")).to_contain_text("A page that visitors see.")


async def test_explorer_builds_a_query_by_ticking(opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, "query Ticked { wide }")
    await show_pane(opened, "Explorer")
    pane = opened.page.locator(".graphiql-explorer-root")
    await pane.get_by_text("pages", exact=True).click()
    await pane.get_by_text("title", exact=True).click()
    await pane.get_by_text("teaser", exact=True).click()
    await pane.get_by_text("Quote", exact=True).click()
    await pane.get_by_text("words", exact=True).click()
    text = "".join((await editor_text(opened)).split())
    assert "queryTicked{wide" in text
    assert "...onQuote{" in text
    await opened.page.locator(".graphiql-execute-button").click()
    await expect(opened.page.locator(".result-window")).to_contain_text("Page 3")


async def test_example_query_fits_the_schema_and_runs(opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await expect(opened.page.locator(".graphiql-query-editor")).to_contain_text("pages(limit: 5)")
    await run_query(opened, await editor_text(opened))
    assert (await result(opened))["data"]["pages"][0] == {
        "__typename": "Page",
        "id": "1",
        "title": "Page 1",
        "views": 10,
    }


async def test_own_query_survives_entering_a_key(opened: OpenPage) -> None:
    await run_query(opened, "query Mine { wide }")
    await enter_key(opened, KEY)
    await opened.page.wait_for_timeout(300)
    assert await editor_text(opened) == "query Mine { wide }"


async def test_integers_keep_all_their_digits(opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, "{ wide }")
    assert await result(opened) == {"data": {"wide": 9_007_199_254_740_993}}


async def test_key_is_kept_in_the_session_only(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, SHOP)
    await show_pane(opened, "History")
    await until_remembered(opened, "query Shop")
    assert KEY in await stored(opened, "sessionStorage")
    local = await stored(opened, "localStorage")
    assert "query Shop" in local
    assert KEY not in local
    assert KEY not in opened.page.url
    assert not any(KEY in url for url in opened.requests)
    assert await opened.page.context.cookies() == []
    assert await opened.page.evaluate("indexedDB.databases().then((all) => all.length)") == 0


async def test_key_outlives_a_reload_but_not_the_tab(service: Service, browser: Browser, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await opened.page.reload()
    await expect_state(opened, "ready")
    other = await opened.page.context.new_page()
    await other.goto(opened.url)
    await expect(other.locator(".oc-chip")).to_have_attribute("data-state", "keyless")
    async with open_page(opened.url, browser=browser) as fresh:
        await expect_state(fresh, "keyless")
        assert KEY not in await stored(fresh, "sessionStorage")


async def test_key_is_not_sent_to_another_application(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await opened.page.goto(f"{service.url}/graphql/demo/blog")
    await expect_state(opened, "keyless")
    assert service.operations == ["IntrospectionQuery"]


async def test_queries_are_remembered_per_application(service: Service, opened: OpenPage) -> None:
    await run_query(opened, "query Remembered { wide }")
    await until_remembered(opened, "query Remembered")
    await opened.page.goto(f"{service.url}/graphql/demo/blog")
    await expect(opened.page.locator(".graphiql-query-editor")).to_contain_text("query Start")
    await opened.page.goto(opened.url)
    await expect(opened.page.locator(".graphiql-query-editor")).to_contain_text("query Remembered")


async def test_cookies_are_not_sent_with_queries(service: Service, opened: OpenPage) -> None:
    await opened.page.context.add_cookies([{"name": "securetoken", "value": "somebody", "url": service.url}])
    await enter_key(opened, KEY)
    assert service.cookies == []


async def test_forgotten_key_is_gone_and_no_longer_sent(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await opened.page.get_by_role("button", name="Forget").click()
    await expect_state(opened, "keyless")
    assert KEY not in await stored(opened, "sessionStorage")
    assert await opened.page.get_by_label("API key").input_value() == ""
    await run_query(opened, SHOP)
    assert "Enter an API key" in await result_text(opened)
    assert service.operations == ["IntrospectionQuery"]


async def test_refused_key_is_said_once_and_can_be_changed(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, "mistyped", state="refused")
    assert "The server does not accept this API key." in await notice(opened)
    await opened.page.wait_for_timeout(300)
    assert service.operations == ["IntrospectionQuery"]
    await enter_key(opened, KEY)
    assert await result_text(opened) == ""
    await run_query(opened, SHOP, variables={"limit": 1})
    assert await result(opened) == {"data": {"pages": [{"title": "Page 1"}]}}


async def test_key_that_dies_during_the_visit_is_noticed(service: Service, opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    service.keys.clear()
    await run_query(opened, SHOP)
    await expect_state(opened, "refused")
    answer = await result(opened)
    assert "does not accept this API key" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"] == {"status": 401}


@pytest.mark.parametrize(
    ("app", "key", "state", "words"),
    [
        ("shop", FORBIDDEN_KEY, "forbidden", "may not query this application"),
        ("nothing", KEY, "missing", "no application at this address"),
        ("closed", KEY, "undisclosed", "does not tell its schema"),
        ("proxied", KEY, "failing", "502 Bad Gateway"),
        ("shop", "two words", "unreadable", "This is not an API key."),
        ("shop", "schlüssel", "unreadable", "This is not an API key."),
    ],
)
async def test_trouble_is_told_in_plain_words(
    service: Service, browser: Browser, app: str, key: str, state: str, words: str
) -> None:
    async with open_page(f"{service.url}/graphql/demo/{app}", browser=browser) as opened:
        await enter_key(opened, key, state=state)
        assert words in await notice(opened)
        assert len(service.operations) == (state != "unreadable")


@pytest.mark.parametrize("text", [f"  {KEY}\n", f"Bearer {KEY}", f"Authorization: Bearer {KEY}", f'apikey="{KEY}"'])
async def test_key_is_taken_as_it_was_copied(opened: OpenPage, text: str) -> None:
    await enter_key(opened, text)
    assert await opened.page.get_by_label("API key").input_value() == KEY


async def test_application_without_introspection_still_answers(service: Service, browser: Browser) -> None:
    async with open_page(f"{service.url}/graphql/demo/closed", browser=browser) as opened:
        await enter_key(opened, KEY, state="undisclosed")
        await run_query(opened, "{ pages(limit: 1) { title } }")
        assert await result(opened) == {"data": {"pages": [{"title": "Page 1"}]}}


async def test_errors_of_a_query_are_shown_as_they_came(opened: OpenPage) -> None:
    await enter_key(opened, KEY)
    await run_query(opened, "{ pages { colour } }")
    assert "Cannot query field 'colour'" in await result_text(opened)
    await run_query(opened, "{ pages {")
    assert "Syntax Error" in await result_text(opened)
    await expect_state(opened, "ready")


async def test_stopped_server_is_said_in_plain_words(browser: Browser) -> None:
    async with serve() as service:
        running = open_page(f"{service.url}/graphql/demo/shop", browser=browser)
        opened = await running.__aenter__()
        await enter_key(opened, KEY)
    try:
        await opened.page.get_by_role("button", name="Reload", exact=True).click()
        await expect_state(opened, "unreachable")
        assert "The server does not answer." in await notice(opened)
    finally:
        await running.__aexit__(None, None, None)


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(27, 35, 48)")])
async def test_colours_follow_the_system(service: Service, browser: Browser, scheme: str, background: str) -> None:
    address = f"{service.url}/graphql/demo/shop"
    async with open_page(address, browser=browser, color_scheme="dark" if scheme == "dark" else "light") as opened:
        await expect(opened.page.locator(".oc-header")).to_have_css("background-color", background)


async def test_address_shows_which_application_it_is(service: Service, browser: Browser) -> None:
    async with open_page(f"{service.url}/graphql/demo/caf%C3%A9", browser=browser) as opened:
        await expect(opened.page.locator(".oc-address")).to_have_text("/graphql/demo/café")
        await enter_key(opened, KEY)
        assert "demo/café" in await opened.page.title()


async def test_recorder_sees_requests_to_other_hosts(service: Service, opened: OpenPage) -> None:
    """The harness itself: without this, an empty list of foreign requests would prove nothing."""
    blank = await opened.page.context.new_page()
    elsewhere = service.url.replace("127.0.0.1", "localhost")
    await blank.evaluate("(url) => fetch(url, {mode: 'no-cors'}).catch(() => {})", elsewhere)
    await blank.evaluate("() => console.error('trouble')")
    assert opened.foreign_requests == [f"{elsewhere}/"]
    assert any("trouble" in problem for problem in opened.problems)
    assert json.loads(await stored(opened, "sessionStorage")) == {}
