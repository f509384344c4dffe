"""Who calls the kubelet: by a certificate of the cluster's authority, or by a bearer token that the API server vouches for.

Nobody is anonymous here. Reviews of tokens are remembered for two minutes, as upstream, so that a scraper costs the API server nothing.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Generic, TypeVar

from proa.api.errors import ApiError, Unauthorized
from proa.api.kinds import TOKEN_REVIEWS
from proa.api.meta import Object
from proa.client.interface import Client
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request

TOKEN_SECONDS = 120.0
CACHE_SIZE = 1024
AUTHENTICATED_GROUP = "system:authenticated"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict, hash=False, compare=False)


class Remembered(Generic[Value]):
    """Answers that hold for a time; the oldest goes when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: OrderedDict[object, tuple[float, Value]] = OrderedDict()

    async def get(self, key: object, ask: Callable[[], Awaitable[Value]], seconds: Callable[[Value], float]) -> Value:
        known = self._answers.get(key)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        answer = await ask()
        self._answers[key] = self._clock.monotonic() + seconds(answer), answer
        self._answers.move_to_end(key)
        if len(self._answers) > CACHE_SIZE:
            self._answers.popitem(last=False)
        return answer


class Authentication:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._tokens: Remembered[Caller | None] = Remembered(clock)

    async def identify(self, request: Request) -> Caller:
        """Raises Unauthorized."""
        if request.certificate is not None and (caller := certificate_caller(request.certificate, self._clock.now().timestamp())):
            return caller
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (token := token.strip()):
            digest = hashlib.sha256(token.encode()).digest()
            caller = await self._tokens.get(digest, lambda: self._review(token), lambda answer: TOKEN_SECONDS if answer else 0.0)
            if caller is not None:
                return caller
        raise Unauthorized

    async def _review(self, token: str) -> Caller | None:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {}, "spec": {"token": token}}
        try:
            answer = await self._client.create(TOKEN_REVIEWS, review)
        except (ApiError, OSError):
            return None
        return reviewed_caller(answer)


def reviewed_caller(review: Object) -> Caller | None:
    status = review.get("status") or {}
    user = status.get("user") or {}
    if not status.get("authenticated") or not user.get("username"):
        return None
    return Caller(user["username"], tuple(user.get("groups") or ()), user.get("uid", ""), dict(user.get("extra") or {}))


def certificate_caller(der: bytes, now: float) -> Caller | None:
    """Common name and organizations; the TLS layer has checked the chain, the connection may have outlived the dates."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_der_x509_certificate(der)
    if not certificate.not_valid_before_utc.timestamp() <= now <= certificate.not_valid_after_utc.timestamp():
        return None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organizations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    groups = tuple(str(each.value) for each in organizations)
    return Caller(str(names[0].value), (*groups, AUTHENTICATED_GROUP)) if names else None
