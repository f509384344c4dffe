"""What is wrong with a CustomResourceDefinition, in upstream's words and places.

Where all versions agree on schema, subresources or columns (a single version always does), upstream's internal form holds them once for
the whole spec; so its messages name `spec.validation`, `spec.subresources` and `spec.additionalPrinterColumns` then, and so do these.
"""

from collections.abc import Sequence

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain
from proa.apiserver.crd.cel.rules import validate_rules
from proa.apiserver.crd.conversion_rules import validate_conversion
from proa.apiserver.crd.default_rules import validate_defaults
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.schema_rules import validate_open_api, validate_structural
from proa.apiserver.crd.version_rules import validate_columns, validate_deprecation, validate_selectable_fields, validate_subresources
from proa.apiserver.registry.object_meta import immutable

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
    return causes + validate_conversion(spec.get("conversion") or {})


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
        causes += validate_deprecation(version, path)
    if not shared(versions, "schema"):
        causes += _schema(version, f"{path}.schema")
    if not shared(versions, "subresources"):
        causes += validate_subresources(version.get("subresources") or {}, f"{path}.subresources")
    if not shared(versions, "additionalPrinterColumns"):
        causes += validate_columns(version.get("additionalPrinterColumns") or (), f"{path}.additionalPrinterColumns")
    if not shared(versions, "selectableFields"):
        causes += validate_selectable_fields(version, f"{path}.selectableFields")
    return causes


def _shared_parts(versions: Sequence[Object]) -> list[Cause]:
    first = versions[0] if versions else {}
    causes: list[Cause] = []
    if shared(versions, "schema"):
        causes += _schema(first, "spec.validation")
    if shared(versions, "subresources"):
        causes += validate_subresources(first["subresources"], "spec.subresources")
    if shared(versions, "additionalPrinterColumns"):
        causes += validate_columns(first["additionalPrinterColumns"], "spec.additionalPrinterColumns")
    if shared(versions, "selectableFields"):
        causes += validate_selectable_fields(first, "spec.selectableFields")
    return causes


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
