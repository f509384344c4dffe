"""What a policy or a binding is about: its matchConstraints or matchResources."""

from proa.api import meta
from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.admission.policy.request_view import namespace_of
from proa.apiserver.admission.shown import Equivalents
from proa.apiserver.admission.webhook.hook import EXEMPT, EXEMPT_GROUP, Rule, Wanted, rule_of
from proa.apiserver.interface import Attributes, ObjectReader
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Match:
    """`names` of a rule are the objects that it is about; none: all."""

    included: tuple[tuple[Rule, tuple[str, ...]], ...]
    excluded: tuple[tuple[Rule, tuple[str, ...]], ...]
    namespaces: Selector
    objects: Selector
    equivalent: bool

    def resource_for(self, attributes: Attributes, reader: ObjectReader, equivalents: Equivalents) -> Resource | None:
        """The resource as which the request matches; None if it does not."""
        identity = attributes.resource.id
        if identity.group == EXEMPT_GROUP and identity.plural in EXEMPT:
            return None
        candidates = equivalents.of(attributes.resource) if self.equivalent else (attributes.resource,)
        wanted = [(each, _wanted(attributes, each)) for each in candidates]
        if any(_any(self.excluded, each, attributes.name) for _, each in wanted):
            return None
        found = (resource for resource, each in wanted if not self.included or _any(self.included, each, attributes.name))
        resource = next(found, None)
        return resource if resource is not None and self._by_labels(attributes, reader) else None

    def _by_labels(self, attributes: Attributes, reader: ObjectReader) -> bool:
        if self.namespaces.requirements:
            namespace = namespace_of(attributes, reader)
            if namespace is not None and not self.namespaces.matches(meta.labels(namespace)):
                return False
        if not self.objects.requirements:
            return True
        states = (attributes.object, attributes.old_object)
        return any(state is not None and "metadata" in state and self.objects.matches(meta.labels(state)) for state in states)


def _wanted(attributes: Attributes, resource: Resource) -> Wanted:
    identity = resource.id
    return Wanted(attributes.operation, identity.group, identity.version, identity.plural, attributes.subresource, identity.namespaced)


def _any(rules: tuple[tuple[Rule, tuple[str, ...]], ...], wanted: Wanted, name: str) -> bool:
    return any(rule.matches(wanted) and (not names or name in names) for rule, names in rules)


def match_of(declared: Object | None) -> Match:
    found = declared or {}
    included, excluded = (
        tuple((rule_of(rule), tuple(rule.get("resourceNames") or ())) for rule in found.get(field) or ())
        for field in ("resourceRules", "excludeResourceRules")
    )
    namespaces, objects = (selector_from_object(found.get(field) or {}) for field in ("namespaceSelector", "objectSelector"))
    return Match(included, excluded, namespaces, objects, equivalent=found.get("matchPolicy") != "Exact")
