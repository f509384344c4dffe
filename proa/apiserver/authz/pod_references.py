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


def projects_trust_bundle(pod: Object) -> bool:
    volumes = pod.get("spec", {}).get("volumes") or ()
    return any(each.get("clusterTrustBundle") for volume in volumes for each in (volume.get("projected") or {}).get("sources") or ())


def _at(value: Any, path: tuple[str, ...]) -> str:
    for step in path:
        value = value.get(step) or {}
    return value if isinstance(value, str) else ""
