"""Where a PersistentVolume is: exactly one source, and what each source needs."""

from collections.abc import Callable, Mapping
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_driver_name, check_name, within
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps
from proa.apiserver.registry.pod_spec.volumes import HOST_PATH_TYPES, REQUIRED_FIELDS

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


def validate_persistent_source(spec: Object, path: str) -> list[Cause]:
    given = [kind for kind in SOURCES if kind in spec]
    if not given:
        return [required(path, "must specify a volume type")]
    kind = given[0]
    causes = [required(f"{path}.{kind}.{field}") for field in REQUIRED_FIELDS.get(kind, ()) if not spec[kind].get(field)]
    if check := _CHECKS.get(kind):
        causes += check(spec[kind], f"{path}.{kind}")
    if kind == "local" and "nodeAffinity" not in spec:
        causes.append(required(f"{path}.nodeAffinity", "Local volume requires node affinity"))
    return causes + [forbidden(f"{path}.{extra}", "may not specify more than 1 volume type") for extra in given[1:]]


def _host_path(source: Object, path: str) -> list[Cause]:
    if not source.get("path"):
        return [required(f"{path}.path")]
    causes = validate_no_backsteps(f"{path}.path", source["path"])
    if source.get("type", "") not in HOST_PATH_TYPES:
        causes.append(not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES[1:]))
    return causes


def _local(source: Object, path: str) -> list[Cause]:
    return validate_no_backsteps(f"{path}.path", source["path"]) if source.get("path") else [required(f"{path}.path")]


def _nfs(source: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}") for field in ("server", "path") if not source.get(field)]
    if source.get("path") and not source["path"].startswith("/"):
        causes.append(invalid(f"{path}.path", source["path"], "must be an absolute path"))
    return causes


def _csi(source: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", source.get("driver"))
    if not source.get("volumeHandle"):
        causes.append(required(f"{path}.volumeHandle"))
    for field in _CSI_SECRETS:
        if field in source:
            causes += check_name(f"{path}.{field}.name", source[field].get("name"), dns1123_subdomain)
            causes += check_name(f"{path}.{field}.namespace", source[field].get("namespace"), dns1123_label)
    return causes


def _iscsi(source: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}") for field in ("targetPortal", "iqn") if not source.get(field)]
    iqn = source.get("iqn") or ""
    if iqn and not iqn.startswith(("iqn", "eui", "naa")):
        causes.append(invalid(f"{path}.iqn", iqn, "must be valid format starting with iqn, eui, or naa"))
    return causes + within(f"{path}.lun", source.get("lun"), 0, 255)


def _fibre_channel(source: Object, path: str) -> list[Cause]:
    names, wide = source.get("targetWWNs") or [], source.get("wwids") or []
    if not names and not wide:
        return [required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both")]
    if names and wide:
        return [invalid(f"{path}.targetWWNs", names, "targetWWNs and wwids can not be specified simultaneously")]
    if names and source.get("lun") is None:
        return [required(f"{path}.lun", "lun is required if targetWWNs is specified")]
    return within(f"{path}.lun", source.get("lun"), 0, 255) if names else []


def _flocker(source: Object, path: str) -> list[Cause]:
    name, uuid = source.get("datasetName"), source.get("datasetUUID")
    if not name and not uuid:
        return [required(path, "one of datasetName and datasetUUID is required")]
    return [invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")] if name and uuid else []


_CHECKS: Mapping[str, Callable[[Object, str], list[Cause]]] = {
    "hostPath": _host_path, "local": _local, "nfs": _nfs, "csi": _csi, "iscsi": _iscsi, "fc": _fibre_channel, "flocker": _flocker,
}  # fmt: skip
