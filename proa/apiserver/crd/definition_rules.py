"""What is wrong with a CustomResourceDefinition, in upstream's words and places.

Where all versions agree on schema, subresources or columns (a single version always does), upstream's internal form holds them once for
the whole spec; so its messages name `spec.validation`, `spec.subresources` and `spec.additionalPrinterColumns` then, and so do these.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain
from proa.apiserver.crd.cel.rule_definitions import validate_rules
from proa.apiserver.crd.conversion_rules import validate_bundle, validate_conversion
from proa.apiserver.crd.default_rules import validate_defaults
from proa.apiserver.crd.defaulting import has_defaults
from proa.apiserver.crd.open_api_rules import validate_open_api
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.schema_rules import validate_structural
from proa.apiserver.crd.version_rules import validate_columns, validate_deprecation, validate_selectable_fields, validate_subresources
from proa.apiserver.registry.object_meta import immutable

NO_TRUE_PRESERVE = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
ROOT_FIELDS = {
    "description": "Description", "type": "Type", "format": "Format", "title": "Title", "maximum": "Maximum",
    "exclusiveMaximum": "ExclusiveMaximum", "minimum": "Minimum", "exclusiveMinimum": "ExclusiveMinimum", "maxLength": "MaxLength",
    "minLength": "MinLength", "pattern": "Pattern", "maxItems": "MaxItems", "minItems": "MinItems", "uniqueItems": "UniqueItems",
    "multipleOf": "MultipleOf", "required": "Required", "items": "Items", "properties": "Properties", "externalDocs": "ExternalDocs",
    "example": "Example", "x-kubernetes-preserve-unknown-fields": "XPreserveUnknownFields", "x-kubernetes-validations": "XValidations",
}  # fmt: skip
"""What a schema may say at its root beside status, and how messages list it."""
_APPROVAL = "api-approved.kubernetes.io"
PROTECTED_SUFFIXES = ("k8s.io", "kubernetes.io")


def validate_definition(crd: Object) -> list[Cause]:
    """Everything but metadata beyond its name."""
    spec, name = crd.get("spec") or {}, crd.get("metadata", {}).get("name", "")
    names = spec.get("names") or {}
    causes: list[Cause] = []
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        causes.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    causes += validate_spec(spec) + validate_status(crd) + validate_stored_versions(crd) + _approval(crd)
    return causes + _preserving(spec)


def validate_definition_update(crd: Object, old: Object) -> list[Cause]:
    """An unchanged spec is not judged again, nor is an unchanged schema: rules that came later must not make an object unwritable."""
    spec, former = crd.get("spec") or {}, old["spec"]
    established = is_true(old, "Established")
    known = {version["name"]: _schema_of(version) for version in former["versions"]}
    causes = [] if spec == former else validate_spec(spec, known, checks_bundle=established and not has_bad_bundle(former))
    names, kept = spec.get("names") or {}, former["names"]
    if established:
        causes += immutable("spec.scope", spec.get("scope"), former.get("scope"))
        causes += immutable("spec.names.kind", names.get("kind"), kept.get("kind"))
    causes += immutable("spec.group", spec.get("group"), former.get("group"))
    causes += immutable("spec.names.plural", names.get("plural"), kept.get("plural"))
    causes += validate_status(crd) + validate_stored_versions(crd)
    if approval(crd)[0] != approval(old)[0]:
        causes += _approval(crd)
    return causes + ([] if former.get("preserveUnknownFields") else _preserving(spec))


def validate_status(crd: Object) -> list[Cause]:
    return validate_names((crd.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames")


def validate_stored_versions(crd: Object) -> list[Cause]:
    """Objects may lie in the store in each of them, so the definition has to know how to read them."""
    stored, path = (crd.get("status") or {}).get("storedVersions") or [], "status.storedVersions"
    if not stored:
        return [invalid(path, stored, "must have at least one stored version")]
    versions = (crd.get("spec") or {}).get("versions") or []
    names = {version.get("name") for version in versions}
    causes = [
        invalid(path, stored, f"must have the storage version {version['name']}")
        for version in versions
        if version.get("storage") and version["name"] not in stored
    ]
    return causes + [invalid(f"{path}[{index}]", name, _GONE.format(name)) for index, name in enumerate(stored) if name not in names]


_GONE = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a storage migration ensures "
    "no data remains persisted in {0} and removes {0} from status.storedVersions"
)


def _preserving(spec: Object) -> list[Cause]:
    return [invalid("spec.preserveUnknownFields", True, NO_TRUE_PRESERVE)] if spec.get("preserveUnknownFields") else []


def has_bad_bundle(spec: Object) -> bool:
    bundle: str = (((spec.get("conversion") or {}).get("webhook") or {}).get("clientConfig") or {}).get("caBundle") or ""
    return bool(bundle and validate_bundle(bundle, ""))


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
    if _is_url(value):
        return "approved", f"approved in {value}"
    why = f"protected groups must have approval annotation {go_quoted(_APPROVAL)} with either a URL or a reason starting with"
    return "invalid", f'{why} "unapproved", see {_APPROVAL_URL}'


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and not any(character.isspace() for character in value)


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


def validate_spec(spec: Object, known: Mapping[str, Any] = MappingProxyType({}), *, checks_bundle: bool = False) -> list[Cause]:
    """`known`: the schemas that its versions had."""
    scope, versions, names = spec.get("scope", ""), spec.get("versions") or [], spec.get("names") or {}
    causes = _group(spec.get("group", ""))
    if not scope:
        causes.append(required("spec.scope"))
    elif scope not in ("Cluster", "Namespaced"):
        causes.append(not_supported("spec.scope", scope, ["Cluster", "Namespaced"]))
    causes += _versions(versions, known, preserves=bool(spec.get("preserveUnknownFields")))
    causes += [required(f"spec.names.{field}") for field in ("plural", "singular", "kind", "listKind") if not names.get(field)]
    causes += validate_names(names, "spec.names") + _shared_parts(versions, known)
    return causes + validate_conversion(spec.get("conversion") or {}, checks_bundle=checks_bundle)


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


def _versions(versions: list[Object], known: Mapping[str, Any], *, preserves: bool) -> list[Cause]:
    causes = [
        required(f"spec.versions[{index}].schema.openAPIV3Schema")
        for index, version in enumerate(versions)
        if not isinstance(_schema_of(version), dict)
    ]
    if preserves and any(_has_default(_schema_of(version)) for version in versions):
        causes.append(invalid("spec.preserveUnknownFields", True, "must be false in order to use defaults in the schema"))
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if problems := dns1035_label(version.get("name", "")):
            causes.append(invalid(f"{path}.name", version.get("name", ""), ",".join(problems)))
        causes += _version(version, path, versions, known)
    names = [version.get("name") for version in versions]
    if len(set(names)) != len(names):
        causes.append(invalid("spec.versions", versions, "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        causes.append(invalid("spec.versions", versions, "must have exactly one version marked as storage version"))
    return causes


def _schema_of(version: Object) -> Any:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _has_default(schema: Any) -> bool:
    return isinstance(schema, dict) and has_defaults(schema)


def _version(version: Object, path: str, versions: Sequence[Object], known: Mapping[str, Any]) -> list[Cause]:
    """What this version does not share with all others."""
    causes: list[Cause] = []
    if version.get("deprecationWarning") is not None:
        causes += validate_deprecation(version, path)
    if not shared(versions, "schema"):
        causes += _schema(version, f"{path}.schema", known, has_status=_has_status(version))
    if not shared(versions, "subresources"):
        causes += validate_subresources(version.get("subresources") or {}, f"{path}.subresources")
    if not shared(versions, "additionalPrinterColumns"):
        causes += validate_columns(version.get("additionalPrinterColumns") or (), f"{path}.additionalPrinterColumns")
    if not shared(versions, "selectableFields"):
        causes += validate_selectable_fields(version, f"{path}.selectableFields")
    return causes


def _has_status(version: Object) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def _shared_parts(versions: Sequence[Object], known: Mapping[str, Any]) -> list[Cause]:
    first = versions[0] if versions else {}
    causes: list[Cause] = []
    if shared(versions, "schema"):
        causes += _schema(first, "spec.validation", known, has_status=any(map(_has_status, versions)))
    if shared(versions, "subresources"):
        causes += validate_subresources(first["subresources"], "spec.subresources")
    if shared(versions, "additionalPrinterColumns"):
        causes += validate_columns(first["additionalPrinterColumns"], "spec.additionalPrinterColumns")
    if shared(versions, "selectableFields"):
        causes += validate_selectable_fields(first, "spec.selectableFields")
    return causes


def _schema(version: Object, path: str, known: Mapping[str, Any], *, has_status: bool) -> list[Cause]:
    schema = _schema_of(version)
    if not isinstance(schema, dict):
        return []
    own = f"{path}.openAPIV3Schema"
    causes = _root_rules(schema, own) if has_status else []
    if schema.get("nullable"):
        causes.append(forbidden(f"{own}.nullable", "nullable cannot be true at the root"))
    if known.get(version.get("name", "")) == schema:
        return causes
    structural = validate_structural(schema, own)
    if not structural:
        structural = validate_defaults(schema, own)
    open_api = validate_open_api(schema, own)
    causes += structural + open_api
    return causes if structural or open_api else causes + validate_rules(schema, own)


def _root_rules(schema: Schema, own: str) -> list[Cause]:
    """Where status is a subresource, its schema is taken out of the root's properties, and nothing beside them may bear on it."""
    if schema.get("type") and schema["type"] != "object":
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        return [invalid(f"{own}.type", schema["type"], text)]
    if any(key not in ROOT_FIELDS and value for key, value in schema.items()):
        text = f"only [{' '.join(ROOT_FIELDS.values())}] fields are allowed at the root of the schema if the status subresource is enabled"
        return [invalid(own, schema, text)]
    return []
