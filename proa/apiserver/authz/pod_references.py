"""Which other objects a pod needs on its node: what its kubelet may read, and what a mirror pod must not have."""

from collections.abc import Iterator
from typing import Any

from proa.api.meta import Object

SECRET_FIELDS = {
    "secret": ("secretName",), "azureFile": ("secretName",), "cephfs": ("secretRef", "name"), "cinder": ("secretRef", "name"),
    "flexVolume": ("secretRef", "name"), "rbd": ("secretRef", "name"), "scaleIO": ("secretRef", "name"), "iscsi": ("secretRef", "name"),
    "storageos": ("secretRef", "name"), "csi": ("nodePublishSecretRef", "name"),
}  # fmt: skip
"""Where each kind of volume names its secret."""


def containers(spec: Object) -> Iterator[Object]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def secret_names(pod: Object) -> set[str]:
    spec = pod.get("spec", {})
    found = {each.get("name", "") for each in spec.get("imagePullSecrets") or ()}
    found |= {each["secret"].get("name", "") for each in _projections(spec) if each.get("secret")}
    found |= set(_environment(spec, "secretKeyRef", "secretRef"))
    for volume in spec.get("volumes") or ():
        for kind, path in SECRET_FIELDS.items():
            if volume.get(kind):
                found.add(_at(volume[kind], path))
    return found - {""}


def config_map_names(pod: Object) -> set[str]:
    spec = pod.get("spec", {})
    found = {volume["configMap"].get("name", "") for volume in spec.get("volumes") or () if volume.get("configMap")}
    found |= {each["configMap"].get("name", "") for each in _projections(spec) if each.get("configMap")}
    return found.union(_environment(spec, "configMapKeyRef", "configMapRef")) - {""}


def claim_names(pod: Object) -> set[str]:
    """PersistentVolumeClaims, those of generic ephemeral volumes included."""
    name = pod.get("metadata", {}).get("name", "")
    found = set()
    for volume in pod.get("spec", {}).get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            found.add(volume["persistentVolumeClaim"].get("claimName", ""))
        elif volume.get("ephemeral") is not None:
            found.add(f"{name}-{volume['name']}")
    return found - {""}


def resource_claim_names(pod: Object) -> set[str]:
    statuses = pod.get("status", {}).get("resourceClaimStatuses") or ()
    found = {each.get("resourceClaimName") or "" for each in pod.get("spec", {}).get("resourceClaims") or ()}
    return found.union(each.get("resourceClaimName") or "" for each in statuses) - {""}


def projects_trust_bundle(pod: Object) -> bool:
    return any(each.get("clusterTrustBundle") for each in _projections(pod.get("spec", {})))


def _projections(spec: Object) -> Iterator[Object]:
    for volume in spec.get("volumes") or ():
        yield from (volume.get("projected") or {}).get("sources") or ()


def _environment(spec: Object, key_reference: str, whole_reference: str) -> Iterator[str]:
    for container in containers(spec):
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get(key_reference)
            if reference:
                yield reference.get("name", "")
        for source in container.get("envFrom") or ():
            if source.get(whole_reference):
                yield source[whole_reference].get("name", "")


def _at(value: Any, path: tuple[str, ...]) -> str:
    for step in path:
        value = value.get(step) or {}
    return value if isinstance(value, str) else ""
