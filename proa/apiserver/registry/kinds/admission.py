"""admissionregistration.k8s.io: webhook configurations. Source: pkg/apis/admissionregistration/validation.

What an update leaves as it was is tolerated: a configuration of an older server can still be changed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_label, dns1123_subdomain
from proa.apiserver.registry.client_config import check_target
from proa.apiserver.registry.kinds.admission_rules import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    REINVOCATION_POLICIES,
    check_conditions,
    check_rule,
    choice,
)
from proa.apiserver.registry.kinds.plain import GenerationStrategy
from proa.lib.dataclass import dataclass

REVIEW_VERSIONS = ("v1", "v1beta1")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
ALL_SIDE_EFFECTS = ("None", "NoneOnDryRun", "Some", "Unknown")
_TIMEOUT = "the timeout value must be between 1 and 30 seconds"


@dataclass(frozen=True, slots=True)
class _Demands:
    """What is asked of a configuration; of one that exists already, only what it has fulfilled before."""

    side_effects: tuple[str, ...] = SIDE_EFFECTS
    recognized: bool = True
    unique: bool = True
    conditions: bool = True
    selectors: bool = True


class WebhookConfigurationStrategy(GenerationStrategy):
    """Validating and mutating webhook configurations."""

    plain_finalizers = True
    mutating: ClassVar[bool] = False

    def fill(self, obj: Object) -> None:
        for webhook in obj.get("webhooks") or ():
            webhook.setdefault("failurePolicy", "Fail")
            webhook.setdefault("matchPolicy", "Equivalent")
            webhook.setdefault("namespaceSelector", {})
            webhook.setdefault("objectSelector", {})
            webhook.setdefault("timeoutSeconds", 10)
            if self.mutating:
                webhook.setdefault("reinvocationPolicy", "Never")
            service = (webhook.get("clientConfig") or {}).get("service")
            if service is not None:
                service.setdefault("port", 443)
            for rule in webhook.get("rules") or ():
                rule.setdefault("scope", "*")

    def check(self, obj: Object) -> list[Cause]:
        return list(_configuration(obj, _Demands()))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new_hooks, old_hooks = obj.get("webhooks") or (), old.get("webhooks") or ()
        if new_hooks == old_hooks:
            return []
        names = [each.get("name") for each in old_hooks]
        conditions = [[each.get("matchConditions") or [] for each in hooks] for hooks in (new_hooks, old_hooks)]
        harmless = all(each.get("sideEffects") in SIDE_EFFECTS for each in old_hooks)
        demands = _Demands(
            side_effects=SIDE_EFFECTS if harmless else ALL_SIDE_EFFECTS,
            recognized=all(set(each.get("admissionReviewVersions") or REVIEW_VERSIONS) & set(REVIEW_VERSIONS) for each in old_hooks),
            unique=len(set(names)) == len(names),
            conditions=conditions[0] != conditions[1],
            selectors=not any(list(_selectors(each, "")) for each in old_hooks),
        )
        return list(_configuration(obj, demands))


class MutatingWebhookConfigurationStrategy(WebhookConfigurationStrategy):
    mutating = True


def _configuration(obj: Object, demands: _Demands) -> Iterator[Cause]:
    names: set[str] = set()
    for index, webhook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{index}]", webhook.get("name") or ""
        yield from _webhook(webhook, path, demands)
        yield from _review_versions(webhook.get("admissionReviewVersions") or (), f"{path}.admissionReviewVersions", demands)
        if demands.unique and name in names:
            yield duplicate(f"{path}.name", name)
        if name:
            names.add(name)


def _webhook(webhook: Object, path: str, demands: _Demands) -> Iterator[Cause]:
    yield from _qualified_name(webhook.get("name") or "", f"{path}.name")
    for index, rule in enumerate(webhook.get("rules") or ()):
        yield from check_rule(rule, f"{path}.rules[{index}]")
    yield from choice(webhook.get("failurePolicy"), f"{path}.failurePolicy", FAILURE_POLICIES)
    yield from choice(webhook.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES)
    effects = webhook.get("sideEffects")
    if not effects:
        yield required(f"{path}.sideEffects", f"must specify one of {', '.join(demands.side_effects)}")
    elif effects not in demands.side_effects:
        yield not_supported(f"{path}.sideEffects", effects, demands.side_effects)
    seconds = webhook.get("timeoutSeconds", 10)
    if not 1 <= seconds <= 30:
        yield invalid(f"{path}.timeoutSeconds", seconds, _TIMEOUT)
    if demands.selectors:
        yield from _selectors(webhook, path)
    yield from choice(webhook.get("reinvocationPolicy"), f"{path}.reinvocationPolicy", REINVOCATION_POLICIES)
    yield from check_target(webhook.get("clientConfig") or {}, f"{path}.clientConfig")
    if demands.conditions and webhook.get("matchConditions"):
        yield from _conditions(webhook["matchConditions"], f"{path}.matchConditions")


def _conditions(conditions: Sequence[Object], path: str) -> Iterator[Cause]:
    """CEL is loaded with the first condition."""
    from proa.api.cel.types import BOOL
    from proa.apiserver.admission.policy.scope import MATCH_CONDITION

    yield from check_conditions(conditions, path, MATCH_CONDITION.environment(), BOOL)


def _selectors(webhook: Object, path: str) -> Iterator[Cause]:
    for field in ("namespaceSelector", "objectSelector"):
        if webhook.get(field) is not None:
            yield from validate_label_selector(webhook[field], f"{path}.{field}")


def _qualified_name(name: str, path: str) -> Iterator[Cause]:
    """A domain of three segments at least. Source: apimachinery IsFullyQualifiedName."""
    if not name:
        yield required(path, "")
    elif problems := dns1123_subdomain(name):
        yield invalid(path, name, ",".join(problems))
    elif name.count(".") < 2:
        yield invalid(path, name, "should be a domain with at least three segments separated by dots")
    else:
        for label in name.split("."):
            if problems := dns1123_label(label):
                yield invalid(path, label, ",".join(problems))


def _review_versions(versions: Sequence[str], path: str, demands: _Demands) -> Iterator[Cause]:
    if not versions:
        yield required(path, f"must specify one of {', '.join(REVIEW_VERSIONS)}")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        yield from (invalid(f"{path}[{index}]", version, problem) for problem in dns1035_label(version))
    if demands.recognized and not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(path, list(versions), f"must include at least one of {', '.join(REVIEW_VERSIONS)}")
