"""PersistentVolumeClaims: fixed after creation, but for the volume that the binder writes once, a larger size of a bound claim, and the
class of attributes."""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported
from proa.api.meta import Object, annotations
from proa.api.names import qualified_name
from proa.api.quantity import parse
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_amount
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.claim_spec import CLASS_ANNOTATION, fill_claim_spec, requested_storage, validate_claim_spec
from proa.apiserver.registry.pod_spec.volume_warnings import claim_warnings
from proa.apiserver.registry.strategy import KindStrategy

_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_RESIZE_STATES = ("ControllerResizeFailed", "ControllerResizeInProgress", "NodeResizeFailed", "NodeResizeInProgress", "NodeResizePending")
_DATA_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


class PersistentVolumeClaimStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"phase": "Pending"}

    def fill(self, obj: Object) -> None:
        fill_claim_spec(obj.setdefault("spec", {}))

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        drop_unknown_data_source(obj["spec"])
        pair_data_sources(obj["spec"])

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        if "dataSource" not in (old.get("spec") or {}):
            drop_unknown_data_source(obj["spec"])
        pair_data_sources(obj["spec"])

    def check(self, obj: Object) -> list[Cause]:
        return validate_claim_spec(obj.get("spec") or {}, "spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self.check(obj)
        causes += immutable(f"metadata.annotations[{CLASS_ANNOTATION}]", annotations(obj).get(CLASS_ANNOTATION),
                            annotations(old).get(CLASS_ANNOTATION))  # fmt: skip
        if _fixed_part(obj, old) != _without_attributes(old["spec"]):
            causes.append(forbidden("spec", _FIXED))
        causes += _validate_size(obj["spec"], old) + immutable("volumeMode", obj["spec"].get("volumeMode"), old["spec"].get("volumeMode"))
        former, fresh = old["spec"].get("volumeAttributesClassName"), obj["spec"].get("volumeAttributesClassName")
        if former is not None and not fresh:
            what = "nil" if fresh is None else "an empty string"
            causes.append(forbidden("spec.volumeAttributesClassName", f"update from non-nil value to {what} is forbidden"))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found = claim_warnings(obj.get("spec") or {}, "spec")
        if CLASS_ANNOTATION in annotations(obj):
            found.append(f'metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead')
        return found


def pair_data_sources(spec: Object) -> None:
    """dataSource and dataSourceRef say the same where only one of them is given and it is of this namespace."""
    reference, source = spec.get("dataSourceRef"), spec.get("dataSource")
    if (reference or {}).get("namespace"):
        return
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None:
        spec["dataSource"] = dict(reference)


def drop_unknown_data_source(spec: Object) -> None:
    """dataSource has always ignored what is neither a claim nor a snapshot; dataSourceRef came for the rest."""
    source = spec.get("dataSource")
    if source is not None and (source.get("apiGroup") or "", source.get("kind")) not in _DATA_SOURCES:
        del spec["dataSource"]


def _fixed_part(obj: Object, old: Object) -> Object:
    """The new spec with everything set back that may change."""
    spec, former = _without_attributes(obj["spec"]), old["spec"]
    if not former.get("volumeName"):
        spec.pop("volumeName", None)
        if "volumeName" in former:
            spec["volumeName"] = former["volumeName"]
    if former.get("storageClassName") is None and annotations(old).get(CLASS_ANNOTATION, spec.get("storageClassName")) == spec.get(
        "storageClassName"
    ):
        spec.pop("storageClassName", None)
    if (obj.get("status") or {}).get("phase") == "Bound":
        requests = dict((spec.get("resources") or {}).get("requests") or {})
        requests["storage"] = former["resources"]["requests"]["storage"]
        spec["resources"] = (spec.get("resources") or {}) | {"requests": requests}
    return spec


def _without_attributes(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key != "volumeAttributesClassName"}


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
        causes += check_amount(f"status.capacity[{name}]", amount)
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        causes += _validate_resource_key(name, "status.allocatedResourceStatus")
        if state not in _RESIZE_STATES:
            causes.append(not_supported("status.allocatedResourceStatus", name, _RESIZE_STATES))
    for name, amount in (status.get("allocatedResources") or {}).items():
        wrong = _validate_resource_key(name, "status.allocatedResources")
        causes += wrong or check_amount(f"status.allocatedResources[{name}]", amount)
    return causes


def _validate_resource_key(name: str, path: str) -> list[Cause]:
    causes = [invalid(path, name, problem) for problem in qualified_name(name)]
    native = "/" not in name or name.partition("/")[0].endswith("kubernetes.io")
    return causes if causes or not native or name == "storage" else [not_supported(path, name, ("storage",))]
