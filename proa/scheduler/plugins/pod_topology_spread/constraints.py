"""Topology spread constraints of a pod, compiled; where it states none, those that its Services and its controller imply."""

from collections.abc import Callable, Iterable, Sequence

from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.api.scheduling.node_affinity import RequiredNodeAffinity, required_node_affinity
from proa.api.scheduling.pod_affinity import with_label_keys
from proa.api.scheduling.taints import find_untolerated
from proa.lib.dataclass import dataclass
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_counts import PodKind
from proa.scheduler.pod_info import PodInfo

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Constraint:
    max_skew: int
    topology_key: str
    selector: Selector
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False

    def kind(self, namespace: str) -> PodKind:
        """What is counted: an empty selector counts nothing."""
        return PodKind(namespace, self.selector if self.selector else Selector(nothing=True))


@dataclass(frozen=True, slots=True)
class Constraints:
    """`every_key`: only nodes that have every topology key take part."""

    listed: tuple[Constraint, ...]
    affinity: RequiredNodeAffinity
    tolerations: Sequence[Object]
    every_key: bool = True

    def __bool__(self) -> bool:
        return bool(self.listed)

    def has_keys(self, node: NodeInfo) -> bool:
        return all(each.topology_key in node.labels for each in self.listed)

    def includes(self, constraint: Constraint, node: NodeInfo) -> bool:
        """Whether the node counts, by the constraint's nodeAffinityPolicy and nodeTaintsPolicy."""
        if constraint.honor_affinity and not self.affinity.matches(node.node):
            return False
        return not constraint.honor_taints or find_untolerated(node.taints, self.tolerations) is None


def stated(pod: PodInfo, when_unsatisfiable: str) -> Constraints:
    listed = [each for each in pod.spec.get("topologySpreadConstraints") or () if each["whenUnsatisfiable"] == when_unsatisfiable]
    return _constraints(pod, (_compile(each, pod) for each in listed))


def implied(pod: PodInfo, owner_selector: Callable[[PodInfo], Selector | None]) -> Constraints:
    """The cluster's default for scoring: spread over hosts and zones what one Service or controller selects."""
    if pod.spec.get("topologySpreadConstraints") or not (selector := owner_selector(pod)):
        return _constraints(pod, ())
    return _constraints(pod, (Constraint(3, HOSTNAME, selector), Constraint(5, ZONE, selector)), every_key=False)


def _constraints(pod: PodInfo, listed: Iterable[Constraint], *, every_key: bool = True) -> Constraints:
    found = tuple(listed)
    affinity = required_node_affinity(pod.spec) if found else RequiredNodeAffinity(Selector())
    return Constraints(found, affinity, pod.spec.get("tolerations") or (), every_key)


def _compile(constraint: Object, pod: PodInfo) -> Constraint:
    selector = selector_from_object(constraint.get("labelSelector"))
    return Constraint(
        max_skew=constraint["maxSkew"],
        topology_key=constraint["topologyKey"],
        selector=with_label_keys(selector, pod.labels, constraint.get("matchLabelKeys"), "in"),
        min_domains=constraint.get("minDomains") or 1,
        honor_affinity=(constraint.get("nodeAffinityPolicy") or "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy") == "Honor",
    )
