"""Asks each authorizer in turn: the first that has an opinion decides. system:masters may do everything, whatever the roles say, so that no
mistake in them locks the operator out.
"""

from collections.abc import Sequence

from proa.api.meta import Object
from proa.apiserver.authn.token import aggregate
from proa.apiserver.interface import MASTERS_GROUP, Authorizer, Decision, RequestInfo, User

ALLOWED, NO_OPINION = Decision(True), Decision(None)


class PrivilegedGroupAuthorizer:
    """Allows everything to one group."""

    def __init__(self, group: str = MASTERS_GROUP) -> None:
        self._group = group

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return ALLOWED if self._group in user.groups else NO_OPINION

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        """Nothing: the group's rules are listed once, by the binding of cluster-admin."""
        return [], [], ""


class UnionAuthorizer:
    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = authorizers

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        reasons, errors = [], []
        for authorizer in self._authorizers:
            decision = await authorizer.authorize(user, info)
            if decision.allowed is not None:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
            if decision.error:
                errors.append(decision.error)
        return Decision(None, "\n".join(reasons), aggregate(errors))

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        resource_rules: list[Object] = []
        path_rules: list[Object] = []
        missing: list[str] = []
        for authorizer in self._authorizers:
            resources, paths, why = authorizer.rules_for(user, namespace)
            resource_rules += resources
            path_rules += paths
            missing += [why] if why else []
        return resource_rules, path_rules, aggregate(missing)
