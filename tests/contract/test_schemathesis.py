"""The description of the interface holds: generated requests of every operation, and answers as they are described."""

from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.conftest import ROUNDS, Contract

ALWAYS: Final = [status_code_conformance, response_headers_conformance]
OF_BODIES: Final = [content_type_conformance, response_schema_conformance]
KNOWN: Final = {
    "database": "fuzz",
    "collection": "things",
    "bucket": "pictures",
    "key": "fuzz-key",
    "app": "fuzz___app",
    "id": "a",
    "name": "i",
}
"""Names that are mostly used in place of generated ones, so that requests meet something."""

FIELDS: Final = st.sampled_from(("_id", "n", "text", "list", "list.x", "a.b"))
VALUES: Final = st.sampled_from(
    ("1", "-1", "0", "true", "null", '"x"', "[]", '{"$gt": 1}', '{"$exists": true}', "NumberLong(1)")
)
PAIRS: Final = st.lists(st.builds(lambda name, value: f"'{name}': {value}", FIELDS, VALUES), max_size=3)
OBJECTS: Final = PAIRS.map(lambda pairs: "{" + ", ".join(pairs) + "}")
schemathesis.openapi.format("mongo-query", OBJECTS | st.text(max_size=10))
schemathesis.openapi.format("mongo-projection", OBJECTS | st.text(max_size=10))
schemathesis.openapi.format("mongo-sort", FIELDS | FIELDS.map("-{}".format) | OBJECTS | st.text(max_size=10))

Case: TypeAlias = schemathesis.Case[Any]

api: Final = schemathesis.openapi.from_path(
    Path(__file__).resolve().parents[2] / "rest_compat" / "openapi.yaml",
    config=SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}}),
)
bounded: Final = settings(
    max_examples=8 * ROUNDS, deadline=None, derandomize=ROUNDS == 1, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module", autouse=True)
def fuzz(contract: Contract) -> None:
    aggregation = {"uri": "i", "stages": [{"$match": {"n": {"$var": ["n", 1]}}}, {"$limit": {"$var": "@limit"}}]}
    for path, properties in (("/fuzz", {}), ("/fuzz/things", {"aggrs": [aggregation]})):
        assert 201 == contract.admin.put(path, json=properties).status_code
    assert 201 == contract.admin.put("/fuzz/pictures.files").status_code
    contract.admin.put("/fuzz/pictures.files/a", files={"file": ("a.txt", b"text" * 100)}).raise_for_status()
    for name in ("a", "b"):
        contract.admin.put(f"/fuzz/things/{name}", json={"n": 1, "text": "x", "list": [{"x": 1}]}).raise_for_status()


@api.parametrize()
@bounded
def test_answers_to_the_admin_are_as_described(case: Case, contract: Contract) -> None:
    ask(case, contract, contract.credentials[0])


@api.parametrize()
@settings(bounded, max_examples=2 * ROUNDS)
def test_answers_to_a_restricted_key_are_as_described(case: Case, contract: Contract) -> None:
    response = ask(case, contract, contract.credentials[1])

    changing = case.method.upper() in {"PUT", "POST", "PATCH", "DELETE"}
    assert not changing or response.status_code in {400, 401, 403, 405}


def ask(case: Case, contract: Contract, authorization: str) -> schemathesis.Response:
    aim(case)
    response = case.call(base_url=contract.server.url, headers={"Authorization": authorization})
    # Empty bodies have no type: of a deletion that finds nothing, of a write that replaces something.
    case.validate_response(response, checks=[*ALWAYS, *OF_BODIES] if response.content else ALWAYS)
    assert response.status_code < 501 or "not supported" in response.text or "bulk patch" in response.text
    assert 500 != response.status_code or "is not stored in database" in response.text
    assert [] == [secret for secret in contract.secrets if secret.encode() in response.content]
    return response


def aim(case: Case) -> None:
    """Put names of things that are there in place of most generated ones."""
    replaced = {**KNOWN}
    if case.method.upper() in {"PUT", "PATCH", "DELETE"}:  # properties that make other requests fail, or deletion
        replaced |= {"/{database}": {"database": "spare"}, "/{database}/{collection}": {"collection": "spare"}}.get(
            case.operation.path, {}
        )
    for name, value in case.path_parameters.items():
        if name in replaced and len(str(value)) % 5:
            case.path_parameters[name] = replaced[name]
