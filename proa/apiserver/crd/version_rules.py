"""What is wrong with one version of a CustomResourceDefinition beside its schema: subresources, columns, selectable fields, deprecation."""

from collections.abc import Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.apiserver.crd.json_path import BadPath, parse_path
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.value_validation import too_many

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("binary", "bool", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE_FIELDS = 8


def validate_deprecation(version: Object, path: str) -> list[Cause]:
    warning, own = version["deprecationWarning"], f"{path}.deprecationWarning"
    if not version.get("deprecated"):
        return [invalid(own, warning, "can only be set for deprecated versions")]
    if not warning:
        return [invalid(own, warning, "must not be empty")]
    if len(warning.encode()) > 256:
        return [invalid(own, warning, "must be <= 256 characters long")]
    return (
        []
        if warning.isprintable()
        else [invalid(own, warning, "must only contain printable UTF-8 characters; non-printable character found")]
    )


def validate_subresources(subresources: Object, path: str) -> list[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return []
    causes: list[Cause] = []
    for field, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status."), ("labelSelectorPath", ".status.")):
        own, value = f"{path}.scale.{field}", scale.get(field) or ""
        if not value:
            causes += [] if field == "labelSelectorPath" else [required(own)]
        elif problems := _simple_path(value, own):
            causes += problems
        elif not value.startswith(root):
            causes.append(invalid(own, value, f"should be a json path under {root[:-1]}"))
    return causes


def _simple_path(value: str, path: str) -> list[Cause]:
    if not value.startswith("."):
        return [invalid(path, value, "must be a simple json path starting with .")]
    return []


def validate_columns(columns: Sequence[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, column in enumerate(columns):
        own, types, formats = f"{path}[{index}]", ",".join(COLUMN_TYPES), ",".join(COLUMN_FORMATS)
        if not column.get("name"):
            causes.append(required(f"{own}.name"))
        if not column.get("type"):
            causes.append(required(f"{own}.type", f"must be one of {types}"))
        elif column["type"] not in COLUMN_TYPES:
            causes.append(invalid(f"{own}.type", column["type"], f"must be one of {types}"))
        if column.get("format") and column["format"] not in COLUMN_FORMATS:
            causes.append(invalid(f"{own}.format", column["format"], f"must be one of {formats}"))
        causes += _column_path(column.get("jsonPath") or "", f"{own}.JSONPath")
    return causes


def _column_path(value: str, path: str) -> list[Cause]:
    if not value:
        return [required(path)]
    if problems := _simple_path(value, path):
        return problems
    try:
        parse_path(value)
    except BadPath as error:
        return [invalid(path, value, f"is an invalid path: {error}")]
    return []


def validate_selectable_fields(version: Object, path: str) -> list[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, field in enumerate(version.get("selectableFields") or ()):
        own, value = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not value:
            causes.append(required(own))
            continue
        kind = _type_at(schema, value)
        if kind is None:
            causes.append(invalid(own, value, "is an invalid path: does not refer to a valid field"))
            continue
        if value.startswith(".metadata"):
            causes.append(invalid(own, value, "must not point to fields in metadata"))
        if kind not in ("string", "boolean", "integer"):
            text = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
            causes.append(invalid(own, value, text))
        if value in seen:
            causes.append(duplicate(own, value))
        seen.add(value)
    if len(seen) > MOST_SELECTABLE_FIELDS:
        causes.append(too_many(path, len(seen), MOST_SELECTABLE_FIELDS))
    return causes


def _type_at(schema: Schema, path: str) -> str | None:
    """The type of the field at a dotted path; None if the schema has no such field."""
    place: Any = schema
    if not path.startswith("."):
        return None
    for name in path[1:].split("."):
        place = (place.get("properties") or {}).get(name)
        if place is None:
            return None
    return str(place.get("type", ""))
