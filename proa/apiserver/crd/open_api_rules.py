"""What schemas of custom resources may not say though it is OpenAPI: what is expensive or ambiguous, and misuse of Kubernetes' extensions.

Source: the API reference of JSONSchemaProps; the order of complaints is upstream's.
"""

from dataclasses import replace
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, required
from proa.apiserver.crd.cel.rule_definitions import validate_forms
from proa.apiserver.crd.pruning import TYPE_FIELDS, Schema
from proa.apiserver.crd.schema_rules import junctors
from proa.lib.dataclass import dataclass

TYPES = ("array", "boolean", "integer", "number", "object", "string")
UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
KEY_NEEDS_VALUE = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
KEY_NOT_NULL = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
ATOMIC_ITEMS = "must be atomic as item of a list with x-kubernetes-list-type=set"


@dataclass(frozen=True, slots=True)
class _Place:
    """`no_defaults`: why there can be none."""

    root: bool = True
    in_metadata: bool = False
    no_defaults: str = ""

    def inside(self) -> "_Place":
        return replace(self, root=False)


_ROOT = _Place()


def validate_open_api(schema: Schema, path: str, place: _Place = _ROOT) -> list[Cause]:
    """Causes against everything but structure."""
    causes = _unsupported(schema, path, place) + _additional(schema, path, place)
    for name, inner in (schema.get("properties") or {}).items():
        causes += validate_open_api(inner, f"{path}.properties[{name}]", _of_property(schema, name, place))
    for junctor, inner in junctors(schema):
        causes += validate_open_api(inner, f"{path}.{junctor}", place.inside())
    if isinstance(schema.get("items"), dict):
        causes += validate_open_api(schema["items"], f"{path}.items", place.inside())
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        causes.append(invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined"))
    return causes + _map_extension(schema, path) + _list_extensions(schema, path) + validate_forms(schema, path)


def _of_property(schema: Schema, name: str, place: _Place) -> _Place:
    inside = place.inside()
    if name in TYPE_FIELDS and (place.root or schema.get("x-kubernetes-embedded-resource")):
        return replace(inside, in_metadata=True, no_defaults=f"in top-level {name}" if place.root else place.no_defaults)
    return inside


def _unsupported(schema: Schema, path: str, place: _Place) -> list[Cause]:
    kind, causes = schema.get("type"), []
    if kind and kind not in TYPES:
        causes.append(_not_supported(f"{path}.type", kind, TYPES))
    if place.no_defaults and schema.get("default") is not None:
        causes.append(forbidden(f"{path}.default", f"must not be set {place.no_defaults}"))
    causes += [forbidden(f"{path}.{name}", f"{name} is not supported") for name in UNSUPPORTED if schema.get(name)]
    if kind == "null":
        causes.append(forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative"))
    if isinstance(schema.get("items"), list):
        causes.append(forbidden(f"{path}.items", "items must be a schema object and not an array"))
    if place.in_metadata and schema.get("x-kubernetes-embedded-resource"):
        causes.append(forbidden(f"{path}.x-kubernetes-embedded-resource", "must not be used inside of resource meta"))
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.append(forbidden(f"{path}.uniqueItems", text))
    return causes


def _additional(schema: Schema, path: str, place: _Place) -> list[Cause]:
    additional, own = schema.get("additionalProperties"), f"{path}.additionalProperties"
    causes: list[Cause] = []
    if additional is not None and additional is not True and schema.get("properties"):
        causes.append(forbidden(own, "additionalProperties and properties are mutual exclusive"))
    if isinstance(additional, dict):
        inside = place.inside()
        if place.in_metadata:
            inside = replace(inside, no_defaults="inside additionalProperties applying to object metadata")
        causes += validate_open_api(additional, own, inside)
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
    list_type, keys, items = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or [], schema.get("items")
    own = f"{path}.x-kubernetes-list-type"
    causes: list[Cause] = []
    if list_type is not None:
        causes += _needs_type(schema, path, "array", "x-kubernetes-list-type")
        if list_type == "set" and not causes and isinstance(items, dict):
            causes += _set_items(items, f"{path}.items")
        if list_type not in ("atomic", "set", "map"):
            causes.append(_not_supported(own, list_type, ("atomic", "set", "map")))
    if keys and list_type != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        causes.append(required(own, text) if list_type is None else invalid(own, list_type, text))
    if list_type == "map":
        causes += _map_list(items, keys, path)
    if list_type in ("set", "map") and isinstance(items, dict):
        if items.get("nullable"):
            causes.append(forbidden(f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {list_type}"))
        if list_type == "map":
            causes += _keys_are_there(items, keys, path)
    return causes


def _set_items(items: Schema, path: str) -> list[Cause]:
    inner = items.get("x-kubernetes-list-type")
    if items.get("type") == "array" and inner not in (None, "atomic"):
        return [invalid(f"{path}.x-kubernetes-list-type", inner, ATOMIC_ITEMS)]
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        # The value shown is that of the list type, as upstream has it.
        return [invalid(f"{path}.x-kubernetes-map-type", inner, ATOMIC_ITEMS)]
    return []


def _map_list(items: Any, keys: list[str], path: str) -> list[Cause]:
    own = f"{path}.x-kubernetes-list-map-keys"
    causes = [] if keys else [required(own, "must not be empty if x-kubernetes-list-type is map")]
    if items is None:
        return [*causes, required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")]
    if not isinstance(items, dict):
        return [*causes, invalid(f"{path}.items", items, "must only have a single schema if x-kubernetes-list-type is map")]
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        return [*causes, invalid(f"{path}.items.type", items.get("type", ""), text)]
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key not in properties:
            causes.append(invalid(own, keys, "entries must all be names of item properties"))
        elif properties[key].get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            causes.append(invalid(f"{path}.items.properties[{key}].type", items["type"], text))
        if key in keys[:index]:
            causes.append(invalid(own, keys, "must not contain duplicate entries"))
    return causes


def _keys_are_there(items: Schema, keys: list[str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key in keys:
        declared, place = (items.get("properties") or {}).get(key), f"{path}.items.properties[{key}]"
        if declared is None:
            continue
        if declared.get("default") is None and key not in (items.get("required") or ()):
            causes.append(required(f"{place}.default", KEY_NEEDS_VALUE))
        if declared.get("nullable"):
            causes.append(forbidden(f"{place}.nullable", KEY_NOT_NULL))
    return causes
