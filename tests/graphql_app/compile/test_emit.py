"""What compiled functions are made of, and that they shape what is stored as graphql-core completes it."""

import ast
import re
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, Final

import pytest

from content_core.documents import Document
from content_core.store import Store
from graphql_app.compile import emit
from graphql_app.compile.program import Program, compile_operation
from graphql_app.plan import coerce_variables, parse_operations, select_operation
from graphql_app.plan.guards import Bounds
from graphql_app.schema.build import ExecutableApp
from tests.graphql_app.compile.workbench import (
    answer_both_ways,
    compile_text,
    make_app,
    make_definition,
    prepare,
    run_handed,
)

HOSTILE: Final = [
    "a\n    b",
    "'",
    '"',
    '"""',
    "\\",
    "\\N{BULLET}",
    "'); import os; os_abort(); ('",
    '"]; c = None; x["',
    "{c}",
    "%s",
    "#",
    "\r\n\t",
    " ",
    "__class__",
    "get",
    "ä\u2028😀",
    "c",
]
NAMES: Final = ["__import__", "__builtins__", "c", "s", "r", "p", "x", "q", "root", "type", "dict", "None", "lambda"]
OWN_NAME: Final = re.compile(r"[a-z]|[a-zA-Z]\d+|g[a-z]\d*|q[a-z]\d+|root")
OWN_ATTRIBUTES: Final = {"answer", "caught", "error", "errors", "fetched", "get", "value", "walk", "want"}


def aliased(names: list[str], field: str) -> str:
    return " ".join(f"{name}: {field}" for name in names)


def capture(monkeypatch: pytest.MonkeyPatch, app: ExecutableApp, text: str) -> ast.AST:
    """Compile an operation and give the tree that its functions were made from."""
    trees: list[Any] = []

    def compile_and_keep(tree: Any, *arguments: Any) -> Any:
        trees.append(tree)
        return compile(tree, *arguments)

    monkeypatch.setattr(emit, "compile", compile_and_keep, raising=False)
    compile_text(app, text)
    (tree,) = trees
    assert isinstance(tree, ast.AST)
    return tree


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Give everything in a tree that is a name and no constant."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant():
                continue
            case ast.Name(name) | ast.FunctionDef(name) | ast.arg(name):
                yield name
            case ast.Attribute(attr=name):
                yield f".{name}"
            case _:
                texts = (value for _, value in ast.iter_fields(node) if isinstance(value, str))
                yield from texts


def codes(program: Program) -> Iterator[CodeType]:
    """Give the code of all functions of a program."""
    pending = [value.__code__ for value in namespace(program).values() if isinstance(value, FunctionType)]
    for code in pending:
        if code.co_filename == "<operation>":
            yield code
        pending += [inner for inner in code.co_consts if isinstance(inner, CodeType)]


def namespace(program: Program) -> Document:
    """Give what the functions of a program can name."""
    return program.functions.shape.__globals__


# --- nothing of a query becomes code ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile_app() -> ExecutableApp:
    place = {"db": "acme", "collection": "things"}
    fields = " ".join(f"f{n}: String o{n}: O" for n in range(len(HOSTILE)))
    paths = {f"f{n}": path for n, path in enumerate(HOSTILE)} | {
        f"o{n}": f"{path}.{path}" for n, path in enumerate(HOSTILE)
    }
    looked_up = place | {"find": {"_id": {"$fk": 'a"\n b'}, 'k"\n': {"$arg": "word"}}}
    return make_app(
        f"type T {{ {fields} up(word: String): T u: U }} type O {{ name: String }} union U = T | O",
        {
            "T": paths | {"up": looked_up},
            "U": {
                "$typeResolver": {"T": "field-eq(field=kind, value='\"T\\n\"')", "O": "field-eq(field=k, value='1')"}
            },
        },
    )


def hostile_text() -> str:
    fields = " ".join(f"f{n} o{n} {{ name }}" for n in range(len(HOSTILE)))
    up = r'up(word: "\"\n    c.errors = None\n\u2028") { f0 }'
    return f"{{ things {{ {aliased(NAMES, 'f0')} {fields} {up} u {{ __typename ... on T {{ f1 }} }} }} }}"


