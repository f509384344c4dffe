"""A claim grows only once it is bound, and only where its storage class allows that."""

from proa.api.meta import Object
from proa.api.quantity import ZERO, Quantity, parse
from proa.apiserver.admission.default_storage_class import CLAIMS, GROUP, storage_class_of
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

NOT_BOUND = "Only bound persistent volume claims can be expanded"
NOT_RESIZABLE = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"


class PersistentVolumeClaimResize(PassiveAdmission):
    name = "PersistentVolumeClaimResize"
    resources = frozenset({CLAIMS})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def validate(self, attributes: Attributes) -> None:
        claim, old = attributes.object, attributes.old_object
        if attributes.operation != "UPDATE" or attributes.subresource or claim is None or old is None:
            return
        if _size(claim).nano <= _size(old).nano:
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise refuse(attributes, NOT_BOUND)
        if not self._may_grow(claim, old):
            raise refuse(attributes, NOT_RESIZABLE)

    def _may_grow(self, claim: Object, old: Object) -> bool:
        name = storage_class_of(claim)
        if not name or name != storage_class_of(old):
            return False
        found = self._reader.get(GROUP, "storageclasses", name)
        return found is not None and bool(found.get("allowVolumeExpansion"))


def _size(claim: Object) -> Quantity:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return parse(requests["storage"]) if "storage" in requests else ZERO
