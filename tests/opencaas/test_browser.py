"""GraphiQL on the real server in a real browser: enter the key, run the README's query, see its data."""

import json
from pathlib import Path

from tests.graphql_app.graphiql.browser import enter_key, expect_state, open_page, result, run_query, show_pane
from tests.live import LiveServer
from tests.opencaas.readme import readme_answer, readme_query


async def test_a_person_runs_the_readme_query(demo: LiveServer, tmp_path: Path) -> None:
    async with open_page(demo.facts["graphql_preview"]) as opened:
        await expect_state(opened, "keyless")
        await enter_key(opened, demo.facts["read_api_key"])
        await show_pane(opened, "Documentation Explorer")
        await run_query(opened, readme_query())

        assert readme_answer() == await result(opened)
        assert [] == opened.foreign_requests
        assert [] == opened.problems
        assert len(opened.requests) > 3


async def test_wrong_key_is_explained(demo: LiveServer) -> None:
    async with open_page(demo.facts["graphql_release"]) as opened:
        await enter_key(opened, "no-such-key", state="refused")

        assert [] == opened.foreign_requests


async def test_page_of_an_unknown_application_gives_nothing_away(demo: LiveServer) -> None:
    async with open_page(f"{demo.url}/graphql/demo/nothing-here") as opened:
        await expect_state(opened, "keyless")
        await enter_key(opened, demo.facts["read_api_key"], state="forbidden")

        assert demo.facts["read_api_key"] not in json.dumps(opened.requests)
