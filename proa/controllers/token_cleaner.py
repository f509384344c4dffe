"""Deletes bootstrap tokens whose time is over."""

import contextlib
from datetime import datetime

from proa.api import meta
from proa.api.errors import Conflict, NotFound
from proa.api.kinds import SECRETS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers import bootstrap_tokens
from proa.controllers.bootstrap_tokens import NAMESPACE, SECRET_TYPE
from proa.controllers.context import ControllerContext
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    reconciler = TokenCleaner(context)
    return context.controller(reconciler, reconciler.queue, workers=1)


def seconds_left(secret: Object, now: datetime) -> float | None:
    """None for a token without an end."""
    end = bootstrap_tokens.expiration(bootstrap_tokens.decoded(secret), now)
    return None if end is None else max(0.0, (end - now).total_seconds())


class TokenCleaner:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._secrets = context.informers.informer(SECRETS, namespace=NAMESPACE, field_selector=f"type={SECRET_TYPE}")
        self._secrets.add_handlers(Handlers(add=self._secret, update=lambda old, new: self._secret(new)))

    async def reconcile(self, key: str) -> Result:
        secret = self._secrets.lister.get(key)
        left = None if secret is None or meta.is_terminating(secret) else seconds_left(secret, self._clock.now())
        if secret is None or left is None:
            return DONE
        if left > 0:
            return Result(requeue_after=left)
        with contextlib.suppress(NotFound, Conflict):
            await self._client.delete(SECRETS, meta.name(secret), NAMESPACE, uid=meta.uid(secret))
        return DONE

    def _secret(self, secret: Object) -> None:
        self.queue.add(meta.key(secret))
