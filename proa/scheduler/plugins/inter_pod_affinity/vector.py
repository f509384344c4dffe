"""Affinity between pods over all nodes at once: the same sums as node by node, by domain number in place of domain name."""

from collections.abc import Iterable

from proa.scheduler.plugins.inter_pod_affinity.terms import NamespaceLabels, pods_meant
from proa.scheduler.pod_counts import ANTI_AFFINITY, REQUIRED_AFFINITY, NodeCounts, PodCounts
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.vector.columns import Columns, Vector


def filter_all(pod: PodInfo, counts: PodCounts, namespace_labels: NamespaceLabels, columns: Columns) -> Vector:
    mask = columns.known.copy()
    for (kind, term), found in counts.matching(pod, namespace_labels):
        if kind == ANTI_AFFINITY:
            mask &= ~_holds_any(columns, term.topology_key, [found])
    for term in pod.affinity.required_anti_affinity:
        mask &= ~_holds_any(columns, term.topology_key, pods_meant([term], counts, namespace_labels))
    if pod.affinity.required_affinity:
        mask &= _near(pod, counts, namespace_labels, columns)
    return mask


def _near(pod: PodInfo, counts: PodCounts, namespace_labels: NamespaceLabels, columns: Columns) -> Vector:
    """Where the pods are that all terms mean; if there are none and the pod itself is meant, wherever the topology is."""
    terms = pod.affinity.required_affinity
    meant = pods_meant(terms, counts, namespace_labels)
    with_keys, near, any_near = columns.known.copy(), columns.known.copy(), False
    for key in {term.topology_key for term in terms}:
        with_keys &= columns.domains(key)[0] >= 0
        here = _holds_any(columns, key, meant)
        any_near = any_near or bool(here.any())
        near &= here
    if not any_near and all(term.matches(pod.namespace, pod.labels, namespace_labels) for term in terms):
        return with_keys
    return near & with_keys


def scores(pod: PodInfo, counts: PodCounts, namespace_labels: NamespaceLabels, columns: Columns, hard_weight: int) -> Vector:
    """Before they are normalized."""
    total = columns.zeros()
    for (kind, term), found in counts.matching(pod, namespace_labels):
        if kind != ANTI_AFFINITY:
            weight = hard_weight if kind == REQUIRED_AFFINITY else kind
            total += weight * columns.sum_by_domain(term.topology_key, found)
    for weight, term in pod.affinity.preferred:
        for found in pods_meant([term], counts, namespace_labels):
            total += weight * columns.sum_by_domain(term.topology_key, found)
    return total


def _holds_any(columns: Columns, key: str, counts: Iterable[NodeCounts]) -> Vector:
    mask: Vector = columns.zeros() > 0
    for each in counts:
        mask |= columns.sum_by_domain(key, each) > 0
    return mask
