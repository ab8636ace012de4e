"""The measurements of GraphQL run, and all who take part answer alike; how fast they are is no matter here."""

import pytest

from benchmarks import graphql_planning, graphql_queries
from benchmarks.content import Size


def test_peers_answer_alike_and_are_weighed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_queries, "_ROUNDS", 1)

    graphql_queries.main(Size(pages=25, datasets=30, media=30), 0.05)

    printed = capsys.readouterr().out
    assert (4, 3) == (printed.count("requests/s, times Strawberry"), printed.count("CPU, times Motor and orjson"))


def test_a_query_of_300_fields_is_compiled(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_planning, "_RUNS", 1)

    graphql_planning.main()

    assert "a schema of 201 types, a query of 302 fields" in capsys.readouterr().out
