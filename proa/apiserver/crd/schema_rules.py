"""What the schema of a custom resource must be like: structural, and without what the API server does not support.

Two passes over the same tree. The structural rules say that every field is specified outside of logical junctors, so that pruning and
defaulting know it; the OpenAPI rules forbid what is expensive or ambiguous and check the Kubernetes extensions. Sources: "Specifying a
structural schema" in the Kubernetes documentation and the API reference of JSONSchemaProps.
"""

from collections.abc import Iterator
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, required
from proa.apiserver.crd.patterns import BadPattern, compile_pattern
from proa.apiserver.crd.pruning import TYPE_FIELDS, Schema

INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
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
UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
NO_DEFAULT_IN_METADATA = "must not be set {}"


def validate_structural(schema: Schema, path: str) -> list[Cause]:
    """Causes against the structural rules, sorted by their text as upstream sorts them."""
    causes = _structural(schema, "root", path)
    causes += _complete(schema, schema, path)
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
        allowed = {"name", "generateName"}
        beyond = set(metadata) - {"type", "properties", "description", "required"}
        if beyond or set(metadata.get("properties") or ()) - allowed or metadata.get("description"):
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


def _complete(schema: Schema, root: Schema, path: str) -> list[Cause]:
    """Whatever is named below junctors is specified outside of them too, at every level."""
    causes: list[Cause] = []
    for place, inner in junctors(schema):
        causes += _specified(inner, schema, f"{path}.{place}", path)
    for name, child in (schema.get("properties") or {}).items():
        causes += _complete(child, root, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            causes += _complete(schema[name], root, f"{path}.{name}")
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


def validate_open_api(schema: Schema, path: str, *, root: bool = True, no_defaults: str = "") -> list[Cause]:
    """Causes against everything but structure."""
    causes = _unsupported(schema, path)
    if no_defaults and schema.get("default") is not None:
        causes.append(forbidden(f"{path}.default", no_defaults))
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.append(forbidden(f"{path}.uniqueItems", text))
    additional, properties = schema.get("additionalProperties"), schema.get("properties") or {}
    if additional is not None and additional is not True and properties:
        causes.append(forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"))
    if isinstance(additional, dict):
        causes += validate_open_api(additional, f"{path}.additionalProperties", root=False, no_defaults=no_defaults)
    for name, inner in properties.items():
        refused = NO_DEFAULT_IN_METADATA.format(f"in top-level {name}") if root and name in TYPE_FIELDS else no_defaults
        causes += validate_open_api(inner, f"{path}.properties[{name}]", root=False, no_defaults=refused)
    for place, inner in junctors(schema):
        causes += validate_open_api(inner, f"{path}.{place}", root=False, no_defaults=no_defaults)
    if isinstance(schema.get("items"), dict):
        causes += validate_open_api(schema["items"], f"{path}.items", root=False, no_defaults=no_defaults)
    return causes + _map_extension(schema, path) + _list_extensions(schema, path)


def _unsupported(schema: Schema, path: str) -> list[Cause]:
    causes = [forbidden(f"{path}.{name}", f"{name} is not supported") for name in UNSUPPORTED if schema.get(name)]
    kind = schema.get("type")
    if kind == "null":
        causes.append(forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative"))
    elif kind and kind not in TYPES:
        causes.append(_not_supported(f"{path}.type", kind, TYPES))
    if isinstance(schema.get("items"), list):
        causes.append(forbidden(f"{path}.items", "items must be a schema object and not an array"))
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        causes.append(invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined"))
    return causes


def _not_supported(path: str, value: str, allowed: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{each}"' for each in allowed)
    return Cause(path, f'Unsupported value: "{value}": supported values: {listed}', "FieldValueNotSupported")


def _needs_type(schema: Schema, path: str, wanted: str, extension: str) -> list[Cause]:
    kind, text = schema.get("type", ""), f"must be {wanted} if {extension} is specified"
    if kind == wanted:
        return []
    return [invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)]


def _map_extension(schema: Schema, path: str) -> list[Cause]:
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is None:
        return []
    causes = _needs_type(schema, path, "object", "x-kubernetes-map-type")
    if map_type not in ("atomic", "granular"):
        causes.append(_not_supported(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular")))
    return causes


def _list_extensions(schema: Schema, path: str) -> list[Cause]:
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    causes: list[Cause] = []
    if list_type is not None:
        causes += _needs_type(schema, path, "array", "x-kubernetes-list-type")
        if list_type not in ("atomic", "set", "map"):
            causes.append(_not_supported(f"{path}.x-kubernetes-list-type", list_type, ("atomic", "set", "map")))
    if keys and list_type != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        own = f"{path}.x-kubernetes-list-type"
        causes.append(required(own, text) if list_type is None else invalid(own, list_type, text))
    if list_type == "set" and not causes and isinstance(schema.get("items"), dict):
        causes += _set_items(schema["items"], f"{path}.items")
    if list_type == "map":
        causes += _map_keys(schema, keys, path)
    return causes


def _set_items(items: Schema, path: str) -> list[Cause]:
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    if items.get("type") == "array" and items.get("x-kubernetes-list-type", "atomic") != "atomic":
        return [invalid(f"{path}.x-kubernetes-list-type", items["x-kubernetes-list-type"], text)]
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        return [invalid(f"{path}.x-kubernetes-map-type", items.get("x-kubernetes-map-type"), text)]
    return []


def _map_keys(schema: Schema, keys: list[str], path: str) -> list[Cause]:
    own, items = f"{path}.x-kubernetes-list-map-keys", schema.get("items")
    causes = [] if keys else [required(own, "must not be empty if x-kubernetes-list-type is map")]
    if not isinstance(items, dict):
        return [*causes, required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")]
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        return [*causes, invalid(f"{path}.items.type", items.get("type", ""), text)]
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        place = f"{path}.items.properties[{key}]"
        if key not in properties:
            causes.append(invalid(own, keys, "entries must all be names of item properties"))
            continue
        if properties[key].get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            causes.append(invalid(f"{place}.type", items["type"], text))
        if key in keys[:index]:
            causes.append(invalid(own, keys, "must not contain duplicate entries"))
        if properties[key].get("default") is None and key not in (items.get("required") or ()):
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            causes.append(required(f"{place}.default", text))
        if properties[key].get("nullable"):
            causes.append(forbidden(f"{place}.nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"))
    return causes
