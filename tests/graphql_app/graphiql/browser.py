"""GraphiQL in a real Chromium: open the page, enter a key, run queries, and know every request that it made.

For any server: the tests here use a small one, the full-system tests the real one.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright, expect

from tests.patience import PATIENCE
from tests.tools import requires

__all__ = [
    "OpenPage",
    "enter_key",
    "expect_state",
    "open_browser",
    "open_page",
    "result",
    "result_text",
    "run_query",
    "show_pane",
]

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # Whatever the recorder might miss finds no other host either.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_PATIENCE_MS = PATIENCE * 1000
expect.set_options(timeout=_PATIENCE_MS)
_EDITOR = ".graphiql-query-editor .CodeMirror"
_RESULT = ".result-window.CodeMirror, .result-window .CodeMirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """A page in the browser, and what happened on it so far."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Errors in the console (violations of the content security policy are there too) and uncaught exceptions."""

    @property
    def foreign_requests(self) -> list[str]:
        """Requests to any host but the page's own; inline data is not a request."""
        home = urlsplit(self.url)
        return [
            url
            for url in self.requests
            if (parts := urlsplit(url)).scheme not in {"data", "blob", "about"}
            and (parts.scheme, parts.netloc) != (home.scheme, home.netloc)
        ]

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start the system's Chromium; skips the test where there is none (in CI it fails)."""
    executable = requires("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


def _watch(context: BrowserContext, opened: OpenPage) -> None:
    def on_request(request: Request) -> None:
        opened.requests.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            opened.problems.append(f"{message.type}: {message.text}")

    context.on("request", on_request)
    context.on("console", on_console)
    context.on("weberror", lambda error: opened.problems.append(f"uncaught: {error.error}"))


async def _open(context: BrowserContext, url: str) -> OpenPage:
    page = await context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    opened = OpenPage(page=page, url=url)
    _watch(context, opened)
    await page.goto(url)
    await page.locator("#api-key").wait_for()
    await page.locator(_EDITOR).wait_for()
    return opened


@asynccontextmanager
async def open_page(
    url: str,
    *,
    browser: Browser | None = None,
    color_scheme: Literal["light", "dark"] = "light",
    size: tuple[int, int] = (1440, 900),
) -> AsyncIterator[OpenPage]:
    """Open a GraphQL address as a new visitor, without anything stored; in a browser of its own unless one is given."""
    if browser is None:
        async with open_browser() as own, open_page(url, browser=own, color_scheme=color_scheme, size=size) as opened:
            yield opened
        return
    context = await browser.new_context(
        color_scheme=color_scheme,
        viewport={"width": size[0], "height": size[1]},
    )
    try:
        yield await _open(context, url)
    finally:
        await context.close()


async def expect_state(opened: OpenPage, state: str) -> None:
    """Wait until the page says that the connection is in this state (a name of source/src/states.js)."""
    await expect(opened.page.locator(".oc-chip")).to_have_attribute("data-state", state, timeout=_PATIENCE_MS)


async def enter_key(opened: OpenPage, key: str, *, state: str = "ready") -> None:
    """Type the key, press its button and wait for what comes of it; "ready" = the schema is loaded."""
    await opened.page.get_by_label("API key").fill(key)
    await opened.page.locator(".oc-key button[type=submit]").click()
    await expect_state(opened, state)


async def run_query(opened: OpenPage, text: str, *, variables: dict[str, Any] | None = None) -> None:
    """Put the text in the editor, press the run button and wait for the answer."""
    await _type_into(opened.page, _EDITOR, text)
    if variables is not None:
        await _type_into(opened.page, "[aria-label=Variables] .CodeMirror", json.dumps(variables))
    # GraphiQL reads the operation's name from the text a moment after the last key.
    await opened.page.wait_for_function(
        """(selector) => {
            const editor = document.querySelector(selector).CodeMirror;
            return !editor.documentAST || editor.documentAST.loc.source.body === editor.getValue();
        }""",
        arg=_EDITOR,
    )
    await opened.page.locator(".graphiql-execute-button").click()
    await opened.page.wait_for_function(
        "(selector) => document.querySelector(selector)?.CodeMirror.getValue().trim()",
        arg=_RESULT,
    )


async def _type_into(page: Page, selector: str, text: str) -> None:
    await page.locator(selector).click()
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.insert_text(text)


async def result_text(opened: OpenPage) -> str:
    """Read the answer pane, all of it: what is on the screen may be only a part."""
    text: str = await opened.page.evaluate(
        "(selector) => document.querySelector(selector).CodeMirror.getValue()", _RESULT
    )
    return text


async def result(opened: OpenPage) -> Any:
    """Read the answer pane as JSON."""
    return json.loads(await result_text(opened))


async def show_pane(opened: OpenPage, title: Literal["Documentation Explorer", "History", "Explorer"]) -> str:
    """Open a pane of the left bar and give the text it shows."""
    await opened.page.get_by_role("button", name=f"Show {title}", exact=True).click()
    pane = opened.page.locator(".graphiql-plugin")
    await expect(pane).not_to_be_empty()
    return await pane.inner_text()
