"""One request as expressions see it, and the authorizer that they may ask: what it has answered holds for all policies of the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from proa.api.cel.environment import decided
from proa.api.cel.library.authorizer import AuthorizerValue, Check, DecisionValue, ResourceValue
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.admission.policy.request_view import seen_by_expressions
from proa.apiserver.admission.policy.scope import REQUEST_RESOURCE
from proa.apiserver.interface import AUTHENTICATED_GROUP, Attributes, Authorizer, ObjectReader, RequestInfo, User

Value = TypeVar("Value")


class Activation:
    def __init__(self, attributes: Attributes, reader: ObjectReader, authorizer: Authorizer) -> None:
        self._attributes, self._reader, self._authorizer = attributes, reader, authorizer
        self._asked = AuthorizerValue()
        self._seen: dict[str, dict[str, Any]] = {}

    def seen(self, resource: Resource, params: Object | None = None) -> dict[str, Any]:
        """The variables, with the object as `resource` has it."""
        key = resource.id.api_version + resource.id.plural
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = seen_by_expressions(self._attributes, self._reader, resource)
        attributes, identity = self._attributes, self._attributes.resource.id
        about = Check(
            group=identity.group, resource=identity.plural, subresource=attributes.subresource, namespace=attributes.namespace,
            name=attributes.name,
        )  # fmt: skip
        asking = {"authorizer": self._asked, REQUEST_RESOURCE: ResourceValue(self._asked.answers, about)}
        return {**found, "params": params, **asking}

    def renew(self) -> None:
        """The object has changed."""
        self._seen.clear()

    async def run(self, evaluate: Callable[[], Value]) -> Value:
        """Evaluate, as often as it takes until every check of the authorizer has its answer."""
        value: Value = await decided(evaluate, self._asked, self._decide)
        return value

    async def _decide(self, check: Check) -> DecisionValue:
        user = _service_account(*check.service_account) if check.service_account[1] else self._attributes.user
        if check.path:
            info = RequestInfo(check.verb, check.path)
        else:
            info = RequestInfo(
                check.verb, "", True, check.group, "*", check.resource, check.subresource, check.namespace, check.name,
                field_selector=check.field_selector,
            )  # fmt: skip
        decision = await self._authorizer.authorize(user, info)
        return DecisionValue(bool(decision.allowed), decision.reason)


def _service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED_GROUP)
    return User(f"system:serviceaccount:{namespace}:{name}", groups)
