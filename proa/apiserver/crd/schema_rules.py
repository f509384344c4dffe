"""What makes the schema of a custom resource structural: below logical junctors values are judged and nothing is specified, so that
pruning and defaulting know every field.

That what junctors name is specified outside of them is asked of those at the root only, as upstream does. Source: "Specifying a structural
schema" in the Kubernetes documentation.
"""

from collections.abc import Iterator
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, required
from proa.apiserver.crd.patterns import BadPattern, compile_pattern
from proa.apiserver.crd.pruning import Schema

INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_LEVELS = {"root": "at the root", "item": "for specified array items", "field": "for specified object fields"}
_EMPTY = "must be empty to be structural"
_UNDEFINED = "must be undefined to be structural"
_FALSE = "must be false to be structural"
NESTED_FORBIDDEN = {
    "type": _EMPTY, "default": _UNDEFINED, "title": _EMPTY, "description": _EMPTY, "nullable": _FALSE, "externalDocs": _UNDEFINED,
    "additionalProperties": _UNDEFINED, "x-kubernetes-preserve-unknown-fields": _FALSE, "x-kubernetes-embedded-resource": _FALSE,
    "x-kubernetes-int-or-string": _FALSE, "x-kubernetes-list-map-keys": _EMPTY, "x-kubernetes-list-type": _UNDEFINED,
    "x-kubernetes-map-type": _UNDEFINED, "x-kubernetes-validations": _EMPTY,
}  # fmt: skip


def validate_structural(schema: Schema, path: str) -> list[Cause]:
    """Causes against the structural rules, sorted by their text as upstream sorts them."""
    causes = _structural(schema, "root", path)
    for place, inner in junctors(schema):
        causes += _specified(inner, schema, f"{path}.{place}", path)
    return sorted(causes, key=lambda cause: cause.detail)


def _structural(schema: Schema, level: str, path: str) -> list[Cause]:
    causes: list[Cause] = []
    items, additional = schema.get("items"), schema.get("additionalProperties")
    if schema.get("type") == "array" and items is None:
        causes.append(required(f"{path}.items", "must be specified"))
    if isinstance(items, dict):
        causes += _structural(items, "item", f"{path}.items")
    for name, inner in (schema.get("properties") or {}).items():
        causes += _structural(inner, "field", f"{path}.properties[{name}]")
    if additional is not None:
        if level == "root":
            causes.append(forbidden(f"{path}.additionalProperties", "must not be used at the root"))
        if isinstance(additional, dict):
            causes += _structural(additional, "field", f"{path}.additionalProperties")
    causes += _extensions(schema, path)
    causes += _value_validation(schema, path, _is_int_or_string(schema.get("anyOf")), _first_is_int_or_string(schema))
    causes += _type_rules(schema, level, path)
    return causes + _metadata_rules(schema, level, path)


def _is_int_or_string(any_of: Any) -> bool:
    return bool(any_of == INT_OR_STRING)


def _first_is_int_or_string(schema: Schema) -> bool:
    all_of: list[Schema] = schema.get("allOf") or []
    return bool(all_of) and _is_int_or_string(all_of[0].get("anyOf"))


def _extensions(schema: Schema, path: str) -> list[Cause]:
    if not schema.get("x-kubernetes-int-or-string"):
        return []
    text = "must be false if x-kubernetes-int-or-string is true"
    names = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource")
    return [invalid(f"{path}.{name}", True, text) for name in names if schema.get(name)]


def _type_rules(schema: Schema, level: str, path: str) -> list[Cause]:
    kind, embedded = schema.get("type", ""), schema.get("x-kubernetes-embedded-resource")
    causes: list[Cause] = []
    if embedded and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        causes.append(invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text))
    elif not kind and not schema.get("x-kubernetes-int-or-string") and not schema.get("x-kubernetes-preserve-unknown-fields"):
        causes.append(required(f"{path}.type", f"must not be empty {_LEVELS[level]}"))
    if embedded and schema.get("additionalProperties") is not None:
        causes.append(forbidden(f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set"))
    if level == "root" and kind and kind != "object":
        causes.append(invalid(f"{path}.type", kind, "must be object at the root"))
    if embedded and not schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties"):
        text = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        causes.append(required(f"{path}.properties", text))
    return causes


def _metadata_rules(schema: Schema, level: str, path: str) -> list[Cause]:
    properties = schema.get("properties") or {}
    if level != "root" and not schema.get("x-kubernetes-embedded-resource"):
        return []
    causes: list[Cause] = []
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        if name in properties and properties[name].get("type", "") != wanted:
            causes.append(invalid(f"{path}.properties[{name}].type", properties[name].get("type", ""), f"must be {wanted}"))
    metadata = properties.get("metadata")
    if level == "root" and metadata is not None:
        beyond = any(value for key, value in metadata.items() if key not in ("type", "properties", "default"))
        if beyond or set(metadata.get("properties") or ()) - {"name", "generateName"}:
            text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            causes.append(forbidden(f"{path}.properties[metadata]", text))
    return causes


def _value_validation(schema: Schema, path: str, skip_any_of: bool, skip_first: bool) -> list[Cause]:
    causes: list[Cause] = []
    for place, inner in junctors(schema):
        if place.startswith("anyOf") and skip_any_of:
            continue
        causes += _nested(inner, f"{path}.{place}", skip_any_of=skip_first and place == "allOf[0]")
    pattern = schema.get("pattern")
    if pattern:
        try:
            compile_pattern(pattern)
        except BadPattern as error:
            causes.append(invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}"))
    return causes


def junctors(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """(place, schema) of everything below anyOf, allOf, oneOf and not."""
    for name in ("anyOf", "allOf", "oneOf"):
        for index, inner in enumerate(schema.get(name) or ()):
            yield f"{name}[{index}]", inner
    if isinstance(schema.get("not"), dict):
        yield "not", schema["not"]


def _nested(schema: Schema, path: str, *, skip_any_of: bool = False) -> list[Cause]:
    """Below a logical junctor only values are judged; shape is for the outside."""
    causes = _value_validation(schema, path, skip_any_of, False)
    if isinstance(schema.get("items"), dict):
        causes += _nested(schema["items"], f"{path}.items")
    for name, inner in (schema.get("properties") or {}).items():
        causes += _nested(inner, f"{path}.properties[{name}]")
    causes += [forbidden(f"{path}.{name}", text) for name, text in NESTED_FORBIDDEN.items() if schema.get(name)]
    if "metadata" in (schema.get("properties") or {}):
        causes.append(forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context"))
    return causes


def _specified(nested: Schema, outside: Schema | None, path: str, outside_path: str) -> list[Cause]:
    """The place that misses is named outside of the junctor."""
    causes: list[Cause] = []
    for name, inner in (nested.get("properties") or {}).items():
        own = f"{outside_path}.properties[{name}]"
        known = (outside or {}).get("properties") or {}
        if name not in known:
            causes.append(required(own, f"because it is defined in {path}.properties[{name}]"))
        else:
            causes += _specified(inner, known[name], f"{path}.properties[{name}]", own)
    if isinstance(nested.get("items"), dict):
        items = (outside or {}).get("items")
        if items is None:
            causes.append(required(f"{outside_path}.items", f"because it is defined in {path}.items"))
        else:
            causes += _specified(nested["items"], items, f"{path}.items", f"{outside_path}.items")
    for place, inner in junctors(nested):
        causes += _specified(inner, outside, f"{path}.{place}", outside_path)
    return causes
