"""Which queries a run sends, level by level, and what it makes of their documents; nothing here waits."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import bson
import pytest

from content_core.documents import Document
from content_core.errors import QueryRefusedError, StoreError
from graphql_app.compile.execution import Read
from graphql_app.plan.guards import Bounds
from graphql_app.query import AggregateQuery
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.compile.workbench import Handed, make_app, run_handed
from tests.graphql_app.query.content import content_definition
from tests.graphql_app.query.workshop import MECHANICS, build, workshop_definition

THINGS: Final[Document] = {"db": "acme", "collection": "things"}
SDL: Final = """type T { _id: ID n: Int one: T other: T cut: [T] some: [T] owned: [T] sorted: T pipe: [T] o: T
                         many(word: String): [T] elsewhere: T rooted: T }
                type Query { things: [T] thing(id: String): T few: [T] }"""
MAPPINGS: Final[Document] = {
    "Query": {
        "things": THINGS | {"find": {"kind": "root"}, "limit": 50},
        "thing": THINGS | {"find": {"_id": {"$arg": "id"}}},
        "few": THINGS | {"limit": 2},
    },
    "T": {
        "one": THINGS | {"find": {"_id": {"$fk": "a"}}},
        "other": THINGS | {"find": {"_id": {"$fk": "b"}}},
        "elsewhere": {"db": "acme", "collection": "places", "find": {"_id": {"$fk": "a"}}},
        "cut": THINGS | {"find": {"_id": {"$in": {"$fk": "list"}}}, "sort": {"n": -1}, "limit": 2},
        "some": THINGS | {"find": {"_id": {"$in": {"$fk": "list"}}}, "limit": 10},
        "owned": THINGS | {"find": {"owner": {"$fk": "_id"}}, "limit": 10},
        "many": THINGS | {"find": {"_id": {"$in": {"$fk": "list"}}, "word": {"$arg": ["word", "w"]}}, "limit": 10},
        "sorted": THINGS | {"find": {"_id": {"$fk": "a"}}, "sort": {"n": 1}},
        "pipe": THINGS | {"stages": [{"$match": {"owner": {"$fk": "_id"}}}]},
        "rooted": THINGS | {"find": {"_id": {"$fk": "a"}, "lang": {"$arg": ["rootDoc.lang", None]}}},
    },
}


@pytest.fixture(scope="module")
def app() -> ExecutableApp:
    return make_app(SDL, MAPPINGS)


@pytest.fixture(scope="module")
def content() -> ExecutableApp:
    return build(content_definition("acme"))


def first_level(read: Read) -> bool:
    return any(field.startswith("Query.") for field in read.fields)


def roots(
    documents: list[Document], below: Callable[[Read], list[Document] | StoreError] = lambda read: []
) -> Callable[[Read], list[Document] | StoreError]:
    """Give documents to root fields, and something else to what is below."""
    return lambda read: documents if first_level(read) else below(read)


def by_id(stored: list[Document]) -> Callable[[Read], list[Document]]:
    """Answer what looks for ``_id`` as MongoDB does where the other conditions hold."""

    def find(read: Read) -> list[Document]:
        branches = read.query.filter.get("$or", [read.query.filter])
        wanted = [part["$in"] if isinstance(part, dict) else [part] for part in (each["_id"] for each in branches)]
        return [document for document in stored if any(document["_id"] in keys for keys in wanted)]

    return find


def filters(outcome: Handed) -> list[list[Any]]:
    return [[read.query.filter for read in level] for level in outcome.levels[1:]]


# --- merging ---------------------------------------------------------------------------------------------------------


def reference(identifier: str) -> Document:
    return {"value": {"identifier": identifier}}


def in_language(identifiers: Any, fs_type: Any, language: str, country: str) -> Document:
    return {
        "identifier": identifiers,
        "fsType": fs_type,
        "locale.language": language,
        "locale.country": country,
    }


def test_a_level_and_a_collection_take_one_call_also_for_different_fields(content: ExecutableApp) -> None:
    """Pictures and products of pages in two languages, then the products' pictures."""
    text = """{ pageRefs { page { formData {
                  pt_image { value { ... on Media { fileName } } }
                  pt_product { value { target { formData { tt_image { value { ... on Media { fileName } } } } } } }
              } } } }"""
    places = {"de": "DE", "en": "GB"}

    def page(language: str) -> Document:
        form = {"pt_image": reference("image"), "pt_product": {"value": {"target": {"identifier": "product"}}}}
        locale = {"language": language, "country": places[language]}
        return {"fsType": "PageRef", "locale": locale, "page": {"formData": form}}

    def found(identifier: str, fs_type: str, language: str, **members: Any) -> Document:
        locale = {"language": language, "country": places[language]}
        return {"identifier": identifier, "fsType": fs_type, "locale": locale} | members

    second = [
        *(found("image", "Media", language, fileName=f"image-{language}") for language in places),
        *(found("product", "Dataset", lang, formData={"tt_image": reference(f"p-{lang}")}) for lang in places),
    ]
    third = [found(f"p-{language}", "Media", language, fileName=f"picture-{language}") for language in places]
    given: Iterator[list[Document]] = iter([second, third])

    outcome = run_handed(content, text, roots([page("de"), page("en")], lambda read: next(given)))

    media = {"$in": ["PageRef", "Media"]}
    assert [[sorted(branch["$or"], key=str) for branch in level] for level in filters(outcome)] == [
        [
            sorted(
                [
                    in_language("image", media, "de", "DE"),
                    in_language("product", "Dataset", "de", "DE"),
                    in_language("image", media, "en", "GB"),
                    in_language("product", "Dataset", "en", "GB"),
                ],
                key=str,
            )
        ],
        [sorted([in_language("p-de", media, "de", "DE"), in_language("p-en", media, "en", "GB")], key=str)],
    ]
    assert set(outcome.levels[1][0].fields) == {"ReferenceField.value", "DatasetFieldValue.target"}
    assert [read.lookups for level in outcome.levels for read in level] == [1, 4, 2]
    for thing, language in zip(outcome.data["pageRefs"], places, strict=True):
        form = thing["page"]["formData"]
        assert form["pt_image"]["value"] == {"fileName": f"image-{language}"}
        assert form["pt_product"]["value"]["target"]["formData"]["tt_image"]["value"] == {
            "fileName": f"picture-{language}"
        }


