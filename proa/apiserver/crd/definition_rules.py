"""What is wrong with a CustomResourceDefinition, in upstream's words and places.

Where all versions agree on schema, subresources or columns (a single version always does), upstream's internal form holds them once for
the whole spec; so its messages name `spec.validation`, `spec.subresources` and `spec.additionalPrinterColumns` then, and so do these.
"""

from collections.abc import Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_label, dns1123_subdomain
from proa.apiserver.crd.cel.rules import validate_rules
from proa.apiserver.crd.default_rules import validate_defaults
from proa.apiserver.crd.json_path import BadPath, parse_path
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.schema_rules import validate_open_api, validate_structural
from proa.apiserver.crd.value_validation import too_many
from proa.apiserver.registry.object_meta import immutable

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("binary", "bool", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE_FIELDS = 8
REVIEW_VERSIONS = ("v1", "v1beta1")
NO_TRUE_PRESERVE = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
ROOT_FIELDS = frozenset({
    "description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items", "properties", "externalDocs", "example",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations", "nullable", "default", "x-kubernetes-embedded-resource",
})  # fmt: skip
_APPROVAL = "api-approved.kubernetes.io"
PROTECTED_SUFFIXES = ("k8s.io", "kubernetes.io")


def validate_definition(crd: Object) -> list[Cause]:
    """Everything but metadata beyond its name."""
    spec, name = crd.get("spec") or {}, crd.get("metadata", {}).get("name", "")
    names = spec.get("names") or {}
    causes: list[Cause] = []
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        causes.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    return causes + _approval(crd) + validate_spec(spec)


def validate_definition_update(crd: Object, old: Object) -> list[Cause]:
    causes = validate_spec(crd.get("spec") or {})
    if _spec_equal(crd, old):
        causes = []
    spec, former = crd["spec"], old["spec"]
    if is_true(old, "Established"):
        causes += immutable("spec.scope", spec.get("scope"), former.get("scope"))
        causes += immutable("spec.names.kind", spec["names"].get("kind"), former["names"].get("kind"))
    causes += immutable("spec.group", spec.get("group"), former.get("group"))
    causes += immutable("spec.names.plural", spec["names"].get("plural"), former["names"].get("plural"))
    return causes + validate_stored_versions(crd)


def _spec_equal(crd: Object, old: Object) -> bool:
    """An unchanged spec is not judged again: rules that came later must not make an object unwritable."""
    return bool(crd.get("spec") == old.get("spec"))


def validate_stored_versions(crd: Object) -> list[Cause]:
    names = {version.get("name") for version in (crd.get("spec") or {}).get("versions") or ()}
    stored = (crd.get("status") or {}).get("storedVersions") or []
    return [
        invalid(f"status.storedVersions[{index}]", version, "must appear in spec.versions")
        for index, version in enumerate(stored)
        if version not in names
    ]


def is_true(crd: Object, condition: str) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == condition and each.get("status") == "True" for each in conditions)


def is_protected(group: str) -> bool:
    return any(group == suffix or group.endswith(f".{suffix}") for suffix in PROTECTED_SUFFIXES)


def approval(crd: Object) -> tuple[str, str]:
    """(state, reason) of the API approval annotation: missing, approved, bypassed, invalid."""
    value = (crd.get("metadata", {}).get("annotations") or {}).get(_APPROVAL, "")
    if not value:
        return "missing", f"protected groups must have approval annotation {go_quoted(_APPROVAL)}, see {_APPROVAL_URL}"
    if value.startswith("unapproved"):
        return "bypassed", f"not approved: {go_quoted(value)}"
    if value.startswith(("http://", "https://")):
        return "approved", f"approved in {value}"
    why = f"protected groups must have approval annotation {go_quoted(_APPROVAL)} with either a URL or a reason starting with"
    return "invalid", f'{why} "unapproved", see {_APPROVAL_URL}'


_APPROVAL_URL = "https://github.com/kubernetes/enhancements/pull/1111"


def go_quoted(text: str) -> str:
    return f'"{text}"'


