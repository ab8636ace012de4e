"""Random applications: types, paths, queries and predicates of every kind that a definition may hold."""

from collections.abc import Sequence
from typing import Any, Final

from content_core.documents import Document
from tests.graphql_app.equality.dice import Dice
from tests.graphql_app.equality.model import DATABASE, SCALARS, AppModel, Argument, FieldModel, TypeModel

__all__ = ["draw_application"]

_COLLECTIONS: Final = ("c0", "c1")
_STORED: Final[tuple[Any, ...]] = (
    None,
    0,
    1,
    "x",
    True,
    1.5,
    {"$oid": "0123456789abcdef01234567"},
    {"$numberLong": "3"},
    {"n": 1},
)
_WRAPPERS: Final = (
    "{}",
    "{}",
    "{}",
    "[{}]",
    "[{}]",
    "{}!",
    "[{}!]",
    "[{}]!",
    "[{}!]!",
    "[[{}]]",
    "[[{}!]]",
    "[[{}]!]!",
)
_LIST_WRAPPERS: Final = ("[{}]", "[{}]", "[{}]", "[{}]", "[{}]", "[{}!]", "[{}]!", "[{}!]!")
_SINGLE_WRAPPERS: Final = ("{}", "{}", "{}", "{}", "{}!")
_PATHS: Final = (
    *("{}", "{}", "{}", "{}", "sub.{}", "sub.{}", "sub.sub.{}", "items.0.{}", "items.{}", "items.{}"),
    *("{}.0", "{}.1.0", "grid.{}", "sub.items.{}", "map.0.{}", "sp ace.{}", "ünï.{}", "*.{}", "[].{}", "{}."),
    "d.d.d.d.d.d.d.d.d.d.d.d.d.d.{}",
)
_CONTAINERS: Final = (
    "sub",
    "items",
    "grid",
    "sub.sub",
    "items.0",
    "_id",
    "_id.a",
    "map.0",
    "ref",
    "refs",
    "k",
    "items.ref",
    "nothing",
)