def test_different_fields_and_equal_keys_are_one_lookup(app: ExecutableApp) -> None:
    documents = [{"a": "x", "b": "y"}, {"a": "y", "b": "x"}]

    outcome = run_handed(
        app,
        "{ things { one { n } other { n } again: one { n } } }",
        roots(documents, by_id([{"_id": "x", "n": 1}, {"_id": "y", "n": 2}])),
    )

    assert filters(outcome) == [[{"_id": {"$in": ["x", "y"]}}]]
    assert outcome.levels[1][0].lookups == 2
    x, y = {"n": 1}, {"n": 2}
    assert outcome.data == {"things": [{"one": x, "other": y, "again": x}, {"one": y, "other": x, "again": y}]}


def test_collections_have_calls_of_their_own(app: ExecutableApp) -> None:
    outcome = run_handed(app, "{ things { one { n } elsewhere { n } } }", roots([{"a": "x"}]))

    assert [(read.collection, read.query.filter) for read in outcome.levels[1]] == [
        ("things", {"_id": "x"}),
        ("places", {"_id": "x"}),
    ]


def test_known_documents_are_not_asked_again(app: ExecutableApp) -> None:
    """Two documents that lead to each other, six levels deep."""
    text = "{ things { one { one { one { one { one { one { n } } } } } } } }"

    outcome = run_handed(
        app, text, roots([{"a": "x"}], by_id([{"_id": "x", "a": "y", "n": 1}, {"_id": "y", "a": "x", "n": 2}]))
    )

    assert filters(outcome) == [[{"_id": "x"}], [{"_id": "y"}]]
    inner = outcome.data["things"][0]
    for _ in range(6):
        inner = inner["one"]
    assert inner == {"n": 2}


