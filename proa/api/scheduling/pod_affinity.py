"""Terms of pod affinity and anti-affinity, compiled: which pods, in which namespaces, and over which topology key. Pure."""

from collections.abc import Callable
from typing import Any

from proa.api import meta
from proa.api.labels import Requirement, Selector, selector_from_object
from proa.api.meta import Object
from proa.lib.dataclass import dataclass

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class AffinityTerm:
    """A pod is meant if its namespace is listed or its namespace's labels match, and its own labels match."""

    namespaces: frozenset[str]
    namespace_selector: Selector | None
    selector: Selector
    topology_key: str

    def matches(self, namespace: str, labels: dict[str, str], namespace_labels: Callable[[str], dict[str, str]]) -> bool:
        if namespace not in self.namespaces and not (
            self.namespace_selector is not None and self.namespace_selector.matches(namespace_labels(namespace))
        ):
            return False
        return self.selector.matches(labels)


@dataclass(frozen=True, slots=True)
class PodAffinityTerms:
    required_affinity: tuple[AffinityTerm, ...] = ()
    required_anti_affinity: tuple[AffinityTerm, ...] = ()
    preferred: tuple[tuple[int, AffinityTerm], ...] = ()
    """Weights of anti-affinity are negative."""

    def __bool__(self) -> bool:
        return bool(self.required_affinity or self.required_anti_affinity or self.preferred)


NO_TERMS = PodAffinityTerms()


def pod_affinity_terms(pod: Object) -> PodAffinityTerms:
    affinity = pod["spec"].get("affinity") or {}
    towards, away = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    if not towards and not away:
        return NO_TERMS
    preferred = [(each["weight"], _term(each["podAffinityTerm"], pod)) for each in towards.get(PREFERRED) or ()]
    preferred += [(-each["weight"], _term(each["podAffinityTerm"], pod)) for each in away.get(PREFERRED) or ()]
    return PodAffinityTerms(
        tuple(_term(each, pod) for each in towards.get(REQUIRED) or ()),
        tuple(_term(each, pod) for each in away.get(REQUIRED) or ()),
        tuple(preferred),
    )


def _term(term: Object, pod: Object) -> AffinityTerm:
    named = frozenset(term.get("namespaces") or ())
    by_labels: Any = term.get("namespaceSelector")
    if not named and by_labels is None:
        named = frozenset([meta.namespace(pod)])
    selector = selector_from_object(term.get("labelSelector"))
    selector = with_label_keys(selector, meta.labels(pod), term.get("matchLabelKeys"), "in")
    selector = with_label_keys(selector, meta.labels(pod), term.get("mismatchLabelKeys"), "notin")
    return AffinityTerm(named, None if by_labels is None else selector_from_object(by_labels), selector, term["topologyKey"])


def with_label_keys(selector: Selector, labels: dict[str, str], keys: list[str] | None, operator: str) -> Selector:
    """The selector, narrowed to (or away from) the pod's own values of those labels that it has."""
    if selector.nothing or not keys:
        return selector
    added = {Requirement(key, operator, (labels[key],)) for key in keys if key in labels}
    return Selector((*selector.requirements, *sorted(added - set(selector.requirements), key=lambda each: each.key)))
