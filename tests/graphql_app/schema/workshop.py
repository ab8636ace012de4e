"""The bike workshop: the example application of the tests, its data, and a store that is a dictionary."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLResolveInfo, graphql

from content_core.documents import Document
from graphql_app.schema.build import ExecutableApp, build_app
from graphql_app.schema.definition import Limits, QueryMapping, parse_definition
from graphql_app.schema.paths import read_path

SCHEMA = """
enum State { OPEN DONE }
type Mechanic { id: String name: String phone: String mainMail: String skillCodes: [String]
                jobs(limit: Int = 10, state: State): [Job] }
type Job  { id: Int title: String state: State owner: Mechanic sameTeam: [Mechanic] }
type Query { mechanics(filter: BsonDocument, sort: BsonDocument, skip: Int = 0, limit: Int = 20): [Mechanic]
             mechanic(id: String!): Mechanic }
"""

MAPPINGS: Document = {
    "State": {"OPEN": 0, "DONE": 1},
    "Mechanic": {
        "id": "_id",
        "name": "first",
        "phone": "contact.phone",
        "mainMail": "contact.mails.0",
        "skillCodes": "skills.code",
        "jobs": {
            "db": "acme",
            "collection": "jobs",
            "find": {"_id": {"$in": {"$fk": "jobIds"}}, "state": {"$arg": ["state", 0]}},
            "sort": {"_id": 1},
            "limit": {"$arg": "limit"},
        },
    },
    "Job": {
        "id": "_id",
        "owner": {"db": "acme", "collection": "mechanics", "find": {"_id": {"$fk": "owner"}}},
        "sameTeam": {"db": "acme", "collection": "mechanics", "find": {"team": {"$arg": "rootDoc.team"}}},
    },
    "Query": {
        "mechanics": {
            "db": "acme",
            "collection": "mechanics",
            "find": {"$arg": ["filter", {}]},
            "sort": {"$arg": ["sort", {"_id": 1}]},
            "skip": {"$arg": "skip"},
            "limit": {"$arg": "limit"},
        },
        "mechanic": {"db": "acme", "collection": "mechanics", "find": {"_id": {"$arg": "id"}}},
    },
}

DATA: Mapping[str, list[Document]] = {
    "mechanics": [
        {
            "_id": "m1",
            "first": "Ada",
            "team": "T1",
            "contact": {"phone": "+49 1", "mails": ["ada@w.example", "a@w.example"]},
            "skills": [{"code": "brk"}, {"code": "whl"}],
            "jobIds": [11, 12],
        },
        {"_id": "m2", "first": "Bo", "team": "T2", "contact": {"mails": []}, "skills": [], "jobIds": [13]},
    ],
    "jobs": [
        {"_id": 11, "title": "Brake pads", "state": 0, "owner": "m1", "minutes": 30},
        {"_id": 12, "title": "True wheel", "state": 1, "owner": "m1", "minutes": 45},
        {"_id": 13, "title": "Chain", "state": 0, "owner": "m2", "minutes": 20},
    ],
}


def definition(**changes: Any) -> Document:
    """Give the workshop's definition with some members replaced; a value of ``...`` drops the member."""
    document = {"_id": "acme___workshop", "schema": SCHEMA, "mappings": copy.deepcopy(MAPPINGS)} | changes
    return {key: value for key, value in document.items() if value is not ...}


def small(schema: str, mappings: Document | None = None, **members: Any) -> Document:
    """Give a definition with a mapped ``Query.things``, to which a test adds what it is about."""
    query = {"things": {"db": "acme", "collection": "things"}}
    return definition(schema=schema, mappings={"Query": query} | (mappings or {}), **members)


def build(document: Document) -> ExecutableApp:
    return build_app(parse_definition(document, tenant="acme", limits=Limits()))


@dataclass
class ListFetcher:
    """Answers from lists: equality and ``$in`` on top-level fields, ``$arg`` and ``$fk``, limit."""

    data: Mapping[str, list[Document]]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def fetch(
        self, mapping: QueryMapping, source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
    ) -> Any:
        self.calls.append((mapping.coordinate, dict(arguments)))
        wanted = _fill(mapping.find or {}, source, arguments)
        found = [document for document in self.data[mapping.collection] if _matches(document, wanted)]
        limit = _fill(mapping.limit, source, arguments) or len(found)
        return found[:limit] if mapping.plural else next(iter(found), None)


def _fill(value: Any, source: Any, arguments: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_fill(item, source, arguments) for item in value]
    if not isinstance(value, dict):
        return value
    if "$fk" in value:
        return read_path(source, tuple(value["$fk"].split(".")))
    if "$arg" in value:
        name, default = value["$arg"] if isinstance(value["$arg"], list) else (value["$arg"], None)
        return arguments.get(name, default)
    return {key: _fill(item, source, arguments) for key, item in value.items()}


def _matches(document: Document, wanted: Document) -> bool:
    return all(
        document.get(key) in value["$in"] if isinstance(value, dict) else document.get(key) == value
        for key, value in wanted.items()
    )


async def run(
    app: ExecutableApp, query: str, data: Mapping[str, list[Document]] = DATA, **variables: Any
) -> ExecutionResult:
    return await graphql(app.schema, query, context_value=ListFetcher(data), variable_values=variables)
