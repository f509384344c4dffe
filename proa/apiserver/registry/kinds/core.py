"""Small core kinds: Namespace, Node, ServiceAccount, LimitRange, ResourceQuota, Event."""

import itertools
from collections.abc import Callable
from typing import ClassVar

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, qualified_name
from proa.api.quantity import FORMAT_MESSAGE, parse
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import NOT_NEGATIVE, check_choice, check_cidr, check_name
from proa.apiserver.registry.normalize import Normalizer
from proa.apiserver.registry.object_meta import NameCheck, immutable
from proa.apiserver.registry.pod_spec.scheduling import EFFECTS
from proa.apiserver.registry.strategy import KindStrategy

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
KUBERNETES_FINALIZER = "kubernetes"


class NamespaceStrategy(KindStrategy):
    """A namespace carries its own name as a label, and a finalizer in spec that only /finalize removes."""

    @property
    def name_check(self) -> NameCheck:
        return dns1123_label

    def fill(self, obj: Object) -> None:
        meta = obj.setdefault("metadata", {})
        obj.setdefault("spec", {})
        if name := meta.get("name"):
            meta.setdefault("labels", {})[NAMESPACE_NAME_LABEL] = name

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        meta = obj.setdefault("metadata", {})
        meta.setdefault("labels", {})[NAMESPACE_NAME_LABEL] = meta.get("name", "")
        finalizers = obj["spec"].setdefault("finalizers", [])
        if KUBERNETES_FINALIZER not in finalizers:
            finalizers.append(KUBERNETES_FINALIZER)
        obj["status"] = {"phase": "Active"}

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        obj["spec"]["finalizers"] = old.get("spec", {}).get("finalizers") or []

    def check(self, obj: Object) -> list[Cause]:
        finalizers = obj.get("spec", {}).get("finalizers") or ()
        return [invalid("spec.finalizers", each, problem) for each in finalizers for problem in qualified_name(each)]


class NamespaceFinalizeStrategy(KindStrategy):
    """/finalize: of the object sent, only spec.finalizers counts."""

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        obj["spec"] = {**(old.get("spec") or {}), "finalizers": finalizers}
        if not finalizers:
            del obj["spec"]["finalizers"]


def check_namespace_status(obj: Object, old: Object) -> list[Cause]:
    phase, deleted = (obj.get("status") or {}).get("phase"), obj["metadata"].get("deletionTimestamp")
    if not deleted and phase != "Active":
        return [invalid("status.Phase", phase or "", "may only be 'Active' if `deletionTimestamp` is empty")]
    if deleted and phase != "Terminating":
        return [invalid("status.Phase", phase or "", "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    return []


class NodeStrategy(KindStrategy):
    """The kubelet registers a Node with its status in one write, so creation keeps it."""

    keeps_status_on_create = True

    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {})
        status = obj.get("status") or {}
        if status.get("capacity") and not status.get("allocatable"):
            status["allocatable"] = dict(status["capacity"])

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes: list[Cause] = []
        seen: set[tuple[str, str]] = set()
        for index, taint in enumerate(spec.get("taints") or ()):
            path = f"spec.taints[{index}]"
            causes += check_name(f"{path}.key", taint.get("key"), qualified_name)
            causes += check_choice(f"{path}.effect", taint.get("effect"), EFFECTS)
            identity = (taint.get("key", ""), taint.get("effect", ""))
            if identity in seen:
                cause = duplicate(path, taint)
                causes.append(Cause(cause.field, f"{cause.message}: taints must be unique by key and effect pair", cause.reason))
            seen.add(identity)
        for index, cidr in enumerate(spec.get("podCIDRs") or ()):
            causes += check_cidr(f"spec.podCIDRs[{index}]", cidr)
        if spec.get("podCIDRs") and spec.get("podCIDR") and spec["podCIDRs"][0] != spec["podCIDR"]:
            causes.append(invalid("spec.podCIDRs", spec["podCIDRs"], "must be the same as podCIDR at index 0"))
        return causes

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        _pair_cidrs(obj["spec"])

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old.get("spec") or {}
        causes = self.check(obj)
        if former.get("podCIDRs") and new.get("podCIDRs") != former["podCIDRs"]:
            causes.append(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'))
        if former.get("providerID") and new.get("providerID") != former["providerID"]:
            causes.append(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'))
        return causes


def _pair_cidrs(spec: Object) -> None:
    """podCIDR is the first of podCIDRs; setting the one sets the other."""
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]


class ServiceAccountStrategy(KindStrategy):
    has_status = False


class LimitRangeStrategy(KindStrategy):
    has_status = False
    allow_create_on_update = True

    def fill(self, obj: Object) -> None:
        for limit in obj.setdefault("spec", {}).get("limits") or ():
            if limit.get("type") != "Container":
                continue
            for name, amount in (limit.get("max") or {}).items():
                limit.setdefault("default", {}).setdefault(name, amount)
            for source in ("default", "min"):
                for name, amount in (limit.get(source) or {}).items():
                    limit.setdefault("defaultRequest", {}).setdefault(name, amount)

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        seen: set[str] = set()
        for index, limit in enumerate(obj.get("spec", {}).get("limits") or ()):
            path = f"spec.limits[{index}]"
            kind = limit.get("type", "")
            if kind in seen:
                causes.append(duplicate(f"{path}.type", kind))
            seen.add(kind)
            causes += _validate_limit(limit, path)
        return causes


def _validate_limit(limit: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    order = [(field, limit.get(field) or {}) for field in ("min", "defaultRequest", "default", "max")]
    for name in {name for _, amounts in order for name in amounts}:
        known = [(field, amounts[name]) for field, amounts in order if name in amounts]
        for (lower, small), (upper, large) in itertools.pairwise(known):
            if parse(small).nano > parse(large).nano:
                causes.append(invalid(f"{path}.{lower}[{name}]", small, f"{lower} value {small} is greater than {upper} value {large}"))
    return causes


class ResourceQuotaStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}
    tracks_generation = False

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        for name, amount in (obj.get("spec", {}).get("hard") or {}).items():
            path = f"spec.hard[{name}]"
            causes += [invalid(path, name, problem) for problem in qualified_name(name)]
            try:
                negative = parse(amount).nano < 0
            except ValueError:
                causes.append(invalid(path, amount, FORMAT_MESSAGE))
                continue
            if negative:
                causes.append(invalid(path, amount, NOT_NEGATIVE))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.scopes", obj.get("spec", {}).get("scopes"), old.get("spec", {}).get("scopes"))


class EventStrategy(KindStrategy):
    """Events of both groups; the object that an event is about must live in the event's namespace."""

    has_status = False
    allow_create_on_update = True

    def __init__(self, namespaced: bool = True, normalizer: Callable[[], Normalizer | None] = lambda: None, *, core: bool = True) -> None:
        super().__init__(namespaced, normalizer)
        self._about = "involvedObject" if core else "regarding"

    def check(self, obj: Object) -> list[Cause]:
        namespace = obj.get("metadata", {}).get("namespace", "")
        about = obj.get(self._about)
        if about is None:
            return [required(self._about)]
        if about.get("namespace") and about["namespace"] != namespace:
            return [invalid(f"{self._about}.namespace", about["namespace"], "does not match event.namespace")]
        if not about.get("namespace") and namespace not in ("", "default", "kube-system"):
            return [invalid(f"{self._about}.namespace", "", "does not match event.namespace")]
        return []
