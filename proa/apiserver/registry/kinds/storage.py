"""Volumes and their classes."""

from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.quantity import parse
from proa.apiserver.registry.checks import check_choice
from proa.apiserver.registry.kinds.plain import GenerationStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def _validate_access_modes(spec: Object, path: str) -> list[Cause]:
    modes = spec.get("accessModes") or []
    if not modes:
        return [required(f"{path}.accessModes", "at least 1 access mode is required")]
    causes = [cause for mode in modes for cause in check_choice(f"{path}.accessModes", mode, _ACCESS_MODES)]
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        causes.append(forbidden(f"{path}.accessModes", "may not use ReadWriteOncePod with other access modes"))
    return causes


class PersistentVolumeStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"phase": "Pending"}

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if "hostPath" in spec:
            spec["hostPath"].setdefault("type", "")

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _validate_access_modes(spec, "spec")
        if not spec.get("capacity"):
            causes.append(required("spec.capacity"))
        elif "storage" not in spec["capacity"]:
            causes.append(required("spec.capacity[storage]"))
        elif parse(spec["capacity"]["storage"]).nano <= 0:
            causes.append(invalid("spec.capacity[storage]", spec["capacity"]["storage"], "must be greater than zero"))
        policies = ("Delete", "Recycle", "Retain")
        causes += check_choice("spec.persistentVolumeReclaimPolicy", spec.get("persistentVolumeReclaimPolicy"), policies)
        return causes + check_choice("spec.volumeMode", spec.get("volumeMode"), ("Block", "Filesystem"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self.check(obj)
        causes += immutable("spec.volumeMode", obj["spec"].get("volumeMode"), old.get("spec", {}).get("volumeMode"))
        return causes


class PersistentVolumeClaimStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"phase": "Pending"}

    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _validate_access_modes(spec, "spec")
        storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        if storage is None:
            causes.append(required("spec.resources[storage]"))
        elif parse(storage).nano <= 0:
            causes.append(invalid("spec.resources[storage]", storage, "must be greater than zero"))
        return causes + check_choice("spec.volumeMode", spec.get("volumeMode"), ("Block", "Filesystem"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = dict(obj["spec"]), dict(old["spec"])
        for spec in (new, former):
            for field in ("resources", "volumeAttributesClassName"):
                spec.pop(field, None)
        if not former.get("volumeName"):
            new.pop("volumeName", None)
            former.pop("volumeName", None)
        if "storageClassName" not in former:
            new.pop("storageClassName", None)
        causes = self.check(obj)
        if new != former:
            detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            causes.append(forbidden("spec", detail))
        return causes


class StorageClassStrategy(KindStrategy):
    has_status = False

    def fill(self, obj: Object) -> None:
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def check(self, obj: Object) -> list[Cause]:
        causes = [] if obj.get("provisioner") else [required("provisioner")]
        causes += check_choice("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"))
        return causes + check_choice("volumeBindingMode", obj.get("volumeBindingMode"), ("Immediate", "WaitForFirstConsumer"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes: list[Cause] = []
        if (obj.get("parameters") or {}) != (old.get("parameters") or {}):
            causes.append(forbidden("parameters", "updates to parameters are forbidden."))
        if obj.get("provisioner") != old.get("provisioner"):
            causes.append(forbidden("provisioner", "updates to provisioner are forbidden."))
        if obj.get("reclaimPolicy") != old.get("reclaimPolicy"):
            causes.append(forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."))
        return causes + immutable("volumeBindingMode", obj.get("volumeBindingMode"), old.get("volumeBindingMode"))


class CsiDriverStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("attachRequired", True)
        spec.setdefault("podInfoOnMount", False)
        spec.setdefault("storageCapacity", False)
        spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
        spec.setdefault("requiresRepublish", False)
        spec.setdefault("seLinuxMount", False)
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]
