"""From affinity terms to numbers: how many pods each topology domain holds that the terms mean."""

from collections.abc import Callable, Iterable, Sequence

from proa.api.labels import Selector
from proa.api.scheduling.pod_affinity import AffinityTerm
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_counts import NodeCounts, PodCounts, PodKind

NamespaceLabels = Callable[[str], dict[str, str]]
Domain = tuple[str, str]
"""(topology key, value)."""


def pods_meant(terms: Sequence[AffinityTerm], counts: PodCounts, namespace_labels: NamespaceLabels) -> list[NodeCounts]:
    """Pods that all of the terms mean, by namespace."""
    requirements = tuple(requirement for term in terms for requirement in term.selector.requirements)
    combined = Selector(requirements, nothing=any(term.selector.nothing for term in terms))
    namespaces = [each for each in list(counts.namespaces()) if all(in_scope(term, each, namespace_labels) for term in terms)]
    return [counts.of(PodKind(namespace, combined, with_terminating=True)) for namespace in namespaces]


def in_scope(term: AffinityTerm, namespace: str, namespace_labels: NamespaceLabels) -> bool:
    selector = term.namespace_selector
    return namespace in term.namespaces or (selector is not None and selector.matches(namespace_labels(namespace)))


def add_by_domain(found: dict[Domain, int], key: str, counts: Iterable[NodeCounts], nodes: dict[str, NodeInfo], weight: int = 1) -> None:
    for each in counts:
        for name, number in each.by_node.items():
            node = nodes.get(name)
            value = node.labels.get(key) if node else None
            if value is not None:
                found[key, value] = found.get((key, value), 0) + number * weight
