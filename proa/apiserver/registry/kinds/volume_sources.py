"""Where a PersistentVolume is: exactly one source, and what each source needs. What pods' volumes need too: storage_sources.py."""

from collections.abc import Mapping
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_driver_name, check_name
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps
from proa.apiserver.registry.pod_spec.storage_sources import (
    MAX_PORTAL,
    PORTAL_TOO_LONG,
    SHARED,
    Check,
    iscsi_target,
    needing,
    place_of,
    place_of_second,
    qualified_initiator,
    with_secret,
)

SOURCES: Mapping[str, Mapping[str, Any]] = {
    "hostPath": {"type": ""},
    "gcePersistentDisk": {},
    "awsElasticBlockStore": {},
    "glusterfs": {},
    "flocker": {},
    "nfs": {},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "quobyte": {},
    "cephfs": {},
    "iscsi": {"iscsiInterface": "default"},
    "cinder": {},
    "fc": {},
    "flexVolume": {},
    "azureFile": {},
    "vsphereVolume": {},
    "photonPersistentDisk": {},
    "portworxVolume": {},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "local": {},
    "storageos": {},
    "csi": {},
}
"""Every source, in the order in which they are looked at, with its defaults."""

_CSI_SECRETS = ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef")
_MALFORMED = "must be valid format"


def validate_persistent_source(spec: Object, path: str, name: str = "") -> list[Cause]:
    """`name` is the PersistentVolume's."""
    given = [kind for kind in SOURCES if kind in spec]
    if not given:
        return [required(path, "must specify a volume type")]
    causes = _validate_source(given[0], spec, path, name)
    for extra in given[1:]:
        # Upstream misses a second source here.
        told = [forbidden(place_of_second(extra, path), "may not specify more than 1 volume type")]
        causes += _validate_source(extra, spec, path, name) if extra == "flexVolume" else told
    return causes


def _validate_source(kind: str, spec: Object, path: str, name: str) -> list[Cause]:
    check = _CHECKS.get(kind) or SHARED[kind] if kind != "iscsi" else None
    causes = check(spec[kind], place_of(kind, path)) if check else _iscsi(spec[kind], place_of(kind, path), name)
    if kind == "local" and "nodeAffinity" not in spec:
        causes.append(required(f"{path}.nodeAffinity", "Local volume requires node affinity"))
    return causes


def _local(source: Object, path: str) -> list[Cause]:
    return validate_no_backsteps(f"{path}.path", source["path"]) if source.get("path") else [required(f"{path}.path")]


def _glusterfs(source: Object, path: str) -> list[Cause]:
    causes = SHARED["glusterfs"](source, path)
    if (namespace := source.get("endpointsNamespace")) is None:
        return causes
    own = f"{path}.endpointsNamespace"
    if not namespace:
        return [*causes, invalid(own, namespace, "if the endpointnamespace is set, it must be a valid namespace name")]
    return causes + [invalid(own, namespace, problem) for problem in dns1123_label(namespace)]


def _azure_file(source: Object, path: str) -> list[Cause]:
    causes = SHARED["azureFile"](source, path)
    return [*causes, required(f"{path}.secretNamespace")] if source.get("secretNamespace") == "" else causes


def _iscsi(source: Object, path: str, name: str) -> list[Cause]:
    portal, initiator = source.get("targetPortal") or "", source.get("initiatorName")
    causes = needing("targetPortal")(source, path)
    if initiator is not None and len(f"{name}:{portal}") > MAX_PORTAL:
        causes.append(invalid(f"{path}.targetportal", portal, PORTAL_TOO_LONG))
    causes += iscsi_target(source, path, _MALFORMED)
    secret = source.get("secretRef")
    if secret is not None:
        causes += needing("name")(secret, f"{path}.secretRef")
    return causes + (qualified_initiator(initiator, f"{path}.initiatorname", _MALFORMED) if initiator is not None else [])


def _csi(source: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", source.get("driver"))
    if not source.get("volumeHandle"):
        causes.append(required(f"{path}.volumeHandle"))
    for field in _CSI_SECRETS:
        if field in source:
            causes += check_name(f"{path}.{field}.name", source[field].get("name"), dns1123_subdomain)
            causes += check_name(f"{path}.{field}.namespace", source[field].get("namespace"), dns1123_label)
    return causes


_CHECKS: Mapping[str, Check] = {
    "glusterfs": _glusterfs,
    "azureFile": _azure_file,
    "cinder": with_secret("cinder", "name", "namespace"),
    "storageos": with_secret("storageos", "name", "namespace"),
    "local": _local,
    "csi": _csi,
}
