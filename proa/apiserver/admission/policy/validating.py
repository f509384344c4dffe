"""ValidatingAdmissionPolicy: refuses, warns of or notes what the expressions of bound policies find wrong. A policy does nothing until it
is bound, and is evaluated once for each of the binding's parameters.
"""

import logging
from collections.abc import Iterator
from typing import Any

import orjson

from proa.api import meta
from proa.api.cel.errors import CompileError
from proa.api.errors import Forbidden
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.admission.policy.matching import Match, match_of
from proa.apiserver.admission.policy.policy import CODES, Failure, Policy, policy_of
from proa.apiserver.admission.policy.request_view import seen_by_expressions
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.admission.shown import Equivalents, Served
from proa.apiserver.admission.webhook.hook import EXEMPT_GROUP
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

log = logging.getLogger(__name__)
NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
FAILURES = "validation.policy.admission.k8s.io/validation_failure"


class ValidatingAdmissionPolicy(PassiveAdmission):
    name = "ValidatingAdmissionPolicy"

    def __init__(self, reader: ObjectReader, served: Served) -> None:
        self._reader, self._served = reader, served
        self._equivalents = Equivalents(served)
        self._policies: dict[str, Policy] = {}
        self._bindings: dict[str, tuple[Object, Match]] = {}
        reader.observe(EXEMPT_GROUP, "validatingadmissionpolicies", self._on_policy)
        reader.observe(EXEMPT_GROUP, "validatingadmissionpolicybindings", self._on_binding)

    def _on_policy(self, event: str, obj: Object) -> None:
        self._policies.pop(meta.name(obj), None)
        if event == "DELETED":
            return
        try:
            self._policies[meta.name(obj)] = policy_of(obj)
        except CompileError as error:
            log.warning("the policy %s is not enforced: %s", meta.name(obj), error)

    def _on_binding(self, event: str, obj: Object) -> None:
        self._bindings.pop(meta.name(obj), None)
        if event != "DELETED":
            self._bindings[meta.name(obj)] = obj, match_of((obj.get("spec") or {}).get("matchResources"))

    async def validate(self, attributes: Attributes) -> None:
        if not self._bindings or not self._policies:
            return
        noted: list[Object] = []
        denied: Forbidden | None = None
        for _, (binding, match) in sorted(self._bindings.items()):
            policy = self._policies.get((binding.get("spec") or {}).get("policyName", ""))
            resource = None if policy is None else policy.match.resource_for(attributes, self._reader, self._equivalents)
            if policy is None or resource is None or match.resource_for(attributes, self._reader, self._equivalents) is None:
                continue
            seen = seen_by_expressions(attributes, self._reader, resource)
            for failure in self._evaluate(attributes, policy, binding, seen):
                denied = self._act(attributes, policy, binding, failure, noted) or denied
        if noted:
            attributes.add_audit_annotation(FAILURES, orjson.dumps(noted).decode())
        if denied is not None:
            raise denied

    def _evaluate(self, attributes: Attributes, policy: Policy, binding: Object, seen: dict[str, Any]) -> Iterator[Failure]:
        for params in self._params(attributes, policy, (binding.get("spec") or {}).get("paramRef")):
            if isinstance(params, Failure):
                yield params
                continue
            failures, annotations = policy.evaluate({**seen, "params": params})
            for key, value in annotations.items():
                attributes.add_audit_annotation(key, value)
            yield from failures

    def _params(self, attributes: Attributes, policy: Policy, reference: Object | None) -> list[Object | Failure | None]:
        kind = policy.param_kind
        if kind is None or reference is None:
            return [None]
        resource = self._param_resource(kind.get("apiVersion", ""), kind.get("kind", ""))
        if resource is None:
            told = f"'{kind.get('apiVersion', '')}, Kind={kind.get('kind', '')}'"
            why = f"failed to configure policy: failed to find resource referenced by paramKind: {told}"
            return [] if policy.fails_open else [Failure(why)]
        found = self._selected(resource, attributes.namespace, reference)
        if not found and reference.get("parameterNotFoundAction") == "Deny" and not policy.fails_open:
            return [Failure(NO_PARAMS)]
        return list(found)

    def _param_resource(self, api_version: str, kind: str) -> ResourceId | None:
        served = (each.resource.id for each in self._served.values())
        return next((each for each in served if (each.api_version, each.kind) == (api_version, kind)), None)

    def _selected(self, resource: ResourceId, request_namespace: str, reference: Object) -> list[Object]:
        namespace = (reference.get("namespace") or request_namespace) if resource.namespaced else ""
        if reference.get("name"):
            one = self._reader.get(resource.group, resource.plural, reference["name"], namespace)
            return [one] if one is not None else []
        selector = selector_from_object(reference.get("selector") or {})
        listed = self._reader.list(resource.group, resource.plural, namespace)
        return [each for each in listed if selector.matches(meta.labels(each))]

    def _act(self, attributes: Attributes, policy: Policy, binding: Object, failure: Failure, noted: list[Object]) -> Forbidden | None:
        """Raise nothing yet: a denial must not keep others from warning."""
        actions = (binding.get("spec") or {}).get("validationActions") or ()
        about = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{meta.name(binding)}'"
        if "Audit" in actions:
            noted.append({"message": failure.message, "policy": policy.name, "binding": meta.name(binding), "validationActions": actions})
        if "Warn" in actions:
            attributes.add_warning(f"Validation failed for {about}: {failure.message}")
        return _denial(attributes, f"{about} denied request: {failure.message}", failure) if "Deny" in actions else None


def _denial(attributes: Attributes, text: str, failure: Failure) -> Forbidden:
    error = refuse(attributes, text)
    error.status_reason, error.status_code = failure.reason, CODES.get(failure.reason, 422)
    error.details["causes"] = [{"message": text}]
    return error