def test_levels_go_on_where_only_some_documents_are_new(app: ExecutableApp) -> None:
    text = "{ things { one { one { one { n } } } } }"
    stored = [{"_id": "x", "a": "x", "n": 1}, {"_id": "y", "a": "x", "n": 2}]

    outcome = run_handed(app, text, roots([{"a": "x"}, {"a": "y"}], by_id(stored)))

    assert filters(outcome) == [[{"_id": {"$in": ["x", "y"]}}]]
    assert outcome.data == {"things": [{"one": {"one": {"one": {"n": 1}}}}] * 2}


# --- root documents --------------------------------------------------------------------------------------------------


def test_different_root_documents_give_different_groups(app: ExecutableApp) -> None:
    documents = [{"a": "x", "lang": "de"}, {"a": "x", "lang": "en"}, {"a": "y", "lang": "de"}]
    stored = [{"_id": "x", "lang": "en", "n": 1}, {"_id": "y", "lang": "de", "n": 2}]

    outcome = run_handed(app, "{ things { rooted { n } } }", roots(documents, lambda read: stored))

    assert filters(outcome) == [[{"$or": [{"_id": {"$in": ["x", "y"]}, "lang": "de"}, {"_id": "x", "lang": "en"}]}]]
    assert outcome.data == {"things": [{"rooted": None}, {"rooted": {"n": 1}}, {"rooted": {"n": 2}}]}


def test_one_document_below_two_roots_is_asked_for_each_of_them(app: ExecutableApp) -> None:
    """Both things show the same document; what is below it depends on where it stands."""
    documents = [{"a": "x", "lang": "de"}, {"a": "x", "lang": "en"}]
    given: Iterator[list[Document]] = iter([[{"_id": "x", "a": "z"}], [{"_id": "z", "lang": "en", "n": 1}]])

    outcome = run_handed(app, "{ things { one { rooted { n } } } }", roots(documents, lambda read: next(given)))

    assert filters(outcome) == [[{"_id": "x"}], [{"$or": [{"_id": "z", "lang": "de"}, {"_id": "z", "lang": "en"}]}]]
    assert outcome.data == {"things": [{"one": {"rooted": None}}, {"one": {"rooted": {"n": 1}}}]}


def test_the_root_of_a_single_root_field_is_its_document(app: ExecutableApp) -> None:
    outcome = run_handed(
        app, '{ thing(id: "t") { o { rooted { n } } } }', roots([{"lang": "fr", "o": {"a": "x", "lang": "de"}}])
    )

    assert filters(outcome) == [[{"_id": "x", "lang": "fr"}]]


@pytest.mark.parametrize("lang", [1, True, 1.5, {"a": 1}, ["de"]])
def test_roots_with_odd_values_take_the_general_way(app: ExecutableApp, lang: Any) -> None:
    outcome = run_handed(app, "{ things { rooted { n } } }", roots([{"a": "x", "lang": lang}], lambda read: [{"n": 3}]))

    wanted = {"$eq": lang} if isinstance(lang, dict | list) else lang
    assert [bson.encode(each) for level in filters(outcome) for each in level] in (
        [bson.encode({"_id": "x", "lang": wanted})],
        [bson.encode({"_id": "x", "lang": lang})],
    )
    assert outcome.data == {"things": [{"rooted": {"n": 3}}]}


def test_roots_that_lack_the_value_use_the_default(app: ExecutableApp) -> None:
    outcome = run_handed(app, "{ things { rooted { n } } }", roots([{"a": "x"}]))

    assert filters(outcome) == [[{"_id": "x", "lang": None}]]


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "missing"])
def test_nothing_is_asked_without_a_key(app: ExecutableApp, key: Any) -> None:
    document = {"n": 1} if key == "missing" else {"a": None, "n": 1}

    outcome = run_handed(app, "{ things { n one { n } cut { n } } }", roots([document]))

    assert len(outcome.levels) == 1
    assert outcome.data == {"things": [{"n": 1, "one": None, "cut": []}]}


@pytest.mark.parametrize("key", [1, 1.5, True, b"x", {"x": 1}, ["x", 1]])
def test_keys_of_odd_types_take_the_general_way(app: ExecutableApp, key: Any) -> None:
    """A text and another key beside each other: each has its own document."""
    documents = [{"a": key}, {"a": "x"}]

    def below(read: Read) -> list[Document]:
        given: list[Document] = [{"_id": key, "n": 1}, {"_id": "x", "n": 2}]
        wanted = [part for part in given if bson.encode({"": part["_id"]})[5:] in bson.encode(read.query.filter)]
        return wanted or given

    outcome = run_handed(app, "{ things { one { n } } }", roots(documents, below))

    assert outcome.data == {"things": [{"one": {"n": 1}}, {"one": {"n": 2}}]}
    assert outcome.errors == []


