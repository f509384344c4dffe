"""Volumes of a pod: names, exactly one source each, and what each source needs."""

from collections.abc import Callable, Mapping

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector, validate_labels
from proa.api.meta import Object
from proa.api.names import config_map_key, dns1123_label, dns1123_subdomain
from proa.api.quantity import parse
from proa.apiserver.registry.checks import check_choice, check_driver_name, check_name
from proa.apiserver.registry.object_meta import validate_annotations
from proa.apiserver.registry.pod_spec.claim_spec import validate_claim_spec
from proa.apiserver.registry.pod_spec.env import validate_field_reference, validate_resource_reference
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps, validate_relative_path

HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_KEY_TYPES = ("ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096")
_MODE_MESSAGE = "must be a number between 0 and 0777 (octal), both inclusive"
REQUIRED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "glusterfs": ("endpoints", "path"),
    "rbd": ("monitors", "image"),
    "quobyte": ("registry", "volume"),
    "cephfs": ("monitors",),
    "cinder": ("volumeID",),
    "flexVolume": ("driver",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "scaleIO": ("gateway", "system", "volumeName"),
    "storageos": ("volumeName",),
}
"""What sources without rules of their own can't do without."""
_PROJECTIONS = ("clusterTrustBundle", "configMap", "downwardAPI", "podCertificate", "secret", "serviceAccountToken")


def validate_volumes(volumes: list[Object], path: str) -> tuple[dict[str, Object], list[Cause]]:
    """The volumes by name, and the causes."""
    found: dict[str, Object] = {}
    causes: list[Cause] = []
    for index, volume in enumerate(volumes):
        own = f"{path}[{index}]"
        name = volume.get("name")
        causes += check_name(f"{own}.name", name, dns1123_label)
        if name in found:
            causes.append(duplicate(f"{own}.name", name))
        found[name or ""] = volume
        causes += _validate_source(volume, own)
    return found, causes


def _validate_source(volume: Object, path: str) -> list[Cause]:
    kinds = [key for key in volume if key != "name"]
    if not kinds:
        return [required(path, "must specify a volume type")]
    causes = [forbidden(f"{path}.{extra}", "may not specify more than 1 volume type") for extra in kinds[1:]]
    kind, source = kinds[0], volume[kinds[0]]
    causes += [required(f"{path}.{kind}.{field}") for field in REQUIRED_FIELDS.get(kind, ()) if not source.get(field)]
    check = _SOURCES.get(kind)
    return causes + (check(source, f"{path}.{kind}") if check else [])


def _empty_dir(source: Object, path: str) -> list[Cause]:
    if "sizeLimit" in source and parse(source["sizeLimit"]).nano < 0:
        return [forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _host_path(source: Object, path: str) -> list[Cause]:
    if not source.get("path"):
        return [required(f"{path}.path")]
    causes = validate_no_backsteps(f"{path}.path", source["path"])
    if source.get("type", "") not in HOST_PATH_TYPES:
        causes.append(not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES[1:]))
    return causes


def _secret(source: Object, path: str) -> list[Cause]:
    causes = [] if source.get("secretName") else [required(f"{path}.secretName")]
    return causes + _mode(source.get("defaultMode"), f"{path}.defaultMode") + _items(source, path)


def _config_map(source: Object, path: str) -> list[Cause]:
    causes = [] if source.get("name") else [required(f"{path}.name")]
    return causes + _mode(source.get("defaultMode"), f"{path}.defaultMode") + _items(source, path)


def _mode(mode: int | None, path: str) -> list[Cause]:
    return [invalid(path, mode, _MODE_MESSAGE)] if mode is not None and not 0 <= mode <= 0o777 else []


