"""Asks each authorizer in turn: the first that has an opinion decides. system:masters may do everything, whatever the roles say, so that no
mistake in them locks the operator out.
"""

from collections.abc import Sequence

from proa.api.meta import Object
from proa.apiserver.interface import MASTERS_GROUP, Authorizer, Decision, RequestInfo, User

ALLOWED, NO_OPINION = Decision(True), Decision(None)


class PrivilegedGroupAuthorizer:
    """Allows everything to one group."""

    def __init__(self, group: str = MASTERS_GROUP) -> None:
        self._group = group

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return ALLOWED if self._group in user.groups else NO_OPINION

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], bool]:
        """Nothing: the group's rules are listed once, by the binding of cluster-admin."""
        return [], [], False


class UnionAuthorizer:
    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = authorizers

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        reasons = []
        for authorizer in self._authorizers:
            decision = await authorizer.authorize(user, info)
            if decision.allowed is not None:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(None, "\n".join(reasons))

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], bool]:
        resource_rules: list[Object] = []
        path_rules: list[Object] = []
        incomplete = False
        for authorizer in self._authorizers:
            resources, paths, partial = authorizer.rules_for(user, namespace)
            resource_rules += resources
            path_rules += paths
            incomplete = incomplete or partial
        return resource_rules, path_rules, incomplete
