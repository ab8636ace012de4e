"""Client caches know documents by ``_id``: it is there to be selected wherever a query gives a document."""

from collections.abc import AsyncIterator

import httpx
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from content_core.names import State, generated_app
from content_core.store import ChangeFeed, Store
from fixtures import PROJECTS, documents
from graphql_app.schema.build import ExecutableApp, build_app
from graphql_app.schema.definition import parse_definition
from graphql_app.schema.mappings import Limits, PathMapping
from schema_gen import emit_definitions
from schema_gen.export import read_export
from tests.graphql_app.http.server import ADMIN, put_definition, serve

STATES: tuple[State, ...] = ("preview", "release")
FIELDS = ("pageRefs", "datasets", "medias")


def build(name: str, state: State) -> ExecutableApp:
    project = PROJECTS[name]
    emission = emit_definitions(read_export(project.export).model, tenant=project.tenant, project=project.project)
    return build_app(parse_definition(emission.definitions[state], tenant=project.tenant, limits=Limits()))


def document_types(app: ExecutableApp) -> dict[str, GraphQLObjectType]:
    """Find the types that fields with a database mapping give."""
    found: dict[str, GraphQLObjectType] = {}
    for owner, mappings in app.definition.fields.items():
        for name, mapping in mappings.items():
            if not isinstance(mapping, PathMapping):
                type_ = get_named_type(app.schema.type_map[owner].fields[name].type)  # type: ignore[attr-defined]
                found |= {one.name: one for one in possible_types(app.schema, type_)}
    return found


def possible_types(schema: GraphQLSchema, type_: object) -> list[GraphQLObjectType]:
    if is_abstract_type(type_):
        return schema.get_possible_types(type_)
    assert isinstance(type_, GraphQLObjectType)
    return [type_]


@pytest.mark.parametrize("name", ["demo", "tutorial"])
@pytest.mark.parametrize("state", STATES)
def test_every_type_of_document_has_its_id(name: str, state: State) -> None:
    app = build(name, state)
    types = document_types(app)

    assert {"PageRef", "Media"} <= types.keys()
    for type_ in types.values():
        assert "_id" in type_.fields, type_.name
        mapping = app.definition.fields.get(type_.name, {}).get("_id", PathMapping.of("_id"))
        assert isinstance(mapping, PathMapping)
        assert mapping.segments == ("_id",)


@pytest.fixture
async def client(store: Store, feed: ChangeFeed) -> AsyncIterator[httpx.AsyncClient]:
    """The demo's preview, served."""
    project = PROJECTS["demo"]
    emission = emit_definitions(read_export(project.export).model, tenant=project.tenant, project=project.project)
    content = f"{project.project}.preview.content"
    await store.bulk_replace(project.tenant, content, list(documents("demo", "preview", base="http://caas.example")))
    async with serve(store, feed) as server:
        await put_definition(server, store, emission.definitions["preview"])
        server.client.auth = httpx.BasicAuth(*ADMIN)
        yield server.client
    await store.drop_database(project.tenant)


async def test_ids_of_answers_name_documents(client: httpx.AsyncClient) -> None:
    project = PROJECTS["demo"]
    selection = " ".join(f"{field}(limit: 100) {{ _id __typename }}" for field in FIELDS)
    url = f"/graphql/{project.tenant}/{generated_app(project.project, 'preview')}"
    stored = {document["_id"] for document in documents("demo", "preview", base="")}

    answer = (await client.post(url, json={"query": f"{{ {selection} }}"})).json()

    assert "errors" not in answer
    for field in FIELDS:
        ids = [entry["_id"] for entry in answer["data"][field]]
        assert ids
        assert len(ids) == len(set(ids))
        assert set(ids) <= stored