def test_names_and_values_of_a_query_are_constants_of_the_tree(
    hostile_app: ExecutableApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = capture(monkeypatch, hostile_app, hostile_text())

    known = {"bool", "dict", "enumerate", "Exception", "Failed", "float", "int", "list", "str", "type"}
    strangers = {
        name
        for name in identifiers(tree)
        if not (name in known or OWN_NAME.fullmatch(name) or name.removeprefix(".") in OWN_ATTRIBUTES)
    }
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert strangers == set()
    assert {"__import__", "lambda", "things", "a\n    b", '"', "\\"} <= constants


def test_names_and_values_of_a_query_are_constants_of_the_code(hostile_app: ExecutableApp) -> None:
    program = compile_text(hostile_app, hostile_text())

    used = {name for code in codes(program) for name in (*code.co_names, *code.co_varnames, *code.co_freevars)}

    assert len(used) > 50
    assert used.isdisjoint({*HOSTILE, *NAMES} - {"c", "s", "r", "p", "x", "q", "type", "dict", "get", "root"})
    known = {"bool", "dict", "enumerate", "Exception", "Failed", "float", "int", "list", "str", "type", ".0"}
    assert {name for name in used if not OWN_NAME.fullmatch(name)} - known - OWN_ATTRIBUTES == set()


def test_functions_reach_no_built_ins_but_those_they_need(hostile_app: ExecutableApp) -> None:
    names = namespace(compile_text(hostile_app, hostile_text()))

    for forbidden in ("__import__", "open", "eval", "exec", "getattr", "globals", "compile", "print"):
        with pytest.raises(NameError):
            eval(forbidden, names)
    plain = {name for name in names if not OWN_NAME.fullmatch(name)}
    known = {"bool", "dict", "enumerate", "Exception", "Failed", "float", "int", "list", "str", "type"}
    assert plain == {*known, "__builtins__"}


def test_no_part_of_the_tree_imports_or_writes_attributes(
    hostile_app: ExecutableApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = capture(monkeypatch, hostile_app, hostile_text())

    kinds = {type(node) for node in ast.walk(tree)}
    forbidden = {ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Lambda, ast.JoinedStr, ast.Delete, ast.With}
    assert kinds.isdisjoint(forbidden)
    written = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript)]
    assert all(isinstance(node.ctx, ast.Load) for node in written)


async def test_hostile_names_are_read_and_answered(store: Store, database: str) -> None:
    """The document has all these keys, and the answer all these aliases."""
    sdl = "type T { " + " ".join(f"f{n}: String o{n}: [String]" for n in range(len(HOSTILE))) + " }"
    paths = {f"f{n}": path for n, path in enumerate(HOSTILE)} | {
        f"o{n}": f"in.{path}" for n, path in enumerate(HOSTILE)
    }
    keys = {path: f"value {n}" for n, path in enumerate(HOSTILE)}
    await store.bulk_replace(database, "things", [keys | {"_id": n, "in": [keys, 1, None]} for n in range(3)])
    fields = " ".join(f"f{n} o{n}" for n in range(len(HOSTILE)))
    active = await prepare(store, make_definition(sdl, {"T": paths}, tenant=database))

    compiled, interpreted = await answer_both_ways(active, store, f"{{ things {{ {aliased(NAMES, 'f0')} {fields} }} }}")

    thing: Document = dict.fromkeys(NAMES, "value 0")
    for n in range(len(HOSTILE)):
        thing |= {f"f{n}": f"value {n}"} | {f"o{n}": [f"value {n}", None, None]}
    assert compiled == {"data": {"things": [thing] * 3}}
    assert compiled == interpreted


# --- size and order --------------------------------------------------------------------------------------------------

DEEP = make_app(
    "type T { n: Int m: Int! o: T many: [T!]! up: T }",
    {"T": {"up": {"db": "acme", "collection": "things", "find": {"_id": {"$fk": "n"}}}}},
)


def nest(levels: int, link: str, leaf: str) -> str:
    return leaf if levels == 0 else f"{leaf} {link} {{ {nest(levels - 1, link, leaf)} }}"


def stored(levels: int, link: str, number: int) -> Document:
    document: Document = {"n": number, "m": number}
    if levels:
        inner = stored(levels - 1, link, number + 1)
        document[link] = [inner] if link == "many" else inner
    return document


def shown(levels: int, link: str, leaf: str, number: int) -> Document:
    document: Document = {leaf: number}
    if levels:
        inner = shown(levels - 1, link, leaf, number + 1)
        document[link] = [inner] if link == "many" else inner
    return document


@pytest.mark.parametrize("link", ["o", "many"])
@pytest.mark.parametrize("leaf", ["n", "m"])
@pytest.mark.parametrize("levels", [1, 9, 17, 18, 19, 23])
def test_deep_operations_compile(levels: int, leaf: str, link: str) -> None:
    """With a non-null field at each level, each level catches null; Python allows 20 blocks inside each other."""
    outcome = run_handed(DEEP, f"{{ things {{ {nest(levels, link, leaf)} }} }}", lambda read: [stored(levels, link, 0)])

    assert outcome.data == {"things": [shown(levels, link, leaf, 0)]}
    assert outcome.errors == []


