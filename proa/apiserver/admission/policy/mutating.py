"""MutatingAdmissionPolicy: changes objects as the expressions of bound policies say, one policy after the other, each seeing what those
before it left. Runs before mutating webhooks, and again after something has changed the object, for policies that ask for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.admission.policy.source import Invocation, PolicySource
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.admission.reinvocation import Memory, state_of
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.takeover import Takeover, canonical_bytes
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

if TYPE_CHECKING:
    from proa.apiserver.admission.policy.activation import Activation
    from proa.apiserver.admission.policy.mutation import MutatingPolicy

KINDS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")


class MutatingAdmissionPolicy(PassiveAdmission):
    name = "MutatingAdmissionPolicy"

    def __init__(self, reader: ObjectReader, served: Served, authorizer: Authorizer) -> None:
        self._reader, self._served, self._authorizer = reader, served, authorizer
        self._takeover = Takeover(served)
        self._source: PolicySource[MutatingPolicy] = PolicySource(reader, served, KINDS, _compiled)

    async def admit(self, attributes: Attributes) -> None:
        if self._source.is_empty:
            return
        invocations = list(self._source.invocations(attributes))
        if not invocations:
            return
        from proa.apiserver.admission.policy.activation import Activation

        memory = state_of(attributes).memory(self.name)
        memory.begin(canonical_bytes(attributes.object))
        problems: list[str] = []
        activation = Activation(attributes, self._reader, self._authorizer)
        for invocation in invocations:
            problems += [_told(invocation, each) for each in await self._invoke(attributes, invocation, activation, memory)]
        memory.output = canonical_bytes(attributes.object)
        if problems:
            raise _denial(attributes, problems)

    async def _invoke(
        self, attributes: Attributes, invocation: Invocation[MutatingPolicy], activation: Activation, memory: Memory
    ) -> list[str]:
        """What went wrong, where that counts."""
        from proa.apiserver.admission.policy.expression import Failed

        policy, key = invocation.policy, _key(invocation)
        if invocation.problem:
            return [] if policy.fails_open else [invocation.problem]
        seen = activation.seen(invocation.resource, invocation.params)
        try:
            holds = await activation.run(lambda: policy.conditions.hold(seen))
        except Failed as failed:
            return [] if policy.fails_open else [str(failed)]
        if not holds or attributes.object is None or not memory.due(key):
            return []
        before, problems = canonical_bytes(attributes.object), list[str]()
        for index in range(len(policy.mutations)):
            try:
                await self._mutate(attributes, invocation, activation, index)
            except Failed as failed:
                problems.append(str(failed))
        if canonical_bytes(attributes.object) != before:
            memory.changed()
        if policy.reinvocable:
            memory.called(key)
        return [] if policy.fails_open else problems

    async def _mutate(self, attributes: Attributes, invocation: Invocation[MutatingPolicy], activation: Activation, index: int) -> None:
        policy, resource = invocation.policy, invocation.resource
        shown = shown_object(attributes.object, attributes, resource)
        identity = resource.id
        served = self._served.get((identity.group, identity.version, identity.plural))
        if shown is None or attributes.object is None or served is None:
            return
        seen = activation.seen(resource, invocation.params)
        new = await activation.run(lambda: policy.mutations[index].change(shown, served.schema, policy.seen(seen)))
        if new is not shown:
            self._takeover.take_over(attributes, attributes.object, _separate(new))
            activation.renew()


def _separate(obj: Object) -> Object:
    """A copy that shares nothing with what other plugins may change."""
    duplicate: Object = orjson.loads(orjson.dumps(obj))
    return duplicate


def _compiled(obj: Object) -> MutatingPolicy:
    """CEL is loaded with the first policy that a request needs."""
    from proa.apiserver.admission.policy.mutation import mutating_policy_of

    return mutating_policy_of(obj)


def _key(invocation: Invocation[MutatingPolicy]) -> str:
    binding, params = invocation.binding, invocation.params
    about = f"{meta.namespace(params)}/{meta.name(params)}" if params is not None else ""
    return f"{invocation.policy.name}/{binding.name if binding is not None else ''}/{about}"


def _told(invocation: Invocation[MutatingPolicy], problem: str) -> str:
    if invocation.binding is None:
        return f'policy "{invocation.policy.name}" denied request: {problem}'
    return f"policy '{invocation.policy.name}' with binding '{invocation.binding.name}' denied request: {problem}"


def _denial(attributes: Attributes, problems: list[str]) -> ApiError:
    error = refuse(attributes, "admission request denied by policy")
    error.message, error.status_reason = problems[0], "Invalid"
    error.details["causes"] = [{"message": each} for each in problems]
    return error