_LIMITS: Final[tuple[tuple[Any, tuple[Argument, ...]], ...]] = (
    (3, ()),
    (None, ()),
    ({"$arg": "limit"}, (Argument("limit", "Int", "Int", "3"),)),
    ({"$arg": ["limit", 2]}, (Argument("limit", "Int", "Int"),)),
    ({"$arg": "limit"}, (Argument("limit", "Int", "Int"),)),
    ({"$arg": "options.limit"}, (Argument("options", "Options", "Options"),)),
    (1, ()),
    (0, ()),
    ({"$arg": "limit"}, (Argument("limit", "Int!", "Int", "2"),)),
    ({"$arg": "limit"}, ()),
)
_LOAD_LIMITS: Final = (*_LIMITS, ({"$fk": "k"}, ()))
_SKIPS: Final[tuple[tuple[Any, tuple[Argument, ...]], ...]] = (
    (None, ()),
    (None, ()),
    (None, ()),
    ({"$arg": "skip"}, (Argument("skip", "Int", "Int", "0"),)),
    ({"$arg": ["skip", 1]}, (Argument("skip", "Int", "Int"),)),
    (1, ()),
    (1.0, ()),
)
_SORTS: Final[tuple[tuple[Any, tuple[Argument, ...]], ...]] = (
    (None, ()),
    ({"_id": 1}, ()),
    ({"_id": -1}, ()),
    ({"k": 1, "_id": 1}, ()),
    ({"$arg": ["order", {"_id": 1}]}, (Argument("order", "BsonDocument", "sort"),)),
    ({"sub.k": -1, "_id": {"$arg": ["direction", -1]}}, (Argument("direction", "Int", "Int"),)),
)
_TO_ONE: Final[tuple[Document, ...]] = (
    {"_id": {"$fk": "ref"}},
    {"_id": {"$fk": "ref"}},
    {"_id": {"$fk": "sub.ref"}},
    {"_id": {"$fk": "refs.0"}},
    {"k": {"$fk": "ref"}},
    {"sub.k": {"$fk": "k"}},
    {"_id": {"$eq": {"$fk": "ref"}}},
    {"_id": {"$fk": "items.0.ref"}},
    {"ref": {"$fk": "_id"}},
    {"k": {"$fk": "items.ref"}},
)
_TO_MANY: Final[tuple[Document, ...]] = (
    {"_id": {"$in": {"$fk": "refs"}}},
    {"_id": {"$in": {"$fk": "refs"}}},
    {"_id": {"$in": {"$fk": "items.ref"}}},
    {"k": {"$in": {"$fk": "refs"}}},
    {"ref": {"$fk": "_id"}},
    {"refs": {"$fk": "_id"}},
    {"k": {"$fk": "k"}},
    {"items.ref": {"$fk": "_id"}},
    {"_id": {"$in": [{"$fk": "ref"}, {"$fk": "sub.ref"}, 1]}},
    {"_id": {"$in": {"$fk": "ref"}}},
    {"$or": [{"_id": {"$fk": "ref"}}, {"k": {"$in": {"$fk": "refs"}}}]},
    {"_id": {"$nin": {"$fk": "refs"}}},
    {"$expr": {"$eq": ["$_id", {"$fk": "ref"}]}},
)
_ROOTS: Final[tuple[tuple[Document | None, tuple[Argument, ...]], ...]] = (
    (None, ()),
    ({}, ()),
    ({"$arg": ["filter", {}]}, (Argument("filter", "BsonDocument", "BsonDocument"),)),
    ({"_id": {"$arg": "id"}}, (Argument("id", "ID!", "ID"),)),
    ({"_id": {"$arg": ["id", "a"]}}, (Argument("id", "JSON", "JSON"),)),
    ({"_id": {"$in": {"$arg": "keys"}}}, (Argument("keys", "[Int]", "[Int]", "[1, 2]"),)),
    ({"$and": [{"kind": "T0"}, {"$arg": ["filter", {}]}]}, (Argument("filter", "BsonDocument", "BsonDocument"),)),
    ({"_id": {"$in": [1, 2, 3, "a"]}}, ()),
)
_CONDITIONS: Final[tuple[tuple[Document, tuple[Argument, ...]], ...]] = (
    ({"kind": "T0"}, ()),
    ({"kind": {"$ne": "T1"}}, ()),
    ({"k": {"$arg": ["rootDoc.k", None]}}, ()),
    ({"k": {"$arg": "rootDoc.k"}}, ()),
    ({"_id": {"$arg": "rootDoc._id"}}, ()),
    ({"ref": {"$arg": ["rootDoc.items[0].ref", None]}}, ()),
    ({"sub": {"$arg": ["rootDoc.sub", None]}}, ()),
    ({"kind": {"$ne": {"$arg": ["rootDoc", None]}}}, ()),
    ({"k": {"$gte": {"$arg": "least"}}}, (Argument("least", "Int", "Int", "1"),)),
    ({"k": {"$arg": ["word", "x"]}}, (Argument("word", "String", "String"),)),
    ({"k": {"$in": {"$arg": ["options.keys", [1, 2]]}}}, (Argument("options", "Options", "Options", "{}"),)),
    ({"k": {"$arg": "options.inner.word"}}, (Argument("options", "Options!", "Options", '{inner: {word: "x"}}'),)),
    ({"$or": [{"k": 1}, {"$arg": ["filter", {"k": "x"}]}]}, (Argument("filter", "BsonDocument", "BsonDocument"),)),
    ({"state": {"$arg": "state"}}, (Argument("state", "E0", "E0", "V0"),)),
    ({"state": {"$arg": ["state", 1]}}, (Argument("state", "E0", "E0"),)),
)

_FILTER: Final = Argument("filter", "BsonDocument", "BsonDocument")
_LEAST: Final = Argument("least", "Int", "Int")
_ROOT_STAGES: Final[tuple[tuple[list[Document], tuple[Argument, ...]], ...]] = (
    ([{"$sort": {"_id": 1}}], ()),
    ([], ()),
    ([{"$match": {"$arg": ["filter", {}]}}, {"$sort": {"_id": -1}}, {"$limit": 3}], (_FILTER,)),
    (
        [
            {"$ifarg": ["least", {"$match": {"k": {"$gte": {"$arg": "least"}}}}, {"$match": {"kind": "T0"}}]},
            {"$sort": {"_id": 1}},
            {"$ifarg": [["least", "filter"], {"$limit": 1}]},
        ],
        (_LEAST, _FILTER),
    ),
    ([{"$group": {"_id": "$kind", "k": {"$sum": 1}, "f0": {"$min": "$_id"}}}, {"$sort": {"_id": 1}}], ()),
    ([{"$sort": {"_id": 1}}, {"$unwind": "$items"}, {"$replaceRoot": {"newRoot": "$items"}}], ()),
    ([{"$sort": {"_id": 1}}, {"$set": {"f0": {"$arg": "@user.tenant"}, "f1": {"$arg": "@user"}}}], ()),
    (
        [
            {"$sort": {"_id": 1}},
            {"$lookup": {"from": "c1", "localField": "ref", "foreignField": "_id", "as": "items"}},
            {"$skip": {"$arg": ["skip", 0]}},
        ],
        (Argument("skip", "Int", "Int"),),
    ),
    ([{"$match": {"$or": 1}}], ()),
    ([{"$count": "k"}], ()),
)
_STAGES: Final[tuple[tuple[list[Document], tuple[Argument, ...]], ...]] = (
    ([{"$match": {"_id": {"$fk": "ref"}}}], ()),
    ([{"$match": {"_id": {"$in": {"$fk": "refs"}}}}, {"$sort": {"_id": 1}}], ()),
    ([{"$match": {"ref": {"$fk": "_id"}}}, {"$group": {"_id": None, "k": {"$sum": 1}}}], ()),
    ([{"$match": {"k": {"$arg": "rootDoc.k"}}}, {"$sort": {"_id": 1}}, {"$limit": {"$arg": ["least", 2]}}], (_LEAST,)),
    ([{"$match": {"_id": {"$arg": "rootDoc._id"}}}, {"$unwind": "$refs"}, {"$project": {"ref": "$refs"}}], ()),
    ([{"$sort": {"_id": 1}}, {"$set": {"f0": {"$fk": "ref"}, "items": {"$fk": "items.ref"}}}, {"$limit": 2}], ()),
    ([{"$facet": {"items": [{"$match": {"_id": {"$fk": "ref"}}}], "f0": [{"$count": "k"}]}}], ()),
)
_ROOT_CONDITIONS: Final = tuple(one for one in _CONDITIONS if "rootDoc" not in str(one[0]) or "None" in str(one[0]))
"""Fields of ``Query`` have no root document; a definition that forgets the default is refused."""


