"""Bound service account tokens for pods: asked for once, kept, and replaced when 80 % of their life or a day has gone."""

from proa.api import meta
from proa.api.kinds import SERVICE_ACCOUNTS
from proa.api.meta import Object
from proa.client.interface import Client
from proa.lib.clock import Clock, parse_time
from proa.lib.dataclass import dataclass

DEFAULT_SECONDS = 3600
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    refresh_at: float


class TokenManager:
    """Tokens by pod and projection."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._tokens: dict[tuple[str, str, int], _Token] = {}

    async def get(self, pod: Object, projection: Object) -> str:
        """A token that is good for a while; an old one if the API does not answer and the old one has not expired."""
        audience, seconds = projection.get("audience") or "", int(projection.get("expirationSeconds") or DEFAULT_SECONDS)
        key = (meta.uid(pod), audience, seconds)
        known = self._tokens.get(key)
        if known is not None and self._clock.now().timestamp() < known.refresh_at:
            return known.text
        self._tokens[key] = await self._request(pod, audience, seconds)
        return self._tokens[key].text

    def forget(self, uid: str) -> None:
        self._tokens = {key: token for key, token in self._tokens.items() if key[0] != uid}

    async def _request(self, pod: Object, audience: str, seconds: int) -> _Token:
        bound = {"kind": "Pod", "apiVersion": "v1", "name": meta.name(pod), "uid": meta.uid(pod)}
        spec = {"expirationSeconds": seconds, "boundObjectRef": bound, "audiences": [audience] if audience else []}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        account = pod["spec"].get("serviceAccountName") or "default"
        answer = await self._client.create(SERVICE_ACCOUNTS, body, name=account, namespace=meta.namespace(pod), subresource="token")
        now = self._clock.now().timestamp()
        expires = parse_time(answer["status"]["expirationTimestamp"]).timestamp()
        return _Token(answer["status"]["token"], now + min((expires - now) * 0.8, _DAY))
