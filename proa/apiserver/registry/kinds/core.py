"""Small core kinds: Namespace, Node, ServiceAccount."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, forbidden, invalid
from proa.api.meta import Object
from proa.api.names import dns1123_label, label_value, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice, check_cidr, check_name
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.pod_spec.scheduling import EFFECTS
from proa.apiserver.registry.resource_checks import check_resource_amount
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
            # Taints were an annotation once, and upstream still tells their path as if they were metadata.
            path = f"metadata.taints[{index}]"
            causes += check_name(f"{path}.key", taint.get("key"), qualified_name)
            causes += [invalid(f"{path}.value", taint["value"], problem) for problem in label_value(taint.get("value") or "")]
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
        families = [":" in cidr for cidr in spec.get("podCIDRs") or ()]
        if len(families) > 2 or len(set(families)) != len(families):
            causes.append(invalid("spec.podCIDRs", spec["podCIDRs"], "may specify no more than one CIDR for each IP family"))
        return causes + _check_capacity(obj.get("status") or {})

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        spec, had = obj.get("spec") or {}, (old or {}).get("spec") or {}
        found = []
        if spec.get("configSource") is not None and "configSource" not in had:
            found.append("spec.configSource: the feature is no longer supported, see https://git.k8s.io/enhancements/keps/281-dynamic-kubelet-"
                         "configuration for more information")  # fmt: skip
        return [*found, "spec.externalID: this field is deprecated, and is unused by Kubernetes"] if spec.get("externalID") else found

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


def _check_capacity(status: Object) -> list[Cause]:
    """What a node has and gives is counted in amounts that make sense for each resource."""
    causes: list[Cause] = []
    for field in ("capacity", "allocatable"):
        for name, amount in (status.get(field) or {}).items():
            causes += check_resource_amount(name, amount, f"status.{field}[{name}]")
    return causes


def check_node_status(obj: Object, old: Object) -> list[Cause]:
    causes = _check_capacity(obj.get("status") or {})
    seen: list[Object] = []
    for index, address in enumerate((obj.get("status") or {}).get("addresses") or ()):
        if address in seen:
            causes.append(duplicate(f"status.addresses[{index}]", address))
        seen.append(address)
    return causes


def _pair_cidrs(spec: Object) -> None:
    """podCIDR is the first of podCIDRs; setting the one sets the other."""
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]


class ServiceAccountStrategy(KindStrategy):
    has_status = False
