"""What Go's decoder says of a body, said from a schema: values of a wrong type, unknown fields, and nulls that vanish.

Two passes. The first is compiled from the schema into closures that only answer "nothing is wrong here", and nearly every write ends
there, in microseconds; on its way it drops null fields. Only a body with something odd is walked again, by `validation_walk`, which knows
paths, prunes in place and words what it finds as upstream does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proa.api.errors import BadRequest, Cause
from proa.api.schema_node import SchemaNode
from proa.api.strict_json import YAML_COMPLAINT
from proa.api.validation_scalars import SCALAR_CHECKS
from proa.api.validation_walk import walk
from proa.lib.dataclass import dataclass

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a body: paths of unknown fields ("spec.containers[0].foo") and values of a wrong type, each in document order."""

    unknown: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()


NOTHING = Findings()


def compile_decoder(node: SchemaNode) -> Callable[[Any], Findings]:
    """A function that prunes a value in place to what the schema knows and reports what it met. Compiled at its first use."""
    check: Check | None = None

    def decode(value: Any) -> Findings:
        nonlocal check
        if check is None:
            check = _check(node)
        try:
            if check(value):
                return NOTHING
            return Findings(*walk(node, value))
        except RecursionError:
            return Findings(causes=(Cause("", "json: exceeded max depth"),))

    return decode


def compile_pruner(node: SchemaNode) -> Callable[[Any], Sequence[str]]:
    """A function that removes unknown fields and nulls in place and returns the paths of the unknown ones."""
    decode = compile_decoder(node)
    return lambda value: decode(value).unknown


def compile_validator(node: SchemaNode) -> Callable[[Any], Sequence[Cause]]:
    """A function that returns every value of a wrong type; it prunes as well."""
    decode = compile_decoder(node)
    return lambda value: decode(value).causes


def decode_error(kind: str, version: str, why: str) -> BadRequest:
    """The answer to a body that does not decode into its kind; `why` is a cause's message."""
    return BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def strict_error(kind: str, version: str, complaints: Sequence[str]) -> BadRequest:
    """The answer under fieldValidation=Strict to `strict_complaints`."""
    return decode_error(kind, version, f"strict decoding error: {', '.join(complaints)}")


def strict_complaints(unknown: Sequence[str], duplicates: Sequence[str], order: Mapping[str, int] | None = None) -> list[str]:
    """One line per field, as strict decoding and the Warning headers of fieldValidation=Warn have it.

    In the document's `order` (of `field_order`). What YAML gives twice is told by lines and comes first; a field that is both is unknown.
    """
    places = order or {}
    strays = set(unknown)
    told = [each for each in duplicates if each.startswith(YAML_COMPLAINT)]
    faults = [(path, "duplicate") for path in duplicates if path not in strays and path not in told]
    faults += [(path, "unknown") for path in unknown]
    faults.sort(key=lambda fault: places.get(fault[0], len(places)))
    return told + [f'{what} field "{path}"' for path, what in faults]


def field_order(value: Any) -> dict[str, int]:
    """The place of each field of a document, by its path."""
    places: dict[str, int] = {}
    _number(value, "", places)
    return places


def _number(value: Any, path: str, places: dict[str, int]) -> None:
    if isinstance(value, dict):
        prefix = f"{path}." if path else ""
        for key, each in value.items():
            places[f"{prefix}{key}"] = len(places)
            _number(each, f"{prefix}{key}", places)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _number(each, f"{path}[{index}]", places)


_compiled: dict[int, tuple[SchemaNode, Check]] = {}
"""Checks of named definitions, which many kinds share (PodSpec), by the identity of their fields; the node keeps that identity alive."""


def _check(node: SchemaNode) -> Check:
    if node.type == "object":
        return _object_check(node)
    if node.type == "map":
        return _map_check(node)
    if node.type == "array":
        return _array_check(node)
    if node.choice is not None:
        return _is_bool
    if node.type == "any":
        return _is_not_null
    return SCALAR_CHECKS[node.type, node.format]


def _object_check(node: SchemaNode) -> Check:
    shared = id(node.properties)
    if node.definition and shared in _compiled:
        return _compiled[shared][1]
    strings: set[str] = set()
    others: dict[str, Check] = {}
    get, lenient = others.get, node.preserve_unknown_fields
    properties = node.properties

    def check(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        nulls = None
        for key, each in value.items():
            if each.__class__ is str and key in strings:
                continue
            if each is None:
                # Go's clients send them with every object (creationTimestamp), so they must not cost the second pass.
                if key not in properties or properties[key].nullable:
                    return False
                nulls = [*(nulls or ()), key]
                continue
            inner = get(key)
            if inner is None:
                if not lenient or key in strings:
                    return False
            elif not inner(each):
                return False
        for key in nulls or ():
            del value[key]
        return True

    if node.definition:
        # Known before its fields are compiled: one of them may be of this very type.
        _compiled[shared] = node, check
    for name, field in node.properties.items():
        if field.type == "string" and not field.format:
            strings.add(name)
        else:
            others[name] = _check(field)
    return check


def _map_check(node: SchemaNode) -> Check:
    if node.values is None:
        return _is_dict
    if node.values.type == "string" and not node.values.format:
        return _is_string_map
    inner = _check(node.values)

    def check(value: Any) -> bool:
        return value.__class__ is dict and all(map(inner, value.values()))

    return check


def _array_check(node: SchemaNode) -> Check:
    if node.items is None:
        return _is_list
    inner = _check(node.items)

    def check(value: Any) -> bool:
        if value.__class__ is not list:
            return False
        for each in value:  # noqa: SIM110 - a generator costs more than this loop
            if not inner(each):
                return False
        return True

    return check


def _is_bool(value: Any) -> bool:
    """Anything else is for the second pass: definitions of custom resources are few."""
    return value.__class__ is bool


def _is_not_null(value: Any) -> bool:
    return value is not None


def _is_dict(value: Any) -> bool:
    return value.__class__ is dict


def _is_list(value: Any) -> bool:
    return value.__class__ is list


def _is_string_map(value: Any) -> bool:
    if value.__class__ is not dict:
        return False
    for each in value.values():  # noqa: SIM110 - a generator costs more than this loop
        if each.__class__ is not str:
            return False
    return True
