"""Every example of the documentation was really run, and gives what is printed beneath it."""

import json
from pathlib import Path

import httpx
import pytest

from tests.docs.blocks import Command, Query, read_blocks, read_commands, read_queries
from tests.docs.printed import differences, http_differences
from tests.docs.shell import run_commands
from tests.live import LiveServer

PRINTED_URL = "http://127.0.0.1:8080"
"""The server of all printed answers."""

QUERIES = read_queries("front-end.md")
SHELL_PAGES = ("http.md", "rest.md", "aggregations.md", "files.md", "change-streams.md")
COMMANDS = {page: read_commands(page) for page in SHELL_PAGES}
ANSWERED = [
    (page, number)
    for page, commands in COMMANDS.items()
    for number, command in enumerate(commands)
    if command.answer is not None
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.query.place)
def test_query_gives_the_printed_answer(demo: LiveServer, query: Query) -> None:
    variables = json.loads(query.variables.text) if query.variables else None

    response = httpx.post(
        demo.facts[f"graphql_{query.state}"],
        json={"query": query.query.text, "variables": variables},
        headers={"authorization": f"Bearer {demo.facts['read_api_key']}"},
        timeout=30,
    )

    seen = json.loads(response.text.replace(demo.url, PRINTED_URL))
    assert [] == list(differences(json.loads(query.answer.text), seen))
    assert query.status == response.status_code


def test_every_query_of_the_page_has_an_answer() -> None:
    graphql = [block for block in read_blocks("front-end.md") if block.language == "graphql"]

    assert [block.place for block in graphql] == [query.query.place for query in QUERIES]
    assert len(QUERIES) >= 15


@pytest.fixture(scope="module")
def printouts(
    demo: LiveServer, workplace: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, int], str]:
    """What each command of each page printed; a page is worked through in one shell."""
    return {
        (page, number): printout.replace(demo.url, PRINTED_URL)
        for page, commands in COMMANDS.items()
        for number, printout in enumerate(
            run_commands(commands, workplace=workplace, results=tmp_path_factory.mktemp(page))
        )
    }


@pytest.mark.parametrize(
    ("page", "number"), ANSWERED, ids=[COMMANDS[page][number].command.place for page, number in ANSWERED]
)
def test_command_gives_the_printed_answer(printouts: dict[tuple[str, int], str], page: str, number: int) -> None:
    answer = COMMANDS[page][number].answer
    assert answer is not None

    assert [] == list(http_differences(answer.text, printouts[page, number]))


def test_commands_without_an_answer_print_nothing(printouts: dict[tuple[str, int], str]) -> None:
    silent = {place: text for place, text in printouts.items() if place not in ANSWERED}

    assert {} == {place: text for place, text in silent.items() if text}


@pytest.mark.parametrize("page", SHELL_PAGES)
def test_every_curl_line_of_the_page_has_an_answer(page: str) -> None:
    unanswered: list[Command] = [command for command in COMMANDS[page] if command.answer is None]

    assert [] == [command.command.place for command in unanswered if "curl" in command.command.text]
    assert len(COMMANDS[page]) - len(unanswered) >= 2