def test_a_key_that_is_not_unique_is_asked_alone(app: ExecutableApp) -> None:
    twins = [{"_id": "x", "n": 1}, {"_id": "x", "n": 2}, {"_id": "y", "n": 3}]
    given: Iterator[list[Document]] = iter([twins, [twins[1]]])

    outcome = run_handed(app, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}], lambda read: next(given)))

    assert filters(outcome) == [[{"_id": {"$in": ["x", "y"]}}], [{"_id": "x"}]]
    assert [read.query.limit for read in outcome.levels[2]] == [1]
    assert outcome.data == {"things": [{"one": {"n": 2}}, {"one": {"n": 3}}]}


def test_documents_that_nobody_asked_for_mean_that_mongodb_compares_differently(app: ExecutableApp) -> None:
    """A collection with a collation of its own takes X for x."""
    given: Iterator[list[Document]] = iter(
        [[{"_id": "X", "n": 1}, {"_id": "y", "n": 2}], [{"_id": "X", "n": 1}], [{"_id": "y", "n": 2}]]
    )

    outcome = run_handed(app, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}], lambda read: next(given)))

    assert filters(outcome) == [[{"_id": {"$in": ["x", "y"]}}], [{"_id": "x"}, {"_id": "y"}]]
    assert outcome.data == {"things": [{"one": {"n": 1}}, {"one": {"n": 2}}]}


def test_an_answer_that_may_be_cut_is_not_trusted(app: ExecutableApp) -> None:
    def below(read: Read) -> list[Document]:
        if isinstance(read.query.filter["_id"], dict):
            assert read.query.limit == 2 * 2 + 100
            return [{"_id": "x", "n": 1}] * read.query.limit
        return [{"_id": read.query.filter["_id"], "n": 5}]

    outcome = run_handed(app, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}], below))

    assert filters(outcome)[1] == [{"_id": "x"}, {"_id": "y"}]
    assert outcome.data == {"things": [{"one": {"n": 5}}] * 2}


def test_stored_lists_match_each_of_their_elements(app: ExecutableApp) -> None:
    sdl = "type T { n: Int one: T }"
    tagged = make_app(sdl, {"T": {"one": THINGS | {"find": {"tags.name": {"$fk": "a"}}}}})
    stored = [{"tags": [{"name": "x"}, {"name": "q"}, "x"], "n": 1}, {"tags": {"name": ["y", "z"]}, "n": 2}]

    outcome = run_handed(
        tagged, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}, {"a": "z"}], lambda read: stored)
    )

    assert filters(outcome) == [[{"tags.name": {"$in": ["x", "y", "z"]}}]]
    assert outcome.data == {"things": [{"one": {"n": 1}}, {"one": {"n": 2}}, {"one": {"n": 2}}]}


# --- lists -----------------------------------------------------------------------------------------------------------


def test_lists_by_key_share_a_call_under_one_order(app: ExecutableApp) -> None:
    documents: list[Document] = [{"list": ["x", "y"]}, {"list": ["y", None, "y"]}, {"list": []}]
    stored = [{"_id": "y", "n": 2}, {"_id": "x", "n": 1}]

    outcome = run_handed(app, "{ things { cut { n } } }", roots(documents, lambda read: stored))

    (read,) = outcome.levels[1]
    assert (read.query.filter, read.query.sort) == ({"_id": {"$in": ["x", "y"]}}, (("n", -1),))
    assert outcome.data == {"things": [{"cut": [{"n": 2}, {"n": 1}]}, {"cut": [{"n": 2}]}, {"cut": []}]}


