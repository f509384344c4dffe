"""The policies of one kind with their bindings, as they change, and what of them a request concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.admission.policy.matching import Match, match_of
from proa.apiserver.admission.policy.params import ConfigurationError, Parameters
from proa.apiserver.admission.shown import Equivalents, Served
from proa.apiserver.admission.webhook.hook import EXEMPT_GROUP
from proa.apiserver.interface import Attributes, ObjectReader
from proa.lib.dataclass import dataclass


class Compiled(Protocol):
    """What all policies have."""

    @property
    def name(self) -> str: ...

    @property
    def match(self) -> Match: ...

    @property
    def param_kind(self) -> Object | None: ...


PolicyType = TypeVar("PolicyType", bound=Compiled)


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    policy: str
    match: Match
    spec: Object


@dataclass(frozen=True, slots=True)
class Invocation(Generic[PolicyType]):
    """A policy to evaluate, with one object of parameters. `problem` stands for what can't be evaluated; `binding` is None where the
    policy itself is at fault."""

    policy: PolicyType
    binding: Binding | None
    resource: Resource
    params: Object | None = None
    problem: str = ""


class PolicySource(Generic[PolicyType]):
    def __init__(self, reader: ObjectReader, served: Served, plurals: tuple[str, str], make: Callable[[Object], PolicyType]) -> None:
        """`plurals` of policies and of bindings; `make` compiles, when the policy is first needed."""
        self._reader, self._make = reader, make
        self._equivalents = Equivalents(served)
        self._parameters = Parameters(reader, served)
        self._declared: dict[str, Object] = {}
        self._compiled: dict[str, PolicyType] = {}
        self._bindings: dict[str, dict[str, Binding]] = {}
        reader.observe(EXEMPT_GROUP, plurals[0], self._on_policy)
        reader.observe(EXEMPT_GROUP, plurals[1], self._on_binding)

    @property
    def is_empty(self) -> bool:
        return not self._bindings or not self._declared

    def _on_policy(self, event: str, obj: Object) -> None:
        self._declared.pop(meta.name(obj), None)
        self._compiled.pop(meta.name(obj), None)
        if event != "DELETED":
            self._declared[meta.name(obj)] = obj

    def _on_binding(self, event: str, obj: Object) -> None:
        name, spec = meta.name(obj), obj.get("spec") or {}
        for policy, bindings in list(self._bindings.items()):
            bindings.pop(name, None)
            if not bindings:
                del self._bindings[policy]
        if event != "DELETED":
            binding = Binding(name, spec.get("policyName", ""), match_of(spec.get("matchResources")), spec)
            self._bindings.setdefault(binding.policy, {})[name] = binding

    def _policy(self, name: str) -> PolicyType | None:
        found = self._compiled.get(name)
        if found is None and name in self._declared:
            found = self._compiled[name] = self._make(self._declared[name])
        return found

    def invocations(self, attributes: Attributes) -> Iterator[Invocation[PolicyType]]:
        """In order of the names of policies and bindings."""
        for name, bindings in sorted(self._bindings.items()):
            policy = self._policy(name)
            resource = None if policy is None else policy.match.resource_for(attributes, self._reader, self._equivalents)
            if policy is None or resource is None:
                continue
            try:
                if policy.param_kind is not None:
                    self._parameters.resource(policy.param_kind)
            except ConfigurationError as error:
                yield Invocation(policy, None, resource, problem=f"failed to configure policy: {error}")
                continue
            for _, binding in sorted(bindings.items()):
                if binding.match.resource_for(attributes, self._reader, self._equivalents) is not None:
                    yield from self._with_params(attributes, policy, binding, resource)

    def _with_params(
        self, attributes: Attributes, policy: PolicyType, binding: Binding, resource: Resource
    ) -> Iterator[Invocation[PolicyType]]:
        try:
            for params in self._parameters.collect(policy.param_kind, binding.spec.get("paramRef"), attributes.namespace):
                yield Invocation(policy, binding, resource, params)
        except ConfigurationError as error:
            yield Invocation(policy, binding, resource, problem=f"failed to configure binding: {error}")
