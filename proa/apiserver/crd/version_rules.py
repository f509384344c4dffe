"""What is wrong with one version of a CustomResourceDefinition beside its schema: subresources, columns, selectable fields, deprecation."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.apiserver.crd.field_path import BadFieldPath, resolve
from proa.apiserver.crd.value_validation import too_many

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE_FIELDS = 8
UNPRINTABLE = "must only contain printable UTF-8 characters; non-printable character found at index {}"


def validate_deprecation(version: Object, path: str) -> list[Cause]:
    warning, own = version["deprecationWarning"], f"{path}.deprecationWarning"
    if not version.get("deprecated"):
        return [invalid(own, warning, "can only be set for deprecated versions")]
    problems = []
    if len(warning.encode()) > 256:
        problems.append("must be <= 256 characters long")
    if not warning:
        problems.append("must not be an empty string")
    if (odd := next((index for index, character in enumerate(warning) if not character.isprintable()), None)) is not None:
        problems.append(UNPRINTABLE.format(len(warning[:odd].encode())))
    return [invalid(own, warning, problem) for problem in problems]


SCALE_ROOTS = {"specReplicasPath": (".spec.",), "statusReplicasPath": (".status.",), "labelSelectorPath": (".spec.", ".status.")}


def validate_subresources(subresources: Object, path: str) -> list[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return []
    causes: list[Cause] = []
    for field, roots in SCALE_ROOTS.items():
        own, value = f"{path}.scale.{field}", scale.get(field) or ""
        if not value:
            causes += [] if field == "labelSelectorPath" else [required(own)]
        elif problems := _simple_path(value, own):
            causes += problems
        elif not value.startswith(roots):
            where = "either .spec or .status" if len(roots) > 1 else roots[0][:-1]
            causes.append(invalid(own, value, f"should be a json path under {where}"))
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
    """A path that does not parse is no fault of the definition: its columns up to there are printed."""
    return _simple_path(value, path) if value else [required(path)]


def validate_selectable_fields(version: Object, path: str) -> list[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, field in enumerate(version.get("selectableFields") or ()):
        own, value = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not value:
            causes.append(required(own))
            continue
        try:
            shown, place = resolve(value, schema, allow_brackets=False)
        except BadFieldPath as error:
            causes.append(invalid(own, value, f"is an invalid path: {error}"))
            continue
        if shown == ".metadata" or shown.startswith(".metadata."):
            causes.append(invalid(own, value, "must not point to fields in metadata"))
        if place.get("type") not in ("string", "boolean", "integer"):
            text = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
            causes.append(invalid(own, value, text))
        if shown in seen:
            causes.append(duplicate(own, value))
        seen.add(shown)
    if len(seen) > MOST_SELECTABLE_FIELDS:
        causes.append(too_many(path, len(seen), MOST_SELECTABLE_FIELDS))
    return causes
