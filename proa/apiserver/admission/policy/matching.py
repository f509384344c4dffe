"""What a policy or a binding is about: its matchConstraints or matchResources."""

from dataclasses import dataclass

from proa.api import meta
from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.apiserver.admission.policy.request_view import namespace_of
from proa.apiserver.admission.webhook.hook import EXEMPT, EXEMPT_GROUP, Rule, Wanted, rule_of
from proa.apiserver.interface import Attributes, ObjectReader


@dataclass(frozen=True, slots=True)
class Match:
    """`names` of a rule are the objects that it is about; none: all."""

    included: tuple[tuple[Rule, tuple[str, ...]], ...]
    excluded: tuple[tuple[Rule, tuple[str, ...]], ...]
    namespaces: Selector
    objects: Selector

    def matches(self, attributes: Attributes, reader: ObjectReader) -> bool:
        return self._by_rules(attributes) and self._by_labels(attributes, reader)

    def _by_rules(self, attributes: Attributes) -> bool:
        identity = attributes.resource.id
        if identity.group == EXEMPT_GROUP and identity.plural in EXEMPT:
            return False
        wanted = Wanted(
            attributes.operation, identity.group, identity.version, identity.plural, attributes.subresource, identity.namespaced
        )  # fmt: skip
        if _any(self.excluded, wanted, attributes.name):
            return False
        return not self.included or _any(self.included, wanted, attributes.name)

    def _by_labels(self, attributes: Attributes, reader: ObjectReader) -> bool:
        if self.namespaces.requirements:
            namespace = namespace_of(attributes, reader)
            if namespace is not None and not self.namespaces.matches(meta.labels(namespace)):
                return False
        if not self.objects.requirements:
            return True
        states = (attributes.object, attributes.old_object)
        return any(state is not None and "metadata" in state and self.objects.matches(meta.labels(state)) for state in states)


def _any(rules: tuple[tuple[Rule, tuple[str, ...]], ...], wanted: Wanted, name: str) -> bool:
    return any(rule.matches(wanted) and (not names or name in names) for rule, names in rules)


def match_of(declared: Object | None) -> Match:
    found = declared or {}
    included, excluded = (
        tuple((rule_of(rule), tuple(rule.get("resourceNames") or ())) for rule in found.get(field) or ())
        for field in ("resourceRules", "excludeResourceRules")
    )
    selectors = (selector_from_object(found.get(field) or {}) for field in ("namespaceSelector", "objectSelector"))
    return Match(included, excluded, *selectors)
