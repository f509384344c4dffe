"""The spec of a claim: of a PersistentVolumeClaim itself, and of the templates in ephemeral volumes."""

from typing import Any

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.api.quantity import parse
from proa.apiserver.registry.checks import check_optional_name, check_positive
from proa.apiserver.registry.resource_checks import check_resource_amount

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_GROUP = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"


def fill_claim_spec(spec: Object) -> None:
    spec.setdefault("volumeMode", "Filesystem")


def validate_access_modes(spec: Object, path: str, detail: str) -> list[Cause]:
    own = f"{path}.accessModes"
    return _validate_modes(spec.get("accessModes") or [], own) if spec.get("accessModes") else [required(own, detail)]


def _validate_modes(modes: list[str], path: str) -> list[Cause]:
    causes = [not_supported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    known = {mode for mode in modes if mode in ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        causes.append(forbidden(path, "may not use ReadWriteOncePod with other access modes"))
    return causes


def check_size(path: str, amount: Any) -> list[Cause]:
    """A quantity that isn't below zero; a cause shows it as a number, as upstream's for volumes do."""
    value = parse(amount).value
    return [invalid(path, value, "must be a valid resource quantity")] if value < 0 else []


def requested_storage(spec: Object) -> str | None:
    amount: str | None = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return amount


def validate_claim_spec(spec: Object, path: str) -> list[Cause]:
    modes = spec.get("accessModes") or []
    causes = [] if modes else [required(f"{path}.accessModes", "at least 1 access mode is required")]
    causes += validate_label_selector(spec.get("selector"), f"{path}.selector") + _validate_modes(modes, f"{path}.accessModes")
    causes += _validate_storage(requested_storage(spec), f"{path}.resources[storage]")
    causes += check_optional_name(f"{path}.storageClassName", spec.get("storageClassName"), dns1123_subdomain)
    if (mode := spec.get("volumeMode")) is not None and mode not in VOLUME_MODES:
        causes.append(not_supported(f"{path}.volumeMode", mode, VOLUME_MODES))
    for field in ("dataSource", "dataSourceRef"):
        if field in spec:
            causes += _validate_data_source(spec[field], f"{path}.{field}")
    if "dataSourceRef" in spec:
        causes += check_optional_name(f"{path}.dataSourceRef.namespace", spec["dataSourceRef"].get("namespace"), dns1123_label)
    causes += _validate_pair(spec, path)
    return causes + check_optional_name(f"{path}.volumeAttributesClassName", spec.get("volumeAttributesClassName"), dns1123_subdomain)


def _validate_storage(amount: str | None, path: str) -> list[Cause]:
    return [required(path)] if amount is None else check_positive(path, amount) or check_resource_amount("storage", amount, path)


def _validate_data_source(source: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}") for field in ("name", "kind") if not source.get(field)]
    group = source.get("apiGroup") or ""
    if not group and source.get("kind") != "PersistentVolumeClaim":
        causes.append(invalid(path, source.get("kind", ""), _DEFAULT_GROUP))
    return causes + check_optional_name(f"{path}.apiGroup", group, dns1123_subdomain)


def _validate_pair(spec: Object, path: str) -> list[Cause]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is None or reference is None:
        return []
    if reference.get("namespace"):
        return [invalid(path, f"{path}.dataSource", "may not be specified when dataSourceRef.namespace is specified")]
    if any(source.get(field) != reference.get(field) for field in ("apiGroup", "kind", "name")):
        return [invalid(path, f"{path}.dataSource", "must match dataSourceRef")]
    return []
