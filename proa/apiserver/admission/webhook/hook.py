"""One webhook of a configuration, read once when that changes: what it wants to see, how it is called, what its failure means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from proa.api import meta
from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from proa.apiserver.admission.policy.expression import Conditions

EXEMPT_GROUP = "admissionregistration.k8s.io"
EXEMPT = frozenset(
    {
        "validatingwebhookconfigurations", "mutatingwebhookconfigurations", "validatingadmissionpolicies",
        "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
    }
)  # fmt: skip
"""No webhook sees these: a broken one could not be repaired any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request is about, as rules see it."""

    operation: str
    group: str
    version: str
    plural: str
    subresource: str
    namespaced: bool


@dataclass(frozen=True, slots=True)
class Rule:
    operations: tuple[str, ...]
    groups: tuple[str, ...]
    versions: tuple[str, ...]
    resources: tuple[tuple[str, str], ...]
    """(plural, subresource), either may be `*`."""
    scope: str

    def matches(self, wanted: Wanted) -> bool:
        return (
            _among(self.operations, wanted.operation)
            and _among(self.groups, wanted.group)
            and _among(self.versions, wanted.version)
            and self.scope in ("*", "Namespaced" if wanted.namespaced else "Cluster")
            and any(plural in ("*", wanted.plural) and subresource in ("*", wanted.subresource) for plural, subresource in self.resources)
        )


def _among(values: Sequence[str], value: str) -> bool:
    return "*" in values or value in values


def rule_of(rule: Object) -> Rule:
    pairs = tuple((plural, subresource) for plural, _, subresource in (each.partition("/") for each in rule.get("resources") or ()))
    operations, groups, versions = (tuple(rule.get(field) or ()) for field in ("operations", "apiGroups", "apiVersions"))
    return Rule(operations, groups, versions, pairs, rule.get("scope") or "*")


@dataclass(frozen=True, slots=True)
class Hook:
    """`uid` tells webhooks of one name in one configuration apart."""

    uid: str
    configuration: str
    name: str
    client_config: Object
    rules: tuple[Rule, ...]
    namespace_selector: Selector
    object_selector: Selector
    fails_open: bool
    equivalent: bool
    seconds: int
    side_effects: str
    reinvocable: bool
    review_versions: tuple[str, ...]
    conditions: Conditions | None = None

    def matches(self, wanted: Wanted) -> bool:
        return any(rule.matches(wanted) for rule in self.rules)


def hooks_of(configurations: Iterable[Object]) -> tuple[Hook, ...]:
    """All webhooks in the order in which they are called: configurations by name."""
    ordered = sorted(configurations, key=meta.name)
    return tuple(hook for configuration in ordered for hook in _hooks(configuration))


def _hooks(configuration: Object) -> Iterable[Hook]:
    owner, seen = meta.name(configuration), dict[str, int]()
    for webhook in configuration.get("webhooks") or ():
        name = webhook.get("name", "")
        seen[name] = seen.get(name, -1) + 1
        yield Hook(
            uid=f"{owner}/{name}/{seen[name]}",
            configuration=owner,
            name=name,
            client_config=webhook.get("clientConfig") or {},
            rules=tuple(rule_of(rule) for rule in webhook.get("rules") or ()),
            namespace_selector=selector_from_object(webhook.get("namespaceSelector") or {}),
            object_selector=selector_from_object(webhook.get("objectSelector") or {}),
            fails_open=webhook.get("failurePolicy") == "Ignore",
            equivalent=webhook.get("matchPolicy") != "Exact",
            seconds=webhook.get("timeoutSeconds") or 10,
            side_effects=webhook.get("sideEffects", ""),
            reinvocable=webhook.get("reinvocationPolicy") == "IfNeeded",
            review_versions=tuple(webhook.get("admissionReviewVersions") or ()),
            conditions=_conditions(webhook.get("matchConditions")),
        )


def _conditions(declared: Sequence[Object] | None) -> Conditions | None:
    """CEL is loaded with the first condition."""
    if not declared:
        return None
    from proa.apiserver.admission.policy.expression import conditions_of

    return conditions_of(declared)
