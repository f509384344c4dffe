"""PersistentVolumes: one source each, which never changes; and the same spec inline in VolumeAttachments, where less is allowed."""

import posixpath
from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object, annotations
from proa.api.names import dns1123_subdomain
from proa.apiserver.registry.checks import check_choice, check_optional_name, check_positive
from proa.apiserver.registry.kinds.pod_update import difference
from proa.apiserver.registry.kinds.volume_sources import SOURCES, validate_persistent_source
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.claim_spec import CLASS_ANNOTATION, VOLUME_MODES, check_size, validate_access_modes
from proa.apiserver.registry.pod_spec.node_labels import current_label, term_warnings
from proa.apiserver.registry.pod_spec.scheduling import validate_node_selector
from proa.apiserver.registry.pod_spec.volume_warnings import REMOVED_IN_PERSISTENT_VOLUMES
from proa.apiserver.registry.strategy import KindStrategy

_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_INLINE = "may not be specified in the context of inline volumes"

_RECYCLE = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
    "Instead, the recommended approach is to use dynamic provisioning."
)


class PersistentVolumeStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"phase": "Pending"}

    def fill(self, obj: Object) -> None:
        fill_volume_spec(obj.setdefault("spec", {}))

    def check(self, obj: Object) -> list[Cause]:
        return validate_volume_spec(obj.get("spec") or {}, "spec", obj.get("metadata", {}).get("name") or "")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old.get("spec") or {}
        causes = super().check_update(obj, old)
        source, before = _source(new, former), _source(former, former)
        if source != before:
            told = f"spec.persistentvolumesource is immutable after creation\n{difference(source, before, 'spec')}"
            causes.append(forbidden("spec.persistentvolumesource", told))
        causes += immutable("volumeMode", new.get("volumeMode"), former.get("volumeMode"))
        if former.get("nodeAffinity") and not _same_nodes(new.get("nodeAffinity"), former["nodeAffinity"]):
            told = "field is immutable, except for updating from beta label to GA"
            causes.append(invalid("nodeAffinity", new.get("nodeAffinity"), told))
        if former.get("volumeAttributesClassName") is not None and new.get("volumeAttributesClassName") is None:
            causes.append(forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        spec = obj.get("spec") or {}
        found = [f"spec.{kind}: {text}" for kind, text in REMOVED_IN_PERSISTENT_VOLUMES.items() if kind in spec]
        if CLASS_ANNOTATION in annotations(obj):
            found.append(f'metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead')
        if _MOUNT_OPTIONS in annotations(obj):
            found.append(f'metadata.annotations[{_MOUNT_OPTIONS}]: deprecated since v1.31; use "mountOptions" attribute instead')
        if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
            found.append(_RECYCLE)
        terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()
        own = "spec.nodeAffinity.required.nodeSelectorTerms"
        return found + [warning for index, term in enumerate(terms) for warning in term_warnings(term, f"{own}[{index}]")]


def fill_volume_spec(spec: Object) -> None:
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    for kind, fill in SOURCES.items():
        if kind in spec:
            for field, value in fill.items():
                spec[kind].setdefault(field, value)


def _source(spec: Object, old: Object) -> Object:
    """Everything that says where the volume is. The secret for expansion may be named where there was none."""
    source = {kind: spec[kind] for kind in SOURCES if kind in spec}
    if "csi" in source and not (old.get("csi") or {}).get("controllerExpandSecretRef"):
        source["csi"] = {key: value for key, value in source["csi"].items() if key != "controllerExpandSecretRef"}
    return source


def _same_nodes(new: Object | None, old: Object) -> bool:
    """But for keys that are written as they are called today."""
    if new is None:
        return False
    fresh, former = ((each.get("required") or {}).get("nodeSelectorTerms") or [] for each in (new, old))
    return len(fresh) == len(former) and all(_same_term(*pair) for pair in zip(fresh, former, strict=True))


def _same_term(new: Object, old: Object) -> bool:
    return all(_same_expressions(new.get(kind) or [], old.get(kind) or []) for kind in ("matchExpressions", "matchFields"))


def _same_expressions(new: list[Object], old: list[Object]) -> bool:
    if len(new) != len(old):
        return False
    pairs = zip(new, old, strict=True)
    return all(after == before or after == before | {"key": current_label(before.get("key") or "")} for after, before in pairs)


def validate_volume_spec(spec: Object, path: str, name: str = "", *, inline: bool = False) -> list[Cause]:
    """`name` is the volume's. Inline is the spec in a VolumeAttachment, where less is allowed."""
    causes = _forbid(spec, path, "claimRef", "capacity") if inline else []
    if inline and "csi" not in spec:
        causes.append(required(f"{path}.csi", "has to be specified in the context of inline volumes"))
    causes += validate_access_modes(spec, path, "")
    if not inline:
        causes += _validate_capacity(spec, path)
    causes += _validate_reclaim_policy(spec, path, inline=inline)
    causes += _forbid(spec, path, "nodeAffinity") if inline else _validate_nodes(spec, f"{path}.nodeAffinity.required")
    causes += validate_persistent_source(spec, path, name)
    if (
        spec.get("persistentVolumeReclaimPolicy") == "Recycle"
        and posixpath.normpath((spec.get("hostPath") or {}).get("path") or "x") == "/"
    ):
        causes.append(forbidden(f"{path}.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"))
    if inline:
        causes += _forbid(spec, path, "storageClassName")
        if spec.get("volumeMode") not in (None, "Filesystem"):
            detail = "may not specify volumeMode other than Filesystem in the context of inline volumes"
            causes.append(forbidden(f"{path}.volumeMode", detail))
    else:
        causes += check_optional_name(f"{path}.storageClassName", spec.get("storageClassName"), dns1123_subdomain)
        causes += check_choice(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES, optional=True)
    return causes + _validate_attributes_class(spec, path)


def _forbid(spec: Object, path: str, *fields: str) -> list[Cause]:
    return [forbidden(f"{path}.{field}", _INLINE) for field in fields if spec.get(field)]


def _validate_nodes(spec: Object, path: str) -> list[Cause]:
    if "nodeAffinity" not in spec:
        return []
    terms = spec["nodeAffinity"].get("required")
    return validate_node_selector(terms, path) if terms is not None else [required(path, "must specify required node constraints")]


def _validate_capacity(spec: Object, path: str) -> list[Cause]:
    capacity = spec.get("capacity") or {}
    causes = [] if capacity else [required(f"{path}.capacity")]
    if "storage" not in capacity or len(capacity) > 1:
        causes.append(not_supported(f"{path}.capacity", capacity, ("storage",)))
    for name, amount in capacity.items():
        causes += check_size(f"{path}.capacity[{name}]", amount) + check_positive(f"{path}.capacity[{name}]", amount)
    return causes


def _validate_reclaim_policy(spec: Object, path: str, *, inline: bool) -> list[Cause]:
    policy, own = spec.get("persistentVolumeReclaimPolicy"), f"{path}.persistentVolumeReclaimPolicy"
    if not inline:
        return check_choice(own, policy, _RECLAIM_POLICIES, optional=True)
    return [forbidden(own, "may only be Retain in the context of inline volumes")] if policy not in (None, "", "Retain") else []


def _validate_attributes_class(spec: Object, path: str) -> list[Cause]:
    name, own = spec.get("volumeAttributesClassName"), f"{path}.volumeAttributesClassName"
    if name is None:
        return []
    causes = [invalid(own, name, problem) for problem in dns1123_subdomain(name)] if name else [
        required(own, "an empty string is disallowed")]  # fmt: skip
    if "csi" not in spec:
        causes.append(required(f"{path}.csi", "has to be specified when using volumeAttributesClassName"))
    return causes
