"""Tokens that a webhook knows (--authentication-token-webhook-config-file): each is asked of it as a TokenReview, and the answer is good
for a while. Source: Kubernetes' "Webhook Token Authentication", authentication.k8s.io/v1.
"""

import hashlib
from collections.abc import Sequence

from proa.api.meta import Object
from proa.apiserver.authn.token import Identified, InvalidToken
from proa.apiserver.interface import User
from proa.apiserver.webhook_backend import BackendError, WebhookBackend
from proa.lib.clock import Clock
from proa.lib.recently_used import RecentlyUsed

GROUP = "authentication.k8s.io"


class WebhookTokenAuthenticator:
    """`own` are this server's audiences: a webhook that knows of none speaks for them. `seconds` is how long an answer counts."""

    def __init__(self, backend: WebhookBackend, version: str, own: Sequence[str], seconds: float, clock: Clock) -> None:
        self._backend = backend
        self._version = version
        self._own = tuple(own)
        self._seconds = seconds
        self._clock = clock
        self._remembered: RecentlyUsed[tuple[bytes, tuple[str, ...]], tuple[float, Identified | None]] = RecentlyUsed(4096)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        # Tokens that are none count too, and may be as long as a head: their digests are kept.
        key, now = (hashlib.sha256(token.encode()).digest(), tuple(audiences)), self._clock.monotonic()
        remembered = self._remembered.get(key)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        found = await self._ask(token, audiences)
        self._remembered.put(key, (now + self._seconds, found))
        return found

    async def _ask(self, token: str, audiences: Sequence[str]) -> Identified | None:
        spec: Object = {"token": token}
        if audiences:
            spec["audiences"] = list(audiences)
        review = {"kind": "TokenReview", "apiVersion": f"{GROUP}/{self._version}", "metadata": {}, "spec": spec, "status": {"user": {}}}
        try:
            answer = await self._backend.review(review)
        except BackendError as error:
            raise InvalidToken(str(error)) from None
        return read_answer(answer.get("status") or {}, audiences, self._own)


def read_answer(status: Object, audiences: Sequence[str], own: Sequence[str]) -> Identified | None:
    """None for a token that the webhook does not know; raises InvalidToken with the error that it tells."""
    common: tuple[str, ...] = ()
    if audiences:
        given = tuple(status.get("audiences") or own)
        common = tuple(each for each in audiences if each in given)
        if not common:
            return None
    if not status.get("authenticated"):
        if status.get("error"):
            raise InvalidToken(str(status["error"]))
        return None
    user = status.get("user") or {}
    extra = {key: tuple(values) for key, values in (user.get("extra") or {}).items()}
    return Identified(User(user.get("username", ""), tuple(user.get("groups") or ()), user.get("uid", ""), extra), common)
