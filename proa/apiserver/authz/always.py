"""The two authorizers that look at nothing: for tests of clusters, and for their end."""

from proa.api.meta import Object
from proa.apiserver.interface import Decision, RequestInfo, User

ALLOWED, FORBIDDEN = Decision(True), Decision(None, "Everything is forbidden.")


class AlwaysAllow:
    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return ALLOWED

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return [everything], [{"verbs": ["*"], "nonResourceURLs": ["*"]}], ""


class AlwaysDeny:
    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return FORBIDDEN

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return [], [], ""
