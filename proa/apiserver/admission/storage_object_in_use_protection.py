"""New volumes and claims carry a finalizer, so that what is in use does not go. The controllers of both take it off again."""

from proa.api import meta
from proa.apiserver.interface import Attributes, PassiveAdmission

FINALIZERS = {
    ("", "persistentvolumeclaims"): "kubernetes.io/pvc-protection",
    ("", "persistentvolumes"): "kubernetes.io/pv-protection",
    ("storage.k8s.io", "volumeattributesclasses"): "kubernetes.io/vac-protection",
}


class StorageObjectInUseProtection(PassiveAdmission):
    name = "StorageObjectInUseProtection"
    resources = frozenset(FINALIZERS)

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if attributes.operation != "CREATE" or attributes.subresource or obj is None:
            return
        finalizer, present = FINALIZERS[attributes.group_resource], meta.finalizers(obj)
        if finalizer not in present:
            obj["metadata"]["finalizers"] = [*present, finalizer]
