"""PersistentVolumeClaims: fixed after creation, but for the volume that the binder writes once, a larger size of a bound claim, and the
class of attributes."""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported
from proa.api.meta import Object, annotations
from proa.api.names import qualified_name
from proa.api.quantity import parse
from proa.api.resource import StrategyContext
from proa.api.resource_names import is_native
from proa.apiserver.registry.kinds.pod_update import difference
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE, immutable
from proa.apiserver.registry.pod_spec.claim_spec import (
    CLASS_ANNOTATION,
    check_size,
    fill_claim_spec,
    requested_storage,
    validate_claim_spec,
)
from proa.apiserver.registry.pod_spec.volume_warnings import claim_warnings
from proa.apiserver.registry.resource_checks import check_resource_amount
from proa.apiserver.registry.strategy import KindStrategy, take

_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_RESIZE_STATES = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress", "NodeResizeInfeasible",
)  # fmt: skip
_DATA_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


class PersistentVolumeClaimStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"phase": "Pending"}

    def fill(self, obj: Object) -> None:
        fill_claim_spec(obj.setdefault("spec", {}))

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        normalize_data_sources(obj["spec"], {})

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        normalize_data_sources(obj["spec"], old.get("spec") or {})

    def check(self, obj: Object) -> list[Cause]:
        return validate_claim_spec(obj.get("spec") or {}, "spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = super().check_update(obj, old)
        fresh, former = annotations(obj).get(CLASS_ANNOTATION), annotations(old).get(CLASS_ANNOTATION)
        if fresh != former and not _moves_class(obj, old):
            causes.append(invalid(f"metadata.annotations.{CLASS_ANNOTATION}", fresh or "", FIELD_IMMUTABLE))
        fixed = _fixed_part(obj, old)
        if fixed != old["spec"]:
            causes.append(forbidden("spec", f"{_FIXED}\n{difference(fixed, old['spec'], 'spec')}"))
        causes += _validate_size(obj["spec"], old) + immutable("volumeMode", obj["spec"].get("volumeMode"), old["spec"].get("volumeMode"))
        return causes + _validate_attributes_class(obj["spec"].get("volumeAttributesClassName"), old)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found = claim_warnings(obj.get("spec") or {}, "spec")
        if CLASS_ANNOTATION in annotations(obj):
            found.append(f'metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead')
        return found


def normalize_data_sources(spec: Object, old: Object) -> None:
    """dataSource has always ignored what is neither a claim nor a snapshot; dataSourceRef came for the rest. Of this namespace alone."""
    if "dataSourceRef" not in old and (spec.get("dataSourceRef") or {}).get("namespace") is not None:
        del spec["dataSourceRef"]
    known = "dataSource" in old or "dataSourceRef" in old or "dataSourceRef" in spec
    source = spec.get("dataSource")
    if not known and source is not None and (source.get("apiGroup") or "", source.get("kind")) not in _DATA_SOURCES:
        del spec["dataSource"]
    pair_data_sources(spec)


def pair_data_sources(spec: Object) -> None:
    """dataSource and dataSourceRef say the same where only one of them is given and it is of this namespace."""
    reference, source = spec.get("dataSourceRef"), spec.get("dataSource")
    if (reference or {}).get("namespace"):
        return
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None:
        spec["dataSource"] = dict(reference)


def _moves_class(obj: Object, old: Object) -> bool:
    """Whether the class that was an annotation becomes a field."""
    former, fresh = annotations(old).get(CLASS_ANNOTATION), annotations(obj).get(CLASS_ANNOTATION)
    field = obj["spec"].get("storageClassName")
    return former is not None and old["spec"].get("storageClassName") is None and field == former and fresh in (None, former)


def _fixed_part(obj: Object, old: Object) -> Object:
    """The new spec with everything set back that may change."""
    spec, former = dict(obj["spec"]), old["spec"]
    class_name = spec.get("storageClassName")
    if not former.get("volumeName"):
        take(spec, former, "volumeName")
    if former.get("storageClassName") is None and annotations(old).get(CLASS_ANNOTATION, class_name) == class_name:
        take(spec, former, "storageClassName")
    if (obj.get("status") or {}).get("phase") == "Bound":
        take(spec, former, "volumeAttributesClassName")
        requests = dict((spec.get("resources") or {}).get("requests") or {})
        requests["storage"] = former["resources"]["requests"]["storage"]
        spec["resources"] = (spec.get("resources") or {}) | {"requests": requests}
    return spec


def _validate_attributes_class(name: str | None, old: Object) -> list[Cause]:
    """A class that the volume has got is replaced, never taken away."""
    applied = (old.get("status") or {}).get("currentVolumeAttributesClassName")
    if name or applied is None or name == old["spec"].get("volumeAttributesClassName"):
        return []
    what = "nil" if name is None else "empty string"
    detail = f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
    return [forbidden("spec.volumeAttributesClassName", detail)]


def _validate_size(spec: Object, old: Object) -> list[Cause]:
    """A claim may shrink only to recover from a failed expansion, and never to what it has already got."""
    new, former = requested_storage(spec), requested_storage(old["spec"])
    if new is None or former is None or parse(new).nano >= parse(former).nano:
        return []
    held = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
    if parse(new).nano > parse(held).nano:
        return []
    return [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")]


def check_claim_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes: list[Cause] = []
    for name, amount in (status.get("capacity") or {}).items():
        causes += check_size(f"status.capacity[{name}]", amount)
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        causes += _validate_resource_key(name, "status.allocatedResourceStatuses")
        if state not in _RESIZE_STATES:
            causes.append(not_supported("status.allocatedResourceStatuses", name, _RESIZE_STATES))
    for name, amount in (status.get("allocatedResources") or {}).items():
        own = f"status.allocatedResources[{name}]"
        wrong = _validate_resource_key(name, "status.allocatedResources")
        causes += wrong or check_size(own, amount) or check_resource_amount("storage", amount, own)
    return causes


def _validate_resource_key(name: str, path: str) -> list[Cause]:
    causes = [invalid(path, name, problem) for problem in qualified_name(name)]
    return causes if causes or not is_native(name) or name == "storage" else [not_supported(path, name, ("storage",))]
