"""A claim that names no storage class gets the default one: the newest of those that are marked, the first by name among equals."""

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

GROUP = "storage.k8s.io"
DEFAULT = "storageclass.kubernetes.io/is-default-class"
BETA_DEFAULT = "storageclass.beta.kubernetes.io/is-default-class"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
CLAIMS = ("", "persistentvolumeclaims")


class DefaultStorageClass(PassiveAdmission):
    name = "DefaultStorageClass"
    resources = frozenset({CLAIMS})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        claim = attributes.object
        if attributes.operation != "CREATE" or attributes.subresource or claim is None or names_class(claim):
            return
        default = newest_default(self._reader.list(GROUP, "storageclasses"), DEFAULT, BETA_DEFAULT)
        if default is not None:
            claim.setdefault("spec", {})["storageClassName"] = meta.name(default)


def names_class(claim: Object) -> bool:
    """Whether the claim says which class it wants; "" says: none."""
    return BETA_CLASS in meta.annotations(claim) or (claim.get("spec") or {}).get("storageClassName") is not None


def storage_class_of(claim: Object) -> str:
    beta = meta.annotations(claim).get(BETA_CLASS)
    return beta if beta is not None else (claim.get("spec") or {}).get("storageClassName") or ""


def newest_default(classes: list[Object], *marks: str) -> Object | None:
    """Of the classes that carry one of the annotations, the one that was made last."""
    marked = [each for each in classes if any(meta.annotations(each).get(mark) == "true" for mark in marks)]
    by_name = sorted(marked, key=meta.name)
    return max(by_name, key=lambda each: str(each["metadata"].get("creationTimestamp", "")), default=None)
