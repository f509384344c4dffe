"""Types of CEL and how they relate: what may stand where, what joins with what, how messages print them. Source: cel-go's checker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from proa.lib.dataclass import dataclass

MAX_REQUEST = 3 * 1024 * 1024
"""No request carries more bytes: what bounds a string or list that declares no bound."""


@dataclass(eq=False)
class Type:
    """`kind` is bool, int, uint, double, string, bytes, null, timestamp, duration, dyn, error, list, map, type, optional, parameter, object
    or opaque. `name` is what messages print for what has no fixed name. `size` bounds elements (of strings: bytes), -1: unknown."""

    kind: str
    name: str = ""
    parameters: tuple[Type, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    size: int = -1
    collection: str = ""
    """"set" or "map" for lists whose order does not count (x-kubernetes-list-type)."""
    keys: tuple[str, ...] = ()
    smallest: int = 2
    """Bytes that a value takes at least when serialized."""

    def __str__(self) -> str:
        if self.kind == "list":
            return f"list({self.parameters[0]})"
        if self.kind == "map":
            return f"map({self.parameters[0]}, {self.parameters[1]})"
        if self.kind == "optional":
            return f"optional_type({self.parameters[0]})"
        if self.kind == "type":
            return f"type({self.parameters[0]})" if self.parameters else "type"
        return self.name or _NAMES.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object: `key` is its name in the value where CEL can't spell that."""

    type: Type
    key: str


_NAMES = {"null": "null_type", "error": "!error!", "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}
BOOL, INT, UINT, DOUBLE = Type("bool", smallest=4), Type("int", smallest=1), Type("uint", smallest=1), Type("double", smallest=1)
STRING, BYTES, NULL, DYN, ERROR = Type("string"), Type("bytes"), Type("null", smallest=4), Type("dyn", smallest=1), Type("error")
TIMESTAMP, DURATION, TYPE = Type("timestamp"), Type("duration"), Type("type")


def list_of(element: Type) -> Type:
    return Type("list", parameters=(element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", parameters=(key, value))


def optional_of(inner: Type) -> Type:
    return Type("optional", parameters=(inner,))


def type_of(inner: Type) -> Type:
    return Type("type", parameters=(inner,))


def parameter(name: str) -> Type:
    return Type("parameter", name)


def opaque(name: str) -> Type:
    return Type("opaque", name)


def object_type(name: str, fields: Mapping[str, Type], *, smallest: int = 2) -> Type:
    """A type whose fields have the names that values have."""
    return Type("object", name, fields={key: Field(each, key) for key, each in fields.items()}, smallest=smallest)


Bindings = dict[str, Type]
_DYNAMIC = frozenset({"dyn", "error"})
_NULLABLE = frozenset({"null", "object", "opaque", "timestamp", "duration", "optional"})


def resolve(given: Type, bindings: Bindings) -> Type:
    while given.kind == "parameter" and given.name in bindings:
        given = bindings[given.name]
    return given


def assignable(target: Type, given: Type, bindings: Bindings) -> bool:
    """Whether `given` may stand where `target` is asked; binds type parameters on the way."""
    target, given = resolve(target, bindings), resolve(given, bindings)
    if target is given:
        return True
    if target.kind == "parameter" or given.kind == "parameter":
        return _bind(target, given, bindings)
    if target.kind in _DYNAMIC or given.kind in _DYNAMIC:
        return True
    if given.kind == "null":
        return target.kind in _NULLABLE
    if target.kind != given.kind:
        return target.kind == "null" and given.kind in _NULLABLE
    if target.kind in ("object", "opaque") and target.name != given.name:
        return False
    if target.kind == "type" and not (target.parameters and given.parameters):
        return True
    pairs = zip(target.parameters, given.parameters, strict=False)
    return all(assignable(one, other, bindings) for one, other in pairs)


def _bind(target: Type, given: Type, bindings: Bindings) -> bool:
    free, bound = (target, given) if target.kind == "parameter" else (given, target)
    if bound.kind == "parameter" and bound.name == free.name:
        return True
    if _occurs(free.name, bound, bindings):
        return False
    bindings[free.name] = bound
    return True


def _occurs(name: str, within: Type, bindings: Bindings) -> bool:
    within = resolve(within, bindings)
    if within.kind == "parameter":
        return within.name == name
    return any(_occurs(name, each, bindings) for each in within.parameters)


def substitute(given: Type, bindings: Bindings, *, free_as: Type | None = None) -> Type:
    """The type with its parameters replaced; those that nobody bound by `free_as`."""
    given = resolve(given, bindings)
    if given.kind == "parameter":
        return free_as or given
    if not given.parameters:
        return given
    inner = tuple(substitute(each, bindings, free_as=free_as) for each in given.parameters)
    if all(one is other for one, other in zip(inner, given.parameters, strict=True)):
        return given
    return Type(given.kind, given.name, inner, given.fields, given.size, given.collection, given.keys, given.smallest)


def joined(one: Type, other: Type, bindings: Bindings) -> Type:
    """What holds for both."""
    if one.kind == "dyn" or other.kind == "dyn":
        return DYN
    trial = dict(bindings)
    if assignable(one, other, trial):
        bindings.update(trial)
        return one
    trial = dict(bindings)
    if assignable(other, one, trial):
        bindings.update(trial)
        return other
    return DYN


def same(one: Type, other: Type) -> bool:
    if one.kind != other.kind or (one.kind in ("object", "opaque", "parameter") and one.name != other.name):
        return False
    return len(one.parameters) == len(other.parameters) and all(map(same, one.parameters, other.parameters))


def told(types: Iterable[Type]) -> str:
    return ", ".join(map(str, types))