def _approval(crd: Object) -> list[Cause]:
    if not is_protected((crd.get("spec") or {}).get("group", "")):
        return []
    state, reason = approval(crd)
    path = f"metadata.annotations[{_APPROVAL}]"
    if state == "missing":
        return [required(path, reason)]
    value = (crd["metadata"].get("annotations") or {}).get(_APPROVAL)
    return [invalid(path, value, reason)] if state == "invalid" else []


def validate_spec(spec: Object) -> list[Cause]:
    group, scope = spec.get("group", ""), spec.get("scope", "")
    causes = _group(group)
    if not scope:
        causes.append(required("spec.scope"))
    elif scope not in ("Cluster", "Namespaced"):
        causes.append(not_supported("spec.scope", scope, ["Cluster", "Namespaced"]))
    if spec.get("preserveUnknownFields"):
        causes.append(invalid("spec.preserveUnknownFields", True, NO_TRUE_PRESERVE))
    causes += _versions(spec.get("versions") or [])
    names = spec.get("names") or {}
    causes += [required(f"spec.names.{field}") for field in ("plural", "singular", "kind", "listKind") if not names.get(field)]
    causes += validate_names(names, "spec.names")
    return causes + _conversion(spec.get("conversion") or {})


def _group(group: str) -> list[Cause]:
    if not group:
        return [required("spec.group")]
    if problems := dns1123_subdomain(group):
        return [invalid("spec.group", group, ",".join(problems))]
    return [] if "." in group else [invalid("spec.group", group, "should be a domain with at least one dot")]


_MIXED_CASE = "may have mixed case, but should otherwise match: "


