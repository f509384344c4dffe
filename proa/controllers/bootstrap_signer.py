"""Signs the cluster-info ConfigMap of kube-public with every bootstrap token that may: who joins with a token can tell by it that the
kubeconfig in there is the cluster's own, before it trusts any certificate. Source: "Authenticating with Bootstrap Tokens", RFC 7515.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

import orjson

from proa.api import meta
from proa.api.errors import Conflict, NotFound
from proa.api.kinds import CONFIG_MAPS, SECRETS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.bootstrap_tokens import NAMESPACE, SECRET_TYPE, decoded, expiration, signs
from proa.controllers.context import ControllerContext
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

PUBLIC, NAME = "kube-public", "cluster-info"
KUBECONFIG, SIGNATURE = "kubeconfig", "jws-kubeconfig-"
KEY = f"{PUBLIC}/{NAME}"


def build(context: ControllerContext) -> Controller:
    reconciler = BootstrapSigner(context)
    return context.controller(reconciler, reconciler.queue, workers=1)


def detached_signature(content: str, token_id: str, token_secret: str) -> str:
    """A JWS in compact form, without what it signs: that lies beside it."""
    header = _base64(orjson.dumps({"alg": "HS256", "kid": token_id}))
    signed = f"{header}.{_base64(content.encode())}"
    return f"{header}..{_base64(hmac.digest(token_secret.encode(), signed.encode(), hashlib.sha256))}"


def signed_data(data: dict[str, str], tokens: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The ConfigMap's data with the signatures that it should have, and no other."""
    kept = {name: value for name, value in data.items() if not name.startswith(SIGNATURE)}
    content = data.get(KUBECONFIG)
    if content is None:
        return data
    return kept | {SIGNATURE + token_id: detached_signature(content, token_id, secret) for token_id, secret in sorted(tokens)}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class BootstrapSigner:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._config_maps = context.informers.informer(CONFIG_MAPS, namespace=PUBLIC, field_selector=f"metadata.name={NAME}")
        self._secrets = context.informers.informer(SECRETS, namespace=NAMESPACE, field_selector=f"type={SECRET_TYPE}")
        every = Handlers(add=self._changed, update=lambda old, new: self._changed(new), delete=self._changed)
        self._config_maps.add_handlers(every)
        self._secrets.add_handlers(every)

    async def reconcile(self, key: str) -> Result:
        config_map = self._config_maps.lister.get(KEY)
        if config_map is None or meta.is_terminating(config_map):
            return DONE
        now = self._clock.now()
        secrets = self._secrets.lister.list()
        data = config_map.get("data") or {}
        wanted = signed_data(data, [token for token in (signs(secret, now) for secret in secrets) if token])
        if wanted != data:
            try:
                await self._client.update(CONFIG_MAPS, {**config_map, "data": wanted})
            except Conflict:
                return Result(requeue_after=0.1)
            except NotFound:
                return DONE
        ends = [end for end in (expiration(decoded(secret), now) for secret in secrets) if end is not None and end > now]
        return Result(requeue_after=(min(ends) - now).total_seconds()) if ends else DONE

    def _changed(self, obj: Object) -> None:
        self.queue.add(KEY)
