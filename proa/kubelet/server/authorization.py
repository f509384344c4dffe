"""Whether a caller may do what it asks of this node: the API server decides, by the subresources of `nodes`.

Reading pods, health and configuration has subresources of its own since 1.32; who may not use those may still have all of `nodes/proxy`.
Answers are remembered as upstream: 5 minutes for yes, 30 seconds for no.
"""

from proa.api.errors import ApiError, Forbidden
from proa.api.kinds import SUBJECT_ACCESS_REVIEWS
from proa.client.interface import Client
from proa.kubelet.server.identity import Caller, Remembered
from proa.lib.clock import Clock
from proa.lib.http.message import Request

ALLOWED_SECONDS, DENIED_SECONDS = 300.0, 30.0
_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SUBRESOURCES = {
    "stats": ("stats",),
    "metrics": ("metrics",),
    "logs": ("log",),
    "checkpoint": ("checkpoint",),
    "pods": ("pods", "proxy"),
    "runningpods": ("pods", "proxy"),
    "healthz": ("healthz", "proxy"),
    "configz": ("configz", "proxy"),
}


def subresources(path: str) -> tuple[str, ...]:
    """Any of these is enough."""
    return _SUBRESOURCES.get(path.strip("/").partition("/")[0], ("proxy",))


class Authorization:
    def __init__(self, client: Client, node_name: str, clock: Clock) -> None:
        self._client, self._node_name = client, node_name
        self._decisions: Remembered[bool] = Remembered(clock)

    async def check(self, caller: Caller, request: Request) -> None:
        """Raises Forbidden."""
        verb = _VERBS.get(request.method, "")
        wanted = subresources(request.path)
        for subresource in wanted:
            if await self._may(caller, verb, subresource):
                return
        listed = " ".join(wanted)
        raise Forbidden(f"Forbidden (user={caller.name}, verb={verb}, resource=nodes, subresource(s)=[{listed}])")

    async def _may(self, caller: Caller, verb: str, subresource: str) -> bool:
        return await self._decisions.get(
            (caller, verb, subresource),
            lambda: self._ask(caller, verb, subresource),
            lambda allowed: ALLOWED_SECONDS if allowed else DENIED_SECONDS,
        )

    async def _ask(self, caller: Caller, verb: str, subresource: str) -> bool:
        attributes = {"verb": verb, "version": "v1", "resource": "nodes", "subresource": subresource, "name": self._node_name}
        spec = {"user": caller.name, "groups": list(caller.groups), "uid": caller.uid, "extra": caller.extra}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": attributes, **{key: value for key, value in spec.items() if value}},
        }
        try:
            answer = await self._client.create(SUBJECT_ACCESS_REVIEWS, review)
        except OSError as error:
            raise ApiError(f"Authorization error (user={caller.name}, verb={verb}, resource=nodes): {error}") from None
        return bool((answer.get("status") or {}).get("allowed"))