def _items(source: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, item in enumerate(source.get("items") or ()):
        own = f"{path}.items[{index}]"
        causes += check_name(f"{own}.key", item.get("key"), config_map_key)
        causes += _path(item.get("path"), f"{own}.path")
        causes += _mode(item.get("mode"), f"{own}.mode")
    return causes


def _path(value: str | None, path: str) -> list[Cause]:
    if not value:
        return [required(path)]
    causes = validate_relative_path(path, value)
    if value.startswith("..") and not causes:
        causes.append(invalid(path, value, "must not start with '..'"))
    return causes


def _downward(source: Object, path: str) -> list[Cause]:
    causes = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        own = f"{path}.items[{index}]"
        causes += _path(item.get("path"), f"{own}.path") + _mode(item.get("mode"), f"{own}.mode")
        if "fieldRef" in item:
            causes += validate_field_reference(item["fieldRef"], f"{own}.fieldRef", in_volume=True)
            if "resourceFieldRef" in item:
                causes.append(invalid(own, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
        elif "resourceFieldRef" in item:
            causes += validate_resource_reference(item["resourceFieldRef"], f"{own}.resourceFieldRef", in_volume=True)
        else:
            causes.append(required(f"{own}.fieldRef", "one of fieldRef and resourceFieldRef is required"))
    return causes


def _projected(source: Object, path: str) -> list[Cause]:
    causes = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, projection in enumerate(source.get("sources") or ()):
        own = f"{path}.sources[{index}]"
        given = [key for key in projection if key in _PROJECTIONS]
        causes += [forbidden(f"{own}.{extra}", "may not specify more than 1 volume type") for extra in given[1:]]
        if not given:
            causes.append(required(own, f"must specify one of: {', '.join(_PROJECTIONS)}"))
        elif check := _PROJECTED.get(given[0]):
            causes += check(projection[given[0]], f"{own}.{given[0]}")
    return causes


def _projected_secret(source: Object, path: str) -> list[Cause]:
    return ([] if source.get("name") else [required(f"{path}.name")]) + _items(source, path)


def _token(source: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    seconds = source.get("expirationSeconds", 3600)
    if seconds < 600:
        causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > 1 << 32:
        causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    return causes + _path(source.get("path"), f"{path}.path")


def _trust_bundle(source: Object, path: str) -> list[Cause]:
    name, signer = source.get("name"), source.get("signerName")
    causes: list[Cause] = []
    if name is None and signer is None:
        causes.append(required(path, "either name or signerName must be specified"))
    elif name is not None and signer is not None:
        causes.append(invalid(path, source, "only one of name and signerName may be used"))
    if name is not None:
        causes += [required(f"{path}.name")] if not name else []
        if source.get("labelSelector") is not None:
            causes.append(invalid(f"{path}.labelSelector", source["labelSelector"], "labelSelector must be unset if name is specified"))
    elif signer is not None:
        causes += [required(f"{path}.signerName")] if not signer else []
        causes += validate_label_selector(source.get("labelSelector"), f"{path}.labelSelector")
    return causes + _path(source.get("path"), f"{path}.path")


def _pod_certificate(source: Object, path: str) -> list[Cause]:
    causes = [] if source.get("signerName") else [required(f"{path}.signerName")]
    causes += check_choice(f"{path}.keyType", source.get("keyType"), _KEY_TYPES)
    seconds = source.get("maxExpirationSeconds")
    if seconds is not None and not 3600 <= seconds <= 7862400:
        causes.append(invalid(f"{path}.maxExpirationSeconds", seconds, "must be between 3600 and 7862400, inclusive"))
    paths = [field for field in ("credentialBundlePath", "keyPath", "certificateChainPath") if source.get(field)]
    if not paths:
        causes.append(required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"))
    return causes + [cause for field in paths for cause in _path(source[field], f"{path}.{field}")]


def _claim(source: Object, path: str) -> list[Cause]:
    return [] if source.get("claimName") else [required(f"{path}.claimName")]


def _nfs(source: Object, path: str) -> list[Cause]:
    causes = [] if source.get("server") else [required(f"{path}.server")]
    if not source.get("path"):
        causes.append(required(f"{path}.path"))
    elif not source["path"].startswith("/"):
        causes.append(invalid(f"{path}.path", source["path"], "must be an absolute path"))
    return causes


def _csi(source: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", source.get("driver"))
    secret = source.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        causes.append(required(f"{path}.nodePublishSecretRef.name"))
    elif secret is not None:
        causes += check_name(f"{path}.name", secret["name"], dns1123_subdomain)
    return causes


def _image(source: Object, path: str) -> list[Cause]:
    return [] if source.get("reference") else [required(f"{path}.reference")]


def _ephemeral(source: Object, path: str) -> list[Cause]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return [required(f"{path}.volumeClaimTemplate")]
    own, meta = f"{path}.volumeClaimTemplate", template.get("metadata") or {}
    causes = validate_annotations(meta.get("annotations") or {}, f"{own}.metadata.annotations")
    causes += validate_labels(meta.get("labels") or {}, f"{own}.metadata.labels")
    causes += [forbidden(f"{own}.metadata.{field}", "cannot be set") for field in meta if field not in ("annotations", "labels")]
    return causes + validate_claim_spec(template.get("spec") or {}, f"{own}.spec")


Check = Callable[[Object, str], list[Cause]]
_SOURCES: dict[str, Check] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _secret,
    "configMap": _config_map,
    "downwardAPI": _downward,
    "projected": _projected,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "csi": _csi,
    "image": _image,
    "ephemeral": _ephemeral,
}
_PROJECTED: dict[str, Check] = {
    "secret": _projected_secret,
    "configMap": _projected_secret,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _pod_certificate,
}