def draw_application(dice: Dice) -> AppModel:
    """Draw an application of one to three object types, an interface, a union, an enum or two."""
    return _Drawing(dice).application()


class _Drawing:
    """One application on its way."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._objects = tuple(f"T{n}" for n in range(dice.number(1, 3)))
        self._interface = "I0" if dice.chance(55) else None
        self._union = "U0" if dice.chance(55) else None
        self._implementors = self._members() if self._interface else ()
        self._abstract = tuple(name for name in (self._interface, self._union) if name)
        self._enums = {
            f"E{n}": {f"V{v}": dice.pick(_STORED) for v in range(dice.number(1, 4))} for n in range(1 + dice.chance(30))
        }

    def application(self) -> AppModel:
        shared = self._shared_fields() if self._interface else []
        types = {"Query": TypeModel("object", "Query", self._query_fields())}
        for name in self._objects:
            inherited = shared if name in self._implementors else []
            fields = {one.name: one for one in (*map(self._remapped, inherited), *self._object_fields())}
            implements = (self._interface,) if self._interface and name in self._implementors else ()
            types[name] = TypeModel("object", name, fields, implements=implements)
        if self._interface:
            fields = {one.name: FieldModel(one.name, one.type, None, one.arguments) for one in shared}
            types[self._interface] = self._abstract_type("interface", self._interface, self._implementors, fields)
        if self._union:
            types[self._union] = self._abstract_type("union", self._union, self._members(), {})
        places = {name: (self._dice.number(0, 1), self._dice.chance(30)) for name in self._objects}
        collections = {
            f"c{n}": tuple(name for name, (place, both) in places.items() if both or place == n) or self._objects[:1]
            for n in range(2)
        }
        return AppModel(types, self._enums, collections)

    def _members(self) -> tuple[str, ...]:
        some = self._dice.several(self._objects, 1, len(self._objects))
        return tuple(name for name in self._objects if name in some)

    def _abstract_type(self, kind: str, name: str, members: Sequence[str], fields: dict[str, FieldModel]) -> TypeModel:
        resolver = {member: self._predicate(member) for member in self._dice.shuffled(members)}
        return TypeModel(kind, name, fields, tuple(members), (), resolver)

    def _predicate(self, member: str) -> str:
        plain = f"field-eq(field=kind, value='\"{member}\"')"
        number = member[1:]
        options = (
            plain,
            plain,
            plain,
            plain,
            f"{plain} and not value-eq(3)",
            f"field-exists(kind) and {plain}",
            f"field-exists('items[0].ref') or {plain}",
            f"not field-exists(sub.k) and {plain}",
            f"field-eq(field=k, value={number})",
            "value-eq(3) or field-exists(sub.kind)",
            f"field-eq(field=items.kind, value='\"{member}\"')",
            "true",
        )
        return self._dice.pick(options)

    # --- fields ------------------------------------------------------------------------------------------------------

    def _shared_fields(self) -> list[FieldModel]:
        return [
            self._load(f"shared{n}") if self._dice.chance(20) else self._path_field(f"shared{n}")
            for n in range(self._dice.number(1, 2))
        ]

    def _remapped(self, one: FieldModel) -> FieldModel:
        """What an interface declares may be read otherwise by each of its types, and be stricter."""
        strict = one.type if one.type.endswith("!") or not self._dice.chance(20) else f"{one.type}!"
        mapping = self._path(one.name) if isinstance(one.mapping, str | None) else one.mapping
        return FieldModel(one.name, strict, mapping, one.arguments)

    def _object_fields(self) -> list[FieldModel]:
        fields = [FieldModel("_id", self._dice.pick(("ID", "JSON", "ID!", "Int")))]
        for n in range(self._dice.number(1, 5)):
            kind = self._dice.number(0, 9)
            if kind <= 5:
                fields.append(self._path_field(f"f{n}"))
            elif kind == 6:
                fields.append(self._container(f"f{n}"))
            else:
                fields.append(self._load(f"f{n}"))
        return fields

    def _path_field(self, name: str) -> FieldModel:
        kind = self._dice.number(0, 9)
        if kind <= 4:
            inner = self._dice.pick(SCALARS)
        elif kind == 5:
            inner = self._dice.pick(tuple(self._enums))
        elif kind <= 7 or not self._abstract:
            inner = self._dice.pick(self._objects)
        else:
            inner = self._dice.pick(self._abstract)
        arguments = (Argument("unused", "Int!", "Int", "1"),) if self._dice.chance(5) else ()
        return FieldModel(name, self._dice.pick(_WRAPPERS).format(inner), self._path(name), arguments)

    def _path(self, name: str) -> str | None:
        return None if self._dice.chance(15) else self._dice.pick(_PATHS).format(name)

    def _container(self, name: str) -> FieldModel:
        """A field that reads what others read parts of."""
        types = ("JSON", "BsonDocument", "[JSON]", "ID", "[[JSON]]", self._objects[0], f"[{self._objects[-1]}]")
        return FieldModel(name, self._dice.pick(types), self._dice.pick(_CONTAINERS))

    # --- queries -----------------------------------------------------------------------------------------------------

    def _query_fields(self) -> dict[str, FieldModel]:
        fields = {}
        for n in range(self._dice.number(1, 3)):
            if self._dice.chance(15):
                fields[f"q{n}"] = self._aggregation(f"q{n}", _ROOT_STAGES)
                continue
            find, arguments = self._dice.likely(_ROOTS)
            extra = self._dice.pick(_ROOT_CONDITIONS) if find and self._dice.chance(10) else ({}, ())
            joined = find if find is None or not extra[0] else {"$and": [find, extra[0]]}
            fields[f"q{n}"] = self._query(f"q{n}", joined, (*arguments, *extra[1]), plural=not self._dice.chance(25))
        if self._dice.chance(10):
            fields["nothing"] = FieldModel("nothing", self._dice.pick(("Int", self._objects[0], "[Int!]")))
        return fields

    def _aggregation(self, name: str, options: Sequence[tuple[list[Document], tuple[Argument, ...]]]) -> FieldModel:
        stages, arguments = self._dice.likely(options)
        target = self._dice.pick((*self._objects, *self._objects, *self._abstract, "JSON"))
        wrapper = self._dice.pick(_SINGLE_WRAPPERS if self._dice.chance(30) else _LIST_WRAPPERS)
        mapping: Document = {"db": DATABASE, "collection": self._dice.pick(_COLLECTIONS), "stages": stages}
        if self._dice.chance(20):
            mapping["allowDiskUse"] = True
        return FieldModel(name, wrapper.format(target), mapping, arguments)

    def _load(self, name: str) -> FieldModel:
        if self._dice.chance(15):
            return self._aggregation(name, _STAGES)
        plural = self._dice.chance(50)
        find = dict(self._dice.pick(_TO_MANY if plural or self._dice.chance(10) else _TO_ONE))
        extra, arguments = self._conditions(35)
        return self._query(name, find | extra, arguments, plural=plural)

    def _conditions(self, percent: int) -> tuple[Document, tuple[Argument, ...]]:
        return self._dice.pick(_CONDITIONS) if self._dice.chance(percent) else ({}, ())

    def _query(self, name: str, find: Document | None, arguments: tuple[Argument, ...], *, plural: bool) -> FieldModel:
        target = self._dice.pick((*self._objects, *self._objects, *self._abstract, "JSON"))
        mapping: Document = {"db": DATABASE, "collection": self._dice.pick(_COLLECTIONS)}
        if find is not None:
            mapping["find"] = find
        declared = {argument.name: argument for argument in arguments}
        limits = _LIMITS if name.startswith("q") else _LOAD_LIMITS
        parts = (("sort", _SORTS), ("skip", _SKIPS), ("limit", limits))
        for member, options in parts if plural or self._dice.chance(10) else ():
            part, more = self._dice.likely(options)
            if part is not None:
                mapping[member] = part
            for argument in more:
                declared.setdefault(argument.name, argument)
        if self._dice.chance(10):
            mapping["dataLoader"] = {"batching": True, "caching": True, "maxBatchSize": 2}
        wrappers = _LIST_WRAPPERS if plural else _SINGLE_WRAPPERS
        return FieldModel(name, self._dice.pick(wrappers).format(target), mapping, tuple(declared.values()))
