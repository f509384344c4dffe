"""ValidatingAdmissionPolicy: refuses, warns of or notes what the expressions of bound policies find wrong. A policy does nothing until it
is bound, and is evaluated once for each of the binding's parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from proa.api.errors import Forbidden
from proa.api.meta import Object
from proa.apiserver.admission.policy.source import Binding, Invocation, PolicySource
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.admission.shown import Served
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

if TYPE_CHECKING:
    from proa.apiserver.admission.policy.activation import Activation
    from proa.apiserver.admission.policy.policy import Failure, Findings, Policy

CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
KINDS = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
FAILURES = "validation.policy.admission.k8s.io/validation_failure"


class ValidatingAdmissionPolicy(PassiveAdmission):
    name = "ValidatingAdmissionPolicy"

    def __init__(self, reader: ObjectReader, served: Served, authorizer: Authorizer) -> None:
        self._reader, self._authorizer = reader, authorizer
        self._source: PolicySource[Policy] = PolicySource(reader, served, KINDS, _compiled)

    async def validate(self, attributes: Attributes) -> None:
        if self._source.is_empty:
            return
        from proa.apiserver.admission.policy.activation import Activation

        outcome = _Outcome(attributes)
        activation = Activation(attributes, self._reader, self._authorizer)
        for invocation in self._source.invocations(attributes):
            await _invoke(invocation, activation, outcome)
        outcome.publish()
        if outcome.denied is not None:
            raise outcome.denied


async def _invoke(invocation: Invocation[Policy], activation: Activation, outcome: _Outcome) -> None:
    policy, binding = invocation.policy, invocation.binding
    if binding is None or invocation.problem:
        from proa.apiserver.admission.policy.policy import Failure

        if not policy.fails_open:
            outcome.deny(policy, binding, Failure(invocation.problem))
        return
    seen = activation.seen(invocation.resource, invocation.params)
    findings: Findings = await activation.run(lambda: policy.evaluate(seen))
    for failure in findings.failures:
        outcome.act(policy, binding, failure)
    for key, value in findings.annotations:
        outcome.note(f"{policy.name}/{key}", value)
    for failure in findings.denials:
        outcome.deny(policy, binding, failure)


def _compiled(obj: Object) -> Policy:
    """CEL is loaded with the first policy that a request needs."""
    from proa.apiserver.admission.policy.policy import policy_of

    return policy_of(obj)


class _Outcome:
    """Of all policies: the first denial is what the client gets, but none keeps the others from warning."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._notes: dict[str, list[str]] = {}
        self._failures_told = False
        self.denied: Forbidden | None = None

    def act(self, policy: Policy, binding: Binding, failure: Failure) -> None:
        actions = binding.spec.get("validationActions") or ()
        for action in actions:
            if action == "Deny":
                self.deny(policy, binding, failure)
            elif action == "Warn":
                about = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}'"
                self._attributes.add_warning(f"Validation failed for {about}: {failure.message}")
            elif action == "Audit":
                self._audit(policy, binding, failure)

    def _audit(self, policy: Policy, binding: Binding, failure: Failure) -> None:
        """Only the first: annotations are not overwritten."""
        if self._failures_told:
            return
        self._failures_told = True
        told = {
            "message": failure.message, "policy": policy.name, "binding": binding.name, "expressionIndex": failure.index,
            "validationActions": binding.spec.get("validationActions") or [],
        }  # fmt: skip
        self._attributes.add_audit_annotation(FAILURES, orjson.dumps([told]).decode())

    def note(self, key: str, value: str) -> None:
        values = self._notes.setdefault(key, [])
        if value not in values:
            values.append(value)

    def publish(self) -> None:
        for key, values in self._notes.items():
            self._attributes.add_audit_annotation(key, ", ".join(values))

    def deny(self, policy: Policy, binding: Binding | None, failure: Failure) -> None:
        if self.denied is not None:
            return
        bound = f" with binding '{binding.name}'" if binding is not None else ""
        text = f"ValidatingAdmissionPolicy '{policy.name}'{bound} denied request: {failure.message}"
        error = refuse(self._attributes, text)
        error.status_reason, error.status_code = failure.reason, CODES.get(failure.reason, 422)
        error.details["causes"] = [{"message": text}]
        self.denied = error
