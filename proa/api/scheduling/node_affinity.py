"""Node selectors and node affinity, compiled once per pod and asked for many nodes. Pure.

Terms are alternatives, the requirements of a term must all hold, and a term without requirements matches nothing.
"""

from collections.abc import Iterable, Mapping

from proa.api import meta
from proa.api.labels import Requirement, Selector, selector_from_set
from proa.api.meta import Object
from proa.lib.dataclass import dataclass

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": ">", "Lt": "<"}


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    labels: Selector
    fields: Selector

    def matches(self, node: Object) -> bool:
        if not self.labels and not self.fields:
            return False
        return self.labels.matches(meta.labels(node)) and self.fields.matches({"metadata.name": meta.name(node)})

    def node_names(self) -> frozenset[str] | None:
        """The only nodes that its fields allow, if they name some."""
        named = [frozenset(each.values) for each in self.fields.requirements if each.operator == "in"]
        return frozenset.intersection(*named) if named else None


@dataclass(frozen=True, slots=True)
class RequiredNodeAffinity:
    """spec.nodeSelector and required node affinity together; `terms` is None where the pod states none."""

    selector: Selector
    terms: tuple[NodeSelectorTerm, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self.selector) or self.terms is not None

    def matches(self, node: Object) -> bool:
        if not self.selector.matches(meta.labels(node)):
            return False
        return self.terms is None or any(term.matches(node) for term in self.terms)

    def node_names(self) -> frozenset[str] | None:
        """The nodes that alone can match because every term names its nodes, as DaemonSet pods do."""
        named = [term.node_names() for term in self.terms or ()]
        sets = [each for each in named if each is not None]
        return frozenset().union(*sets) if sets and len(sets) == len(named) else None


def required_node_affinity(spec: Object) -> RequiredNodeAffinity:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = None if required is None else tuple(node_selector_term(each) for each in required.get("nodeSelectorTerms") or ())
    return RequiredNodeAffinity(selector_from_set(spec.get("nodeSelector")), terms)


def preferred_node_terms(spec: Object) -> list[tuple[int, NodeSelectorTerm]]:
    """(weight, term); what weighs nothing is left out."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return [(each["weight"], node_selector_term(each.get("preference") or {})) for each in preferred if each.get("weight")]


def node_selector_term(term: Mapping[str, object]) -> NodeSelectorTerm:
    return NodeSelectorTerm(_selector(term.get("matchExpressions")), _selector(term.get("matchFields")))


def _selector(expressions: object) -> Selector:
    listed: Iterable[Object] = expressions if isinstance(expressions, list) else ()
    return Selector(tuple(Requirement(each["key"], _OPERATORS[each["operator"]], tuple(each.get("values") or ())) for each in listed))
