"""Which other objects a pod needs on its node: what its kubelet may read, and what a mirror pod must not have."""

from dataclasses import field
from typing import Any

from proa.api.meta import Object
from proa.lib.dataclass import dataclass

SECRET_FIELDS = {
    "secret": ("secretName",), "azureFile": ("secretName",), "cephfs": ("secretRef", "name"), "cinder": ("secretRef", "name"),
    "flexVolume": ("secretRef", "name"), "rbd": ("secretRef", "name"), "scaleIO": ("secretRef", "name"), "iscsi": ("secretRef", "name"),
    "storageos": ("secretRef", "name"), "csi": ("nodePublishSecretRef", "name"),
}  # fmt: skip
"""Where each kind of volume names its secret."""


@dataclass(slots=True)
class References:
    """Names in the pod's own namespace."""

    secrets: set[str] = field(default_factory=set)
    config_maps: set[str] = field(default_factory=set)
    claims: set[str] = field(default_factory=set)
    """PersistentVolumeClaims, those of generic ephemeral volumes included."""


def references(pod: Object) -> References:
    """One walk over the pod: this runs for each pod that is bound, and for all of them when the server starts."""
    spec, found = pod.get("spec", {}), References()
    for pull_secret in spec.get("imagePullSecrets") or ():
        found.secrets.add(pull_secret.get("name", ""))
    for containers in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(containers) or ():
            _add_environment(container, found)
    for volume in spec.get("volumes") or ():
        _add_volume(volume, pod, found)
    for names in (found.secrets, found.config_maps, found.claims):
        names.discard("")
    return found


def _add_environment(container: Object, found: References) -> None:
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source:
            _add(source.get("secretKeyRef"), found.secrets)
            _add(source.get("configMapKeyRef"), found.config_maps)
    for source in container.get("envFrom") or ():
        _add(source.get("secretRef"), found.secrets)
        _add(source.get("configMapRef"), found.config_maps)


def _add_volume(volume: Object, pod: Object, found: References) -> None:
    for kind, source in volume.items():
        if source is None:
            continue
        if kind in SECRET_FIELDS:
            found.secrets.add(_at(source, SECRET_FIELDS[kind]))
        elif kind == "configMap":
            _add(source, found.config_maps)
        elif kind == "persistentVolumeClaim":
            found.claims.add(source.get("claimName", ""))
        elif kind == "ephemeral":
            found.claims.add(f"{pod.get('metadata', {}).get('name', '')}-{volume['name']}")
        elif kind == "projected":
            for projection in source.get("sources") or ():
                _add(projection.get("secret"), found.secrets)
                _add(projection.get("configMap"), found.config_maps)


def _add(reference: Object | None, names: set[str]) -> None:
    if reference:
        names.add(reference.get("name", ""))


def resource_claim_names(pod: Object) -> set[str]:
    statuses = pod.get("status", {}).get("resourceClaimStatuses") or ()
    found = {each.get("resourceClaimName") or "" for each in pod.get("spec", {}).get("resourceClaims") or ()}
    return found.union(each.get("resourceClaimName") or "" for each in statuses) - {""}


def first_kind(pod: Object) -> str:
    """The first kind of API objects that the pod depends on, as a mirror pod is told that it must not; "" for none."""
    spec, needed = pod.get("spec", {}), references(pod)
    if spec.get("serviceAccountName"):
        return "serviceaccounts"
    if needed.secrets:
        return "secrets"
    if needed.config_maps:
        return "configmaps"
    if spec.get("resourceClaims"):
        return "resourceclaims"
    return next((kind for volume in spec.get("volumes") or () if (kind := _kind_of_volume(volume))), "")


def _kind_of_volume(volume: Object) -> str:
    for source, kind in _OF_VOLUMES.items():
        if volume.get(source) is not None:
            return kind
    projected = (volume.get("projected") or {}).get("sources") or ()
    return next((kind for each in projected for source, kind in _OF_PROJECTIONS.items() if each.get(source) is not None), "")


_OF_VOLUMES = {
    "secret": "secrets (via secret volumes)",
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}
_OF_PROJECTIONS = {
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
    "clusterTrustBundle": "clustertrustbundles",
    "podCertificate": "podcertificates",
}


def _at(value: Any, path: tuple[str, ...]) -> str:
    for step in path:
        value = value.get(step) or {}
    return value if isinstance(value, str) else ""
