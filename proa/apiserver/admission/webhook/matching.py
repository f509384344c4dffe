"""Which webhooks a request concerns, and in which version of the object each wants to see it.

A webhook that asks for `apps/v1` means the object, whatever version a client uses (matchPolicy Equivalent): then the request is shown in
the version that the rules name. What rules say is remembered per kind of request; selectors are looked at each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.admission.policy.request_view import NAMESPACES
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.admission.shown import Equivalents, Served
from proa.apiserver.admission.webhook.hook import EXEMPT, EXEMPT_GROUP, Hook, Wanted, hooks_of
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader
from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from proa.apiserver.admission.policy.expression import Conditions


@dataclass(frozen=True, slots=True)
class Invocation:
    """A webhook to call and the resource whose version it gets."""

    hook: Hook
    resource: Resource


class WebhookSource:
    """The configurations of one kind, as they change."""

    def __init__(self, reader: ObjectReader, served: Served, authorizer: Authorizer, plural: str) -> None:
        self._reader, self._served, self._authorizer = reader, served, authorizer
        self._equivalents = Equivalents(served)
        self._configurations: dict[str, Object] = {}
        self._matched: dict[tuple[str, ...], tuple[Invocation, ...]] = {}
        self._known = 0
        self.hooks: tuple[Hook, ...] = ()
        reader.observe(EXEMPT_GROUP, plural, self._on_configuration)

    def _on_configuration(self, event: str, configuration: Object) -> None:
        self._configurations.pop(meta.name(configuration), None)
        if event != "DELETED":
            self._configurations[meta.name(configuration)] = configuration
        self.hooks = hooks_of(self._configurations.values())
        self._matched.clear()

    def candidates(self, attributes: Attributes) -> tuple[Invocation, ...]:
        """Whose rules match, in order; selectors not yet asked."""
        identity = attributes.resource.id
        if self._known != len(self._served):
            self._known = len(self._served)
            self._matched.clear()
        key = identity.group, identity.version, identity.plural, attributes.subresource, attributes.operation
        found = self._matched.get(key)
        if found is None:
            found = self._matched[key] = tuple(self._by_rules(attributes))
        return found

    def _by_rules(self, attributes: Attributes) -> Iterator[Invocation]:
        identity = attributes.resource.id
        if identity.group == EXEMPT_GROUP and identity.plural in EXEMPT:
            return
        for hook in self.hooks:
            for resource in self._equivalents.of(attributes.resource) if hook.equivalent else (attributes.resource,):
                if hook.matches(_wanted(attributes, resource)):
                    yield Invocation(hook, resource)
                    break

    async def selects(self, invocation: Invocation, attributes: Attributes) -> bool:
        """Raises NotFound for a namespace that is not there, Forbidden for conditions that fail where that counts."""
        hook = invocation.hook
        if not self._namespace_selected(hook, attributes) or not _object_selected(hook, attributes):
            return False
        return hook.conditions is None or await self._conditions_hold(hook, hook.conditions, attributes, invocation.resource)

    async def _conditions_hold(self, hook: Hook, conditions: Conditions, attributes: Attributes, resource: Resource) -> bool:
        from proa.apiserver.admission.policy.activation import Activation
        from proa.apiserver.admission.policy.expression import Failed

        activation = Activation(attributes, self._reader, self._authorizer)
        seen = activation.seen(resource)
        try:
            return await activation.run(lambda: conditions.hold(seen))
        except Failed as failed:
            if hook.fails_open:
                return False
            raise refuse(attributes, str(failed)) from None

    def _namespace_selected(self, hook: Hook, attributes: Attributes) -> bool:
        selector = hook.namespace_selector
        if not selector.requirements:
            return True
        if attributes.group_resource == NAMESPACES:
            shown = attributes.object if not attributes.subresource and attributes.object is not None else attributes.old_object
            return shown is None or selector.matches(meta.labels(shown))
        if not attributes.namespace:
            return True
        namespace = self._reader.get("", "namespaces", attributes.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", attributes.namespace)
        return selector.matches(meta.labels(namespace))


def _wanted(attributes: Attributes, resource: Resource) -> Wanted:
    identity = resource.id
    return Wanted(attributes.operation, identity.group, identity.version, identity.plural, attributes.subresource, identity.namespaced)


def _object_selected(hook: Hook, attributes: Attributes) -> bool:
    """Either state of the object will do."""
    selector = hook.object_selector
    if not selector.requirements:
        return True
    states = (attributes.object, attributes.old_object)
    return any(state is not None and "metadata" in state and selector.matches(meta.labels(state)) for state in states)
