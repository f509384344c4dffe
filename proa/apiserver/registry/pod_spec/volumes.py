"""Volumes of a pod: names, exactly one source each, and what each source needs. Storage systems: storage_sources.py."""

from collections.abc import Callable, Mapping

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.api.quantity import parse
from proa.apiserver.registry.checks import check_choice, check_driver_name, check_name
from proa.apiserver.registry.object_meta import validate_annotations
from proa.apiserver.registry.pod_spec.claim_spec import validate_claim_spec
from proa.apiserver.registry.pod_spec.file_sources import validate_config_map, validate_downward, validate_secret
from proa.apiserver.registry.pod_spec.paths import validate_relative_path
from proa.apiserver.registry.pod_spec.projected import validate_projected
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

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_ONE_TOO_MANY = "may not specify more than 1 volume type"
_UNKNOWN_INITIATOR = "must be valid format starting with iqn, eui, or naa"


def validate_volumes(volumes: list[Object], path: str) -> tuple[dict[str, Object], list[Cause]]:
    """The volumes that are right, by name, and the causes."""
    found: dict[str, Object] = {}
    causes: list[Cause] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        own, name = f"{path}[{index}]", volume.get("name") or ""
        wrong = _validate_source(volume, own) + check_name(f"{own}.name", name, dns1123_label)
        if name in names:
            wrong.append(duplicate(f"{own}.name", name))
        if not wrong:
            found[name] = volume
            names.add(name)
        causes += wrong
    return found, causes


def _validate_source(volume: Object, path: str) -> list[Cause]:
    kinds = [key for key in volume if key != "name"]
    if len(kinds) > 1:
        kinds = [kind for kind in _SOURCES if kind in volume]
    if not kinds:
        return [required(path, "must specify a volume type")]
    first = kinds[0]
    check = _SOURCES.get(first)
    causes = check(volume[first], place_of(first, path)) if check else []
    if "iscsi" in volume:
        causes += _validate_portal(volume, path)
    return causes + [forbidden(place_of_second(extra, path), _ONE_TOO_MANY) for extra in kinds[1:]]


def _validate_portal(volume: Object, path: str) -> list[Cause]:
    name, source = volume.get("name") or "", volume["iscsi"]
    if source.get("initiatorName") is None or len(f"{name}:{source.get('targetPortal') or ''}") <= MAX_PORTAL:
        return []
    return [invalid(f"{path}.name", name, PORTAL_TOO_LONG)]


def validate_claims_of_pod(pod_name: str, spec: Object, path: str) -> list[Cause]:
    """The names of the claims that are made for ephemeral volumes: they are claims' names, and nobody else's volume uses them."""
    volumes = spec.get("volumes") or ()
    made = {f"{pod_name}-{each.get('name')}" for each in volumes if "ephemeral" in each and each.get("name")}
    if not made or not pod_name:
        return []
    causes: list[Cause] = []
    for index, volume in enumerate(volumes):
        name, own = volume.get("name"), f"{path}[{index}]"
        if "ephemeral" in volume and name:
            claim = f"{pod_name}-{name}"
            causes += [invalid(f"{own}.name", name, f'PVC name "{claim}": {problem}') for problem in dns1123_subdomain(claim)]
        used = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if used in made:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            causes.append(invalid(f"{own}.persistentVolumeClaim.claimName", used, detail))
    return causes


def _empty_dir(source: Object, path: str) -> list[Cause]:
    if "sizeLimit" in source and parse(source["sizeLimit"]).nano < 0:
        return [forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _git_repo(source: Object, path: str) -> list[Cause]:
    causes = needing("repository")(source, path)
    return causes + validate_relative_path(f"{path}.directory", source.get("directory") or "")


def _iscsi(source: Object, path: str) -> list[Cause]:
    causes = needing("targetPortal")(source, path) + iscsi_target(source, path, _UNKNOWN_INITIATOR)
    if (initiator := source.get("initiatorName")) is not None:
        causes += qualified_initiator(initiator, f"{path}.initiatorname", _UNKNOWN_INITIATOR)
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
    causes = needing("reference")(source, path)
    return causes + check_choice(f"{path}.pullPolicy", source.get("pullPolicy"), PULL_POLICIES, optional=True)


def _ephemeral(source: Object, path: str) -> list[Cause]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return [required(f"{path}.volumeClaimTemplate")]
    own, meta = f"{path}.volumeClaimTemplate", template.get("metadata") or {}
    causes = validate_annotations(meta.get("annotations") or {}, f"{own}.metadata.annotations")
    causes += validate_labels(meta.get("labels") or {}, f"{own}.metadata.labels")
    extra = [field for field in meta if field not in ("annotations", "labels")]
    causes += [forbidden(f"{own}.metadata.{'uID' if field == 'uid' else field}", "cannot be set") for field in extra]
    return causes + validate_claim_spec(template.get("spec") or {}, f"{own}.spec")


_OWN: Mapping[str, Callable[[Object, str], list[Cause]]] = {
    "emptyDir": _empty_dir,
    "gitRepo": _git_repo,
    "secret": validate_secret,
    "iscsi": _iscsi,
    "persistentVolumeClaim": needing("claimName"),
    "cinder": with_secret("cinder", "name"),
    "downwardAPI": validate_downward,
    "configMap": validate_config_map,
    "storageos": with_secret("storageos", "name"),
    "projected": validate_projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}
_ORDER = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker",
    "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap", "azureFile",
    "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral",
    "image",
)  # fmt: skip
_SOURCES: Mapping[str, Check] = {kind: _OWN.get(kind) or SHARED[kind] for kind in _ORDER}
"""In the order in which they are looked at: the first that is there is the volume's source."""
