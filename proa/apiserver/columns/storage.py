"""Rows of volumes, claims, storage classes, CSI and dynamic resources."""

from typing import Any

from proa.api.meta import Object, annotations, is_terminating
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, NONE, UNSET, Cell, at, column, count, field, joined

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def _access_modes(modes: Any) -> str:
    return joined(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: Object, now: float) -> str:
    return "Terminating" if is_terminating(obj) else at(obj, "status", "phase") or ""


def _storage_class(obj: Object, now: float) -> str:
    own = annotations(obj)
    return own[_CLASS_ANNOTATION] if _CLASS_ANNOTATION in own else at(obj, "spec", "storageClassName") or ""


def _claim(obj: Object, now: float) -> str:
    claim = at(obj, "spec", "claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


_CLASS = column("StorageClass", _storage_class, "The storage class.")
_ATTRIBUTES = column("VolumeAttributesClass", field("spec", "volumeAttributesClassName", default=UNSET), "The class of attributes.")
_VOLUME_MODE = column("VolumeMode", field("spec", "volumeMode", default=UNSET), "Filesystem or Block.", wide=True)

PERSISTENT_VOLUMES: tuple[Column, ...] = (
    NAME,
    column("Capacity", field("spec", "capacity", "storage", default="0"), "How much it holds."),
    column("Access Modes", lambda obj, now: _access_modes(at(obj, "spec", "accessModes")), "How it can be mounted."),
    column("Reclaim Policy", field("spec", "persistentVolumeReclaimPolicy"), "What becomes of it when its claim goes."),
    column("Status", _phase, "Available, Bound, Released or Failed."),
    column("Claim", _claim, "The claim it is bound to."),
    _CLASS,
    _ATTRIBUTES,
    column("Reason", field("status", "reason"), "Why it failed."),
    AGE,
    _VOLUME_MODE,
)


def _if_bound(cell: Cell) -> Cell:
    return lambda obj, now: cell(obj, now) if at(obj, "spec", "volumeName") else ""


PERSISTENT_VOLUME_CLAIMS: tuple[Column, ...] = (
    NAME,
    column("Status", _phase, "Pending, Bound or Lost."),
    column("Volume", field("spec", "volumeName"), "The volume it is bound to."),
    column("Capacity", _if_bound(field("status", "capacity", "storage", default="0")), "How much it got."),
    column("Access Modes", _if_bound(lambda obj, now: _access_modes(at(obj, "status", "accessModes"))), "How it can be mounted."),
    _CLASS,
    _ATTRIBUTES,
    AGE,
    _VOLUME_MODE,
)


def _marked_default(*keys: str) -> Cell:
    def cell(obj: Object, now: float) -> str:
        is_default = any(annotations(obj).get(key) == "true" for key in keys)
        return f"{obj['metadata'].get('name', '')}{' (default)' if is_default else ''}"

    return cell


_STORAGE_CLASS_NAME = _marked_default("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
STORAGE_CLASSES: tuple[Column, ...] = (
    column("Name", _STORAGE_CLASS_NAME, NAME.description, format="name"),
    column("Provisioner", field("provisioner"), "Who makes its volumes."),
    column("ReclaimPolicy", field("reclaimPolicy", default="Delete"), "What becomes of a volume when its claim goes."),
    column("VolumeBindingMode", field("volumeBindingMode", default="Immediate"), "When volumes are bound."),
    column("AllowVolumeExpansion", field("allowVolumeExpansion", default=False), "Whether volumes may grow."),
    AGE,
)
VOLUME_ATTRIBUTES_CLASSES: tuple[Column, ...] = (
    column("Name", _marked_default("volumeattributesclass.alpha.kubernetes.io/is-default-class"), NAME.description, format="name"),
    column("DriverName", field("driverName"), "The CSI driver."),
    AGE,
)
VOLUME_ATTACHMENTS: tuple[Column, ...] = (
    NAME,
    column("Attacher", field("spec", "attacher"), "Who attaches.", format="name"),
    column("PV", field("spec", "source", "persistentVolumeName"), "What is attached."),
    column("Node", field("spec", "nodeName"), "Where."),
    column("Attached", field("status", "attached", default=False), "Whether it is.", type="boolean"),
    AGE,
)
CSI_NODES: tuple[Column, ...] = (NAME, column("Drivers", count("spec", "drivers"), "How many drivers it has.", type="integer"), AGE)


def _boolean(name: str, key: str, description: str, default: bool = False) -> Column:
    return column(name, field("spec", key, default=default), description, type="boolean")


def _token_requests(obj: Object, now: float) -> str:
    requests = at(obj, "spec", "tokenRequests")
    return UNSET if requests is None else joined(each.get("audience", "") for each in requests)


def _modes(obj: Object, now: float) -> str:
    return joined(at(obj, "spec", "volumeLifecycleModes") or ()) or NONE


CSI_DRIVERS: tuple[Column, ...] = (
    NAME,
    _boolean("AttachRequired", "attachRequired", "Whether volumes are attached before they are mounted.", default=True),
    _boolean("PodInfoOnMount", "podInfoOnMount", "Whether it wants to know the pod."),
    _boolean("StorageCapacity", "storageCapacity", "Whether it publishes what is free."),
    column("TokenRequests", _token_requests, "Audiences of the tokens it wants."),
    _boolean("RequiresRepublish", "requiresRepublish", "Whether it wants to be called again and again."),
    column("Modes", _modes, "Which volumes it serves."),
    AGE,
)
CSI_STORAGE_CAPACITIES: tuple[Column, ...] = (
    NAME,
    column("StorageClassName", field("storageClassName"), "The storage class."),
    column("Capacity", field("capacity", default=UNSET), "How much is free."),
)


def _claim_state(obj: Object, now: float) -> str:
    words = ["deleted"] if is_terminating(obj) else []
    if not at(obj, "status", "allocation"):
        return joined(words or ["pending"])
    return joined([*words, "allocated", *(["reserved"] if at(obj, "status", "reservedFor") else [])])


RESOURCE_CLAIMS: tuple[Column, ...] = (NAME, column("State", _claim_state, "Pending, allocated, reserved."), AGE)
RESOURCE_SLICES: tuple[Column, ...] = (
    NAME,
    column("Node", field("spec", "nodeName"), "The node whose devices these are."),
    column("Driver", field("spec", "driver"), "The driver that offers them."),
    column("Pool", field("spec", "pool", "name"), "The pool they belong to."),
    AGE,
)