def validate_names(names: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for field, hint in (("plural", ""), ("singular", ""), ("kind", _MIXED_CASE), ("listKind", _MIXED_CASE)):
        checked = (names.get(field) or "").lower() if hint else names.get(field)
        if checked and (problems := dns1035_label(checked)):
            causes.append(invalid(f"{path}.{field}", names[field], hint + ",".join(problems)))
    causes += _labels(names.get("shortNames") or (), f"{path}.shortNames")
    if names.get("kind") and names["kind"] == names.get("listKind"):
        causes.append(invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same"))
    return causes + _labels(names.get("categories") or (), f"{path}.categories")


def _labels(values: Sequence[str], path: str) -> list[Cause]:
    checked = ((index, value, dns1035_label(value)) for index, value in enumerate(values))
    return [invalid(f"{path}[{index}]", value, ",".join(problems)) for index, value, problems in checked if problems]


def shared(versions: Sequence[Object], field: str) -> bool:
    """Whether all versions say the same of a field."""
    return bool(versions) and all(version.get(field) and version[field] == versions[0].get(field) for version in versions)


def _versions(versions: list[Object]) -> list[Cause]:
    causes = [
        required(f"spec.versions[{index}].schema.openAPIV3Schema")
        for index, version in enumerate(versions)
        if not (version.get("schema") or {}).get("openAPIV3Schema")
    ]
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if problems := dns1035_label(version.get("name", "")):
            causes.append(invalid(f"{path}.name", version.get("name", ""), ",".join(problems)))
        causes += _version(version, path, versions)
    causes += _shared_parts(versions)
    names = [version.get("name") for version in versions]
    if len(set(names)) != len(names):
        causes.append(invalid("spec.versions", versions, "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        causes.append(invalid("spec.versions", versions, "must have exactly one version marked as storage version"))
    return causes


def _version(version: Object, path: str, versions: Sequence[Object]) -> list[Cause]:
    """What this version does not share with all others."""
    causes: list[Cause] = []
    if version.get("deprecationWarning") is not None:
        causes += _deprecation(version, path)
    if not shared(versions, "schema"):
        causes += _schema(version, f"{path}.schema")
    if not shared(versions, "subresources"):
        causes += _subresources(version.get("subresources") or {}, f"{path}.subresources")
    if not shared(versions, "additionalPrinterColumns"):
        causes += _columns(version.get("additionalPrinterColumns") or (), f"{path}.additionalPrinterColumns")
    if not shared(versions, "selectableFields"):
        causes += _selectable(version, f"{path}.selectableFields")
    return causes


def _shared_parts(versions: Sequence[Object]) -> list[Cause]:
    first = versions[0] if versions else {}
    causes: list[Cause] = []
    if shared(versions, "schema"):
        causes += _schema(first, "spec.validation")
    if shared(versions, "subresources"):
        causes += _subresources(first["subresources"], "spec.subresources")
    if shared(versions, "additionalPrinterColumns"):
        causes += _columns(first["additionalPrinterColumns"], "spec.additionalPrinterColumns")
    if shared(versions, "selectableFields"):
        causes += _selectable(first, "spec.selectableFields")
    return causes


def _deprecation(version: Object, path: str) -> list[Cause]:
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


def _schema(version: Object, path: str) -> list[Cause]:
    schema: Schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    if not schema:
        return []
    own = f"{path}.openAPIV3Schema"
    causes = _root_rules(schema, path) if (version.get("subresources") or {}).get("status") is not None else []
    if schema.get("nullable"):
        causes.append(Cause(f"{own}.nullable", "Forbidden: nullable cannot be true at the root", "FieldValueForbidden"))
    structural = validate_structural(schema, own)
    if not structural:
        structural = validate_defaults(schema, own)
    open_api = validate_open_api(schema, own)
    causes += structural + open_api
    return causes or validate_rules(schema, own)


def _root_rules(schema: Schema, path: str) -> list[Cause]:
    own = f"{path}.openAPIV3Schema"
    if schema.get("type") != "object" and schema.get("type"):
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        return [invalid(f"{own}.type", schema["type"], text)]
    if any(key not in ROOT_FIELDS and value for key, value in schema.items()):
        listed = " ".join(sorted(ROOT_FIELDS))
        text = f"only [{listed}] fields are allowed at the root of the schema if the status subresource is enabled"
        return [invalid(own, schema, text)]
    return []


def _subresources(subresources: Object, path: str) -> list[Cause]:
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


def _columns(columns: Sequence[Object], path: str) -> list[Cause]:
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


def _selectable(version: Object, path: str) -> list[Cause]:
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


def _conversion(conversion: Object) -> list[Cause]:
    path, strategy = "spec.conversion", conversion.get("strategy", "")
    if not strategy:
        return [required(f"{path}.strategy")] if conversion else []
    if strategy not in ("None", "Webhook"):
        return [not_supported(f"{path}.strategy", strategy, ["None", "Webhook"])]
    webhook = conversion.get("webhook")
    if strategy == "None":
        if webhook is None:
            return []
        text = "Forbidden: should not be set when strategy is not set to Webhook"
        return [Cause(f"{path}.webhookClientConfig", text, "FieldValueForbidden")]
    config = (webhook or {}).get("clientConfig")
    causes = _client_config(config, f"{path}.webhookClientConfig")
    return causes + _review_versions((webhook or {}).get("conversionReviewVersions") or [], f"{path}.conversionReviewVersions")


def _client_config(config: Object | None, path: str) -> list[Cause]:
    if config is None:
        return [required(path, "required when strategy is set to Webhook")]
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if service is None:
        text = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        return [] if str(url).startswith("https://") else [invalid(f"{path}.url", url, text)]
    causes = [required(f"{path}.service.{field}", "") for field in ("name", "namespace") if not service.get(field)]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        causes.append(invalid(f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive"))
    if service.get("path") and not service["path"].startswith("/"):
        causes.append(invalid(f"{path}.service.path", service["path"], "must start with a '/'"))
    if service.get("namespace") and dns1123_label(service["namespace"]):
        causes.append(invalid(f"{path}.service.namespace", service["namespace"], dns1123_label(service["namespace"])[0]))
    return causes


def _review_versions(versions: list[str], path: str) -> list[Cause]:
    if not versions:
        return [required(path)]
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            causes.append(invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        causes += [invalid(f"{path}[{index}]", version, problem) for problem in dns1035_label(version)]
    if not any(version in REVIEW_VERSIONS for version in versions):
        causes.append(invalid(path, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))
    return causes