def test_lists_of_different_orders_or_conditions_share_nothing(app: ExecutableApp) -> None:
    text = '{ things { cut { n } some { n } many { n } v: many(word: "v") { n } } }'

    outcome = run_handed(app, text, roots([{"list": ["x"]}]))

    asked = [(read.query.filter, read.query.sort, read.query.limit) for read in outcome.levels[1]]
    assert sorted(asked, key=str) == sorted(
        [
            ({"_id": "x"}, (("n", -1),), 2),
            ({"_id": "x"}, (), 10),
            ({"_id": "x", "word": "w"}, (), 10),
            ({"_id": "x", "word": "v"}, (), 10),
        ],
        key=str,
    )


def test_more_keys_than_the_limit_are_asked_alone(app: ExecutableApp) -> None:
    documents = [{"list": ["x", "y", "z"]}, {"list": ["x", "y"]}, {"list": ["z"]}]

    outcome = run_handed(app, "{ things { cut { n } } }", roots(documents))

    asked = sorted(((read.query.filter["_id"]["$in"], read.query.limit) for read in outcome.levels[1]), key=str)
    assert asked == [(["x", "y", "z"], 2 * (2 + 2) + 100), (["x", "y", "z"], 2)]


def test_more_documents_than_the_limit_are_asked_alone(app: ExecutableApp) -> None:
    """Keys that are not unique: only the list's own query knows which documents are its own."""
    stored = [{"_id": "x", "n": n} for n in (3, 2, 1)] + [{"_id": "y", "n": 0}]
    given: Iterator[list[Document]] = iter([stored, stored[:2]])

    outcome = run_handed(
        app, "{ things { cut { n } } }", roots([{"list": ["x"]}, {"list": ["y"]}], lambda read: next(given))
    )

    assert [[(read.query.filter, read.query.limit) for read in level] for level in outcome.levels[1:]] == [
        [({"_id": {"$in": ["x", "y"]}}, 108)],
        [({"_id": {"$in": ["x"]}}, 2)],
    ]
    assert outcome.data == {"things": [{"cut": [{"n": 3}, {"n": 2}]}, {"cut": [{"n": 0}]}]}


def test_lists_by_equality_and_sorted_single_documents_share_a_union(app: ExecutableApp) -> None:
    documents = [{"_id": "1", "a": "x"}, {"_id": "2", "a": "y"}]
    numbers = {"{'owner': '1'}": 1, "{'owner': '2'}": 2, "{'_id': 'x'}": 3, "{'_id': 'y'}": 4}

    def below(read: Read) -> list[Document]:
        others = [stage["$unionWith"]["pipeline"] for stage in read.query.stages if "$unionWith" in stage]
        first = [stage for stage in read.query.stages if "$unionWith" not in stage]
        found = [part[0]["$match"] for part in (first, *others)]
        return [{"part": part, "document": {"n": numbers[str(filter_)]}} for part, filter_ in enumerate(found)]

    outcome = run_handed(app, "{ things { owned { n } sorted { n } } }", roots(documents, below))

    ((read,),) = outcome.levels[1:]
    assert (read.lookups, set(read.fields)) == (4, {"T.owned", "T.sorted"})
    assert outcome.data == {
        "things": [{"owned": [{"n": 1}], "sorted": {"n": 3}}, {"owned": [{"n": 2}], "sorted": {"n": 4}}]
    }


def test_a_union_that_fails_is_asked_one_by_one(app: ExecutableApp) -> None:
    def below(read: Read) -> list[Document] | StoreError:
        if isinstance(read.query, AggregateQuery):
            return QueryRefusedError("no unions today")
        return [{"n": 1}] if read.query.filter == {"owner": "1"} else QueryRefusedError("nor that")

    outcome = run_handed(app, "{ things { owned { n } } }", roots([{"_id": "1"}, {"_id": "2"}], below))

    assert [[read.lookups for read in level] for level in outcome.levels] == [[1], [2], [1, 1]]
    assert outcome.data == {"things": [{"owned": [{"n": 1}]}, {"owned": None}]}
    assert [error.path for error in outcome.errors] == [["things", 1, "owned"]]