def test_deep_operations_that_look_up_at_the_bottom_compile() -> None:
    text = "{ things { " + "m o { " * 20 + "m up { n }" + " }" * 22

    outcome = run_handed(
        DEEP, text, lambda read: [stored(20, "o", 0)] if read.fields == ("Query.things",) else [{"_id": 20, "n": 5}]
    )

    innermost = outcome.data["things"][0]
    for _ in range(20):
        innermost = innermost["o"]
    assert innermost == {"m": 20, "up": {"n": 5}}


@pytest.mark.parametrize("leaf", ["n", "m", "up { n }"])
def test_much_deeper_operations_compile_where_the_bounds_allow_them(leaf: str) -> None:
    text = f"{{ things {{ {nest(150, 'o', leaf)} }} }}"
    bounds = Bounds(max_depth=1_000, max_fields=10_000)
    operations = parse_operations(DEEP.schema, text, max_tokens=100_000, max_errors=10, bounds=bounds)
    plan = select_operation(DEEP.schema, operations, None)

    program = compile_operation(DEEP, plan.operation, {}, coerce_variables(plan, {}))

    assert program.size == 1 + 150 + 151 * (2 if leaf.startswith("up") else 1)


def test_wide_operations_compile() -> None:
    app = make_app("type T { n: Int m: Int! }")
    fields = " ".join(f"a{n}: {'nm'[n % 2]}" for n in range(1_500))
    bounds = Bounds(max_aliases=10_000)
    operations = parse_operations(
        app.schema, f"{{ things {{ {fields} }} }}", max_tokens=100_000, max_errors=10, bounds=bounds
    )
    plan = select_operation(app.schema, operations, None)

    program = compile_operation(app, plan.operation, {}, coerce_variables(plan, {}))

    assert program.size == 1_501


@pytest.mark.parametrize(
    ("selected", "keys"),
    [
        ("b a c", ["b", "a", "c"]),
        ("c z: a b y: b a", ["c", "z", "b", "y", "a"]),
        ("a ...F b", ["a", "c", "b"]),
        ("... on T { b } __typename a", ["b", "__typename", "a"]),
        ("up { a } b o { c a } a", ["up", "b", "o", "a"]),
    ],
)
def test_keys_come_in_the_order_of_the_selection(selected: str, keys: list[str]) -> None:
    """Stored fields have an order of their own, and fields that run queries come with the others."""
    up = {"db": "acme", "collection": "things", "find": {"_id": {"$fk": "a"}}}
    app = make_app("type T { a: Int b: Int c: Int o: T up: T }", {"T": {"up": up}})
    fragment = "fragment F on T { c b }" if "F" in selected else ""

    outcome = run_handed(app, f"{{ things {{ {selected} }} }} {fragment}", lambda read: [{"b": 1, "o": {}, "a": 2}])

    assert list(outcome.data["things"][0]) == keys


def test_root_keys_come_in_the_order_of_the_selection() -> None:
    app = make_app("type T { a: Int }")

    outcome = run_handed(app, "{ z: things { a } __typename b: things { a } }", lambda read: [])

    assert list(outcome.data.items()) == [("z", []), ("__typename", "Query"), ("b", [])]


# --- the usual and the unusual value ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        ("String", "x", "x"),
        ("ID", "x", "x"),
        ("ID", 7, "7"),
        ("Int", 2**31 - 1, 2**31 - 1),
        ("Int", -(2**31), -(2**31)),
        ("Int", 5.0, 5),
        ("Float", 1.5, 1.5),
        ("Float", 3, 3.0),
        ("Boolean", False, False),
        ("Int", 0, 0),
        ("String", "", ""),
    ],
)
def test_values_of_their_type_are_their_own_answers(type_: str, value: Any, shown: Any) -> None:
    outcome = run_handed(make_app(f"type T {{ f: {type_} }}"), "{ things { f } }", lambda read: [{"f": value}])

    assert outcome.data == {"things": [{"f": shown}]}
    assert type(outcome.data["things"][0]["f"]) is type(shown)
    assert outcome.errors == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("Int", 2**31),
        ("Int", True),
        ("Int", 1.5),
        ("Float", float("nan")),
        ("Float", float("inf")),
        ("Boolean", 1),
        ("Boolean", "true"),
        ("String", {}),
        ("Int", [1]),
    ],
)
async def test_values_of_another_type_are_what_graphql_core_makes_of_them(
    type_: str, value: Any, store: Store, database: str
) -> None:
    await store.bulk_replace(database, "things", [{"_id": 1, "f": value}, {"_id": 2}])
    active = await prepare(store, make_definition(f"type T {{ f: {type_} g: {type_}! }}", tenant=database))

    compiled, interpreted = await answer_both_ways(active, store, "{ things { f } must: things { g } }")

    assert compiled == interpreted
    assert compiled["data"]["must"] == [None, None]
    assert compiled["data"]["things"][1] == {"f": None}
