"""The spec of a claim: of a PersistentVolumeClaim itself, and of the templates in ephemeral volumes."""

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_choice, check_optional_name, check_positive

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_GROUP = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"


def fill_claim_spec(spec: Object) -> None:
    spec.setdefault("volumeMode", "Filesystem")


def validate_access_modes(spec: Object, path: str, detail: str) -> list[Cause]:
    modes, own = spec.get("accessModes") or [], f"{path}.accessModes"
    causes = [] if modes else [required(own, detail)]
    causes += [not_supported(own, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    known = {mode for mode in modes if mode in ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        causes.append(forbidden(own, "may not use ReadWriteOncePod with other access modes"))
    return causes


def requested_storage(spec: Object) -> str | None:
    amount: str | None = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return amount


def validate_claim_spec(spec: Object, path: str) -> list[Cause]:
    causes = validate_access_modes(spec, path, "at least 1 access mode is required")
    causes += validate_label_selector(spec.get("selector"), f"{path}.selector")
    storage = requested_storage(spec)
    causes += [required(f"{path}.resources[storage]")] if storage is None else check_positive(f"{path}.resources[storage]", storage)
    causes += check_optional_name(f"{path}.storageClassName", spec.get("storageClassName"), dns1123_subdomain)
    causes += check_choice(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES, optional=True)
    for field in ("dataSource", "dataSourceRef"):
        if field in spec:
            causes += _validate_data_source(spec[field], f"{path}.{field}")
    causes += _validate_pair(spec, path)
    return causes + check_optional_name(f"{path}.volumeAttributesClassName", spec.get("volumeAttributesClassName"), dns1123_subdomain)


def _validate_data_source(source: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}") for field in ("name", "kind") if not source.get(field)]
    group = source.get("apiGroup") or ""
    if not group and source.get("kind") != "PersistentVolumeClaim":
        causes.append(invalid(path, source.get("kind", ""), _DEFAULT_GROUP))
    causes += check_optional_name(f"{path}.apiGroup", group, dns1123_subdomain)
    return causes + check_optional_name(f"{path}.namespace", source.get("namespace"), dns1123_label)


def _validate_pair(spec: Object, path: str) -> list[Cause]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is None or reference is None:
        return []
    if reference.get("namespace"):
        return [invalid(path, f"{path}.dataSource", "may not be specified when dataSourceRef.namespace is specified")]
    if any(source.get(field) != reference.get(field) for field in ("apiGroup", "kind", "name")):
        return [invalid(path, f"{path}.dataSource", "must match dataSourceRef")]
    return []
