"""Storage systems that pods and PersistentVolumes both name: what each source needs. Source: core/v1, the VolumeSource types."""

import re
from collections.abc import Callable, Mapping

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, out_of_range
from proa.apiserver.registry.checks import check_name, check_optional_name, within
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps

Check = Callable[[Object, str], list[Cause]]
HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
MAX_PORTAL = 64
PORTAL_TOO_LONG = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
_QUALIFIERS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([0-9A-Za-z.-]+)(:[^,;*&$|\s]+)\Z").search,
    "eui": re.compile("eui.[0-9A-Za-z]{16}").fullmatch,
    "naa": re.compile("naa.[0-9A-Za-z]{32}").fullmatch,
}
_HOSTS = "must be a host:port pair or multiple pairs separated by commas"
_MAX_TENANT = 64
_MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def needing(*fields: str) -> Check:
    """A source whose only rule is that these fields are there."""
    return lambda source, path: [required(f"{path}.{field}") for field in fields if not source.get(field)]


def host_path(source: Object, path: str) -> list[Cause]:
    if not source.get("path"):
        return [required(f"{path}.path")]
    causes = validate_no_backsteps(f"{path}.path", source["path"])
    if source.get("type", "") not in HOST_PATH_TYPES:
        causes.append(not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES))
    return causes


def _disk(field: str) -> Check:
    """A disk of a cloud, and a partition of it."""

    def check(source: Object, path: str) -> list[Cause]:
        partition = source.get("partition") or 0
        causes = needing(field)(source, path)
        return causes if 0 <= partition <= 255 else [*causes, invalid(f"{path}.partition", partition, out_of_range(1, 255))]

    return check


def _nfs(source: Object, path: str) -> list[Cause]:
    causes = needing("server", "path")(source, path)
    if not (source.get("path") or "").startswith("/"):
        causes.append(invalid(f"{path}.path", source.get("path") or "", "must be an absolute path"))
    return causes


def qualified_initiator(name: str, path: str, unknown: str) -> list[Cause]:
    """The iSCSI name of a target or an initiator: iqn, eui or naa (RFC 3720). `unknown` is said of any other form."""
    fits = _QUALIFIERS.get(name[:3])
    if fits is None:
        return [invalid(path, name, unknown)]
    return [] if fits(name) else [invalid(path, name, "must be valid format")]


def iscsi_target(source: Object, path: str, unknown: str) -> list[Cause]:
    causes = qualified_initiator(source["iqn"], f"{path}.iqn", unknown) if source.get("iqn") else [required(f"{path}.iqn")]
    causes += within(f"{path}.lun", source.get("lun"), 0, 255)
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        causes.append(required(f"{path}.secretRef"))
    return causes


def fibre_channel(source: Object, path: str) -> list[Cause]:
    names, wide = source.get("targetWWNs") or [], source.get("wwids") or []
    causes: list[Cause] = []
    if not names and not wide:
        causes.append(required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if names and wide:
        causes.append(invalid(f"{path}.targetWWNs", names, "targetWWNs and wwids can not be specified simultaneously"))
    if names and source.get("lun") is None:
        causes.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
    return causes + (within(f"{path}.lun", source.get("lun"), 0, 255) if names else [])


def _flocker(source: Object, path: str) -> list[Cause]:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    causes: list[Cause] = []
    if not name and not uuid:
        causes.append(required(path, "one of datasetName and datasetUUID is required"))
    if name and uuid:
        causes.append(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
    return causes + ([invalid(f"{path}.datasetName", name, "must not contain '/'")] if "/" in name else [])


def _quobyte(source: Object, path: str) -> list[Cause]:
    registry = source.get("registry") or ""
    causes: list[Cause] = []
    if not registry:
        causes.append(required(f"{path}.registry", _HOSTS))
    elif len((source.get("tenant") or "").encode()) > _MAX_TENANT:
        causes.append(required(f"{path}.tenant", f"must be a UUID and may not exceed a length of {_MAX_TENANT} characters"))
    else:
        causes += [invalid(f"{path}.registry", registry, _HOSTS) for pair in registry.split(",") if not _is_host_and_port(pair)]
    return causes + needing("volume")(source, path)


_is_host_and_port = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*").fullmatch


def _flex_volume(source: Object, path: str) -> list[Cause]:
    causes = needing("driver")(source, path)
    for key in source.get("options") or ():
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            causes.append(invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved"))
    return causes


def _azure_disk(source: Object, path: str) -> list[Cause]:
    causes = needing("diskName", "diskURI")(source, path)
    caching, kind, uri = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    if caching not in (None, "None", "ReadOnly", "ReadWrite"):
        causes.append(not_supported(f"{path}.cachingMode", caching, ("None", "ReadOnly", "ReadWrite")))
    if kind not in (None, "Dedicated", "Managed", "Shared"):
        causes.append(not_supported(f"{path}.kind", kind, ("Dedicated", "Managed", "Shared")))
    start, form = ("/subscriptions/", _MANAGED_DISK) if kind == "Managed" else ("https://", _BLOB_DISK)
    if kind is not None and not uri.startswith(start):
        causes.append(not_supported(f"{path}.diskURI", uri, (form,)))
    return causes


def _storage_os(source: Object, path: str) -> list[Cause]:
    causes = check_name(f"{path}.volumeName", source.get("volumeName"), dns1123_label)
    return causes + check_optional_name(f"{path}.volumeNamespace", source.get("volumeNamespace"), dns1123_label)


SHARED: Mapping[str, Check] = {
    "hostPath": host_path,
    "gcePersistentDisk": _disk("pdName"),
    "awsElasticBlockStore": _disk("volumeID"),
    "nfs": _nfs,
    "glusterfs": needing("endpoints", "path"),
    "flocker": _flocker,
    "rbd": needing("monitors", "image"),
    "quobyte": _quobyte,
    "cephfs": needing("monitors"),
    "cinder": needing("volumeID"),
    "fc": fibre_channel,
    "flexVolume": _flex_volume,
    "azureFile": needing("secretName", "shareName"),
    "vsphereVolume": needing("volumePath"),
    "photonPersistentDisk": needing("pdID"),
    "portworxVolume": needing("volumeID"),
    "azureDisk": _azure_disk,
    "scaleIO": needing("gateway", "system", "volumeName"),
    "storageos": _storage_os,
}
"""By the field's name. Secrets are checked apart: a pod's are in its own namespace, a PersistentVolume's name theirs."""

_ERRORS_AT: Mapping[str, str] = {"gcePersistentDisk": "persistentDisk"}
_SECOND_AT: Mapping[str, str] = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}


def with_secret(kind: str, *fields: str) -> Check:
    """A shared source whose secret, where there is one, needs these fields."""

    def check(source: Object, path: str) -> list[Cause]:
        secret = source.get("secretRef")
        return SHARED[kind](source, path) + (needing(*fields)(secret, f"{path}.secretRef") if secret is not None else [])

    return check


def place_of(kind: str, path: str) -> str:
    """Where the causes against a source are told; upstream's names of fields, misnomers included."""
    return f"{path}.{_ERRORS_AT.get(kind, kind)}"


def place_of_second(kind: str, path: str) -> str:
    """Where it is told that a source is one too many."""
    return f"{path}.{_SECOND_AT.get(kind, kind)}"