def test_aggregations_have_a_call_each(app: ExecutableApp) -> None:
    outcome = run_handed(
        app, "{ things { pipe { n } } }", roots([{"_id": "1"}, {"_id": "2"}, {"_id": "1"}], lambda read: [{"n": 7}])
    )

    queries = [read.query for read in outcome.levels[1]]
    assert all(isinstance(query, AggregateQuery) for query in queries)
    assert [query.stages[0] for query in queries] == [{"$match": {"owner": "1"}}, {"$match": {"owner": "2"}}]
    assert outcome.data == {"things": [{"pipe": [{"n": 7}]}] * 3}


# --- how many keys a call has ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_keys", "sizes"), [(1_000, [7]), (7, [7]), (6, [6, 1]), (3, [3, 3, 1]), (1, [1] * 7)])
def test_a_call_has_so_many_keys_at_most(app: ExecutableApp, batch_keys: int, sizes: list[int]) -> None:
    documents = [{"a": f"k{n}"} for n in range(7)]
    stored = [{"_id": f"k{n}", "n": n} for n in range(7)]

    outcome = run_handed(
        app,
        "{ things { one { n } } }",
        roots(documents, by_id(stored)),
        settings=GraphQLSettings(batch_keys=batch_keys),
    )

    assert [read.lookups for read in outcome.levels[1]] == sizes
    assert outcome.data == {"things": [{"one": {"n": n}} for n in range(7)]}


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({"batching": True, "maxBatchSize": 3}, [3, 3, 1]),
        ({"batching": True, "maxBatchSize": 0}, [7]),
        ({"batching": True}, [7]),
        ({"batching": False, "maxBatchSize": 3}, [7]),
        ({}, [7]),
    ],
)
def test_a_batch_size_bounds_the_lookups_of_its_field(options: Document, sizes: list[int]) -> None:
    one = THINGS | {"find": {"_id": {"$fk": "a"}}, "dataLoader": options}
    app = make_app("type T { n: Int one: T }", {"T": {"one": one}})
    stored = [{"_id": f"k{n}", "n": n} for n in range(7)]

    outcome = run_handed(
        app, "{ things { one { n } } }", roots([{"a": document["_id"]} for document in stored], by_id(stored))
    )

    assert [read.lookups for read in outcome.levels[1]] == sizes
    assert outcome.data == {"things": [{"one": {"n": n}} for n in range(7)]}


# --- root fields -----------------------------------------------------------------------------------------------------


def test_equal_root_fields_are_one_call_that_reads_what_both_select(app: ExecutableApp) -> None:
    text = "{ a: things { n } b: things { o { n } } c: things { one { n } } }"

    outcome = run_handed(app, text, roots([{"n": 1, "o": {"n": 2}, "a": None}]))

    ((read,),) = outcome.levels
    inner = {"$cond": [{"$eq": [{"$type": "$o"}, "object"]}, {"n": "$o.n"}, "$o"]}
    assert read.query.projection is not None
    assert bson.decode(read.query.projection.raw) == {"n": 1, "o": inner, "a": 1, "_id": 0}
    assert outcome.data == {"a": [{"n": 1}], "b": [{"o": {"n": 2}}], "c": [{"one": None}]}


def test_root_fields_of_different_arguments_are_different_calls(app: ExecutableApp) -> None:
    outcome = run_handed(
        app, '{ a: thing(id: "1") { n } b: thing(id: "2") { n } c: thing(id: "1") { _id } }', roots([])
    )

    ((one, two),) = outcome.levels
    assert [one.query.filter, two.query.filter] == [{"_id": "1"}, {"_id": "2"}]


def test_a_document_or_two_are_read_whole(app: ExecutableApp) -> None:
    outcome = run_handed(app, '{ few { n } thing(id: "1") { n } things { n } }', roots([]))

    assert {read.fields: read.query.projection is None for read in outcome.levels[0]} == {
        ("Query.few",): True,
        ("Query.thing",): True,
        ("Query.things",): False,
    }


def test_root_documents_are_read_with_what_is_wanted_of_them_further_down(app: ExecutableApp) -> None:
    outcome = run_handed(app, "{ things { one { rooted { n } } } }", roots([]))

    assert bson.decode(outcome.levels[0][0].query.projection.raw) == {"a": 1, "lang": 1, "_id": 0}


