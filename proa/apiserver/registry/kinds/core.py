"""Small core kinds: Namespace, Node, ServiceAccount."""

import re
from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, forbidden, go_value, invalid, not_supported, required
from proa.api.meta import Object, annotations
from proa.api.names import SUBDOMAIN_MAX_LENGTH, dns1123_label, label_value, qualified_name
from proa.api.resource import StrategyContext
from proa.api.scheduling.taints import EFFECTS
from proa.apiserver.registry.checks import check_cidr, check_key
from proa.apiserver.registry.object_meta import NameCheck, check_finalizer_name
from proa.apiserver.registry.resource_checks import check_resource_amount
from proa.apiserver.registry.strategy import KindStrategy

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
KUBERNETES_FINALIZER = "kubernetes"
MOUNTABLE_SECRETS = "kubernetes.io/enforce-mountable-secrets"
_feature_match = re.compile("[A-Z][A-Za-z0-9]*(/[A-Za-z0-9]+)*").fullmatch
_FEATURE_SHAPE = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and "
    "contain only alphanumeric characters and slashes"
)


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
        obj.setdefault("status", {}).setdefault("phase", "Active")

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
        return [cause for each in obj.get("spec", {}).get("finalizers") or () for cause in _check_finalizer(each, "spec.finalizers")]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return []


def _check_finalizer(name: str, path: str) -> list[Cause]:
    return [invalid(path, name, problem) for problem in qualified_name(name)] + check_finalizer_name(name, path)


class NamespaceFinalizeStrategy(KindStrategy):
    """/finalize: of the object sent, only spec.finalizers counts."""

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        obj["spec"] = {**(old.get("spec") or {}), "finalizers": finalizers}
        if not finalizers:
            del obj["spec"]["finalizers"]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        finalizers = obj["spec"].get("finalizers") or ()
        return [cause for index, each in enumerate(finalizers) for cause in _check_finalizer(each, f"spec.finalizers[{index}]")]


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
        causes = _check_taints(obj.get("spec", {}).get("taints") or [])
        return causes + _check_capacity(obj) + _check_ranges(obj.get("spec", {}).get("podCIDRs") or [])

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
        causes = self.check(obj) + _check_addresses(obj)
        if former.get("podCIDRs") and new.get("podCIDRs") != former["podCIDRs"]:
            causes.append(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'))
        if former.get("providerID") and new.get("providerID") != former["providerID"]:
            causes.append(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'))
        if (new.get("externalID") or "") != (former.get("externalID") or ""):
            causes.append(forbidden("spec.externalID", "may not be updated"))
        return causes


def _check_taints(taints: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        # Taints were an annotation once, and upstream still tells their path as if they were metadata.
        path, effect = f"metadata.taints[{index}]", taint.get("effect") or ""
        causes += check_key(f"{path}.key", taint.get("key"), qualified_name)
        if problems := label_value(taint.get("value") or ""):
            causes.append(invalid(f"{path}.value", taint["value"], ";".join(problems)))
        if not effect:
            causes.append(required(f"{path}.effect"))
        elif effect not in EFFECTS:
            causes.append(not_supported(f"{path}.effect", effect, EFFECTS, in_order=False))
        identity = (taint.get("key") or "", effect)
        if identity in seen:
            shown = {"Key": identity[0], "Value": taint.get("value") or "", "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            cause = duplicate(path, shown)
            causes.append(Cause(cause.field, f"{cause.message}: taints must be unique by key and effect pair", cause.reason))
        seen.add(identity)
    return causes


def _check_ranges(cidrs: list[str]) -> list[Cause]:
    causes = [cause for index, cidr in enumerate(cidrs) for cause in check_cidr(f"spec.podCIDRs[{index}]", cidr)]
    if len(cidrs) > 2 or len({":" in cidr for cidr in cidrs}) < min(len(cidrs), 2):
        causes.append(invalid("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"))
    return causes


def _check_capacity(obj: Object) -> list[Cause]:
    """What a node has and gives is counted in amounts that make sense for each resource; what it can do is told in order."""
    causes: list[Cause] = []
    status = obj.get("status") or {}
    for field in ("capacity", "allocatable"):
        for name, amount in (status.get(field) or {}).items():
            causes += check_resource_amount(name, amount, f"status.{field}.{name}")
    swap = ((status.get("nodeInfo") or {}).get("swap") or {}).get("capacity")
    if swap is not None and swap <= 0:
        causes.append(invalid("metadata.nodeSwapStatus.capacity", swap, "must be greater than 0"))
    return causes + _check_features(status.get("declaredFeatures") or [])


def _check_features(features: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    for index, feature in enumerate(features):
        path, before = f"status.declaredFeatures[{index}]", features[index - 1] if index else ""
        if index and feature == before:
            causes.append(duplicate(path, feature))
        elif feature < before:
            causes.append(invalid(path, feature, "list must be sorted alphabetically"))
        if len(feature) > SUBDOMAIN_MAX_LENGTH:
            detail = f"invalid feature name {go_value(feature)}: must be no more than {SUBDOMAIN_MAX_LENGTH} characters"
            causes.append(invalid(path, feature, detail))
        elif not _feature_match(feature):
            causes.append(invalid(path, feature, f"invalid feature name {go_value(feature)}: {_FEATURE_SHAPE}"))
    return causes


def _check_addresses(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: list[Object] = []
    for index, address in enumerate((obj.get("status") or {}).get("addresses") or ()):
        if address in seen:
            shown = {"Type": address.get("type") or "", "Address": address.get("address") or ""}
            causes.append(duplicate(f"status.addresses[{index}]", shown))
        seen.append(address)
    return causes


def check_node_status(obj: Object, old: Object) -> list[Cause]:
    return _check_capacity(obj) + _check_addresses(obj)


def _pair_cidrs(spec: Object) -> None:
    """podCIDR is the first of podCIDRs; setting the one sets the other."""
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]


class ServiceAccountStrategy(KindStrategy):
    """Of the Secrets it refers to, only the names are kept."""

    has_status = False

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        _keep_names(obj)

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        _keep_names(obj)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        if MOUNTABLE_SECRETS not in annotations(obj) or (old is not None and MOUNTABLE_SECRETS in annotations(old)):
            return ()
        why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        return (f"metadata.annotations[{MOUNTABLE_SECRETS}]: {why}",)


def _keep_names(account: Object) -> None:
    if account.get("secrets"):
        account["secrets"] = [{"name": each["name"]} if each.get("name") else {} for each in account["secrets"]]