def test_documents_that_are_looked_up_come_with_the_field_that_tells_who_asked(app: ExecutableApp) -> None:
    outcome = run_handed(app, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}]))

    assert bson.decode(outcome.levels[1][0].query.projection.raw) == {"n": 1, "_id": 1}


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_merged_call_that_fails_is_asked_one_by_one(app: ExecutableApp) -> None:
    def below(read: Read) -> list[Document] | StoreError:
        wanted = read.query.filter["_id"]
        if wanted == "y" or isinstance(wanted, dict):
            return QueryRefusedError("not that one")
        return [{"_id": wanted, "n": 1}]

    outcome = run_handed(app, "{ things { one { n } } }", roots([{"a": "x"}, {"a": "y"}, {"a": "z"}], below))

    assert filters(outcome) == [[{"_id": {"$in": ["x", "y", "z"]}}], [{"_id": "x"}, {"_id": "y"}, {"_id": "z"}]]
    assert outcome.data == {"things": [{"one": {"n": 1}}, {"one": None}, {"one": {"n": 1}}]}
    assert [error.path for error in outcome.errors] == [["things", 1, "one"]]


def test_a_root_field_that_fails_leaves_the_others(app: ExecutableApp) -> None:
    def hand(read: Read) -> list[Document] | StoreError:
        return QueryRefusedError("no") if read.fields == ("Query.things",) else [{"n": 1}]

    outcome = run_handed(app, '{ things { n one { n } } thing(id: "x") { n } }', hand)

    assert outcome.data == {"things": None, "thing": {"n": 1}}
    assert [error.path for error in outcome.errors] == [["things"]]


@pytest.mark.parametrize(
    ("text", "data", "paths"),
    [
        ("{ mechanics(limit: 101) { name } }", {"mechanics": None}, [["mechanics"]]),
        (
            '{ a: mechanic(id: "m1") { name } mechanics(skip: -1) { name } }',
            {"a": {"name": "Ada"}, "mechanics": None},
            [["mechanics"]],
        ),
        (
            "{ mechanics { name jobs(limit: 500) { id } } }",
            {"mechanics": [{"name": "Ada", "jobs": None}, {"name": "Bo", "jobs": None}]},
            [["mechanics", 0, "jobs"], ["mechanics", 1, "jobs"]],
        ),
    ],
)
def test_arguments_that_a_mapping_refuses_are_errors_of_their_fields(text: str, data: Any, paths: list[Any]) -> None:
    outcome = run_handed(build(workshop_definition("acme")), text, roots(MECHANICS))

    assert outcome.data == data
    assert [error.path for error in outcome.errors] == paths


# --- values that are no documents ------------------------------------------------------------------------------------


def test_fields_below_what_is_no_document_ask_nothing(app: ExecutableApp) -> None:
    documents: list[Document] = [{"o": None}, {"o": "text"}, {"o": 5}, {"o": {}}]

    outcome = run_handed(app, "{ things { o { one { n } } } }", roots(documents))

    assert len(outcome.levels) == 1
    assert outcome.data == {"things": [{"o": None}, *[{"o": {"one": None}}] * 3]}


def test_a_list_in_the_place_of_an_object_gives_a_list_of_keys(app: ExecutableApp) -> None:
    """Paths apply to the elements of lists, so the key is a list; MongoDB looks for one that equals it."""
    outcome = run_handed(
        app, "{ things { o { one { n } } } }", roots([{"o": [{"a": "x"}, {"a": "y"}]}], lambda read: [{"n": 1}])
    )

    assert filters(outcome) == [[{"_id": {"$eq": ["x", "y"]}}]] or filters(outcome) == [[{"_id": ["x", "y"]}]]
    assert outcome.data == {"things": [{"o": {"one": {"n": 1}}}]}


def test_many_levels_are_walked_without_recursion_over_documents(app: ExecutableApp) -> None:
    """A chain of documents, each asked when the one before has come."""
    text = "{ things { " + "one { " * 22 + "n" + " }" * 24
    stored = [{"_id": f"k{n}", "a": f"k{n + 1}", "n": n} for n in range(30)]

    outcome = run_handed(app, text, roots([{"a": "k0"}], by_id(stored)))

    assert len(outcome.levels) == 1 + 22
    assert [len(level) for level in outcome.levels] == [1] * 23
    assert Bounds().max_depth >= 24
