"""Fills Secrets of type kubernetes.io/service-account-token with a token, the cluster's root certificate and the namespace, and deletes
them with their account. Nobody needs such Secrets but clients that can't ask for tokens; they are only made by hand since v1.24.
"""

import base64
import binascii
import contextlib
from pathlib import Path

from proa.api import meta
from proa.api.errors import Conflict, NotFound
from proa.api.kinds import SECRETS, SERVICE_ACCOUNTS
from proa.api.legacy_token import ACCOUNT_NAME, ACCOUNT_UID, SECRET_TYPE, build_claims
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.lib.json_web_token import SigningKey
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    reconciler = ServiceAccountTokenReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def is_for(secret: Object, account: Object) -> bool:
    """Whether a Secret is this account's and not that of one before it with the same name."""
    annotations = meta.annotations(secret)
    return annotations.get(ACCOUNT_NAME) == meta.name(account) and annotations.get(ACCOUNT_UID) in (None, "", meta.uid(account))


def filled(secret: Object, account: Object, root_ca: str, key: SigningKey) -> Object:
    """The Secret with what it lacks; the same object if it lacks nothing."""
    data = dict(secret.get("data") or {})
    namespace = meta.namespace(secret)
    if root_ca and _decoded(data.get("ca.crt", "")) != root_ca.encode():
        data["ca.crt"] = _encoded(root_ca)
    if not data.get("namespace"):
        data["namespace"] = _encoded(namespace)
    if not data.get("token"):
        claims = build_claims(namespace, meta.name(account), meta.uid(account), meta.name(secret))
        data["token"] = _encoded(key.encode(claims))
    annotations = {**meta.annotations(secret), ACCOUNT_NAME: meta.name(account), ACCOUNT_UID: meta.uid(account)}
    if data == (secret.get("data") or {}) and annotations == meta.annotations(secret):
        return secret
    return {**secret, "metadata": {**secret["metadata"], "annotations": annotations}, "data": data}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


class ServiceAccountTokenReconciler:
    """Keys are those of Secrets."""

    def __init__(self, context: ControllerContext) -> None:
        self._client, self._root_ca = context.client, context.options.root_ca
        key_file = context.options.service_account_key
        self._key = SigningKey(Path(key_file)) if key_file else None
        self.queue = context.queue()
        self._accounts = context.informers.informer(SERVICE_ACCOUNTS)
        self._secrets = context.informers.informer(SECRETS, field_selector=f"type={SECRET_TYPE}")
        self._secrets.add_handlers(Handlers(add=self._secret, update=lambda old, new: self._secret(new)))
        self._accounts.add_handlers(Handlers(add=self._account, update=lambda old, new: self._account(new), delete=self._account))

    async def reconcile(self, key: str) -> Result:
        secret = self._secrets.lister.get(key)
        if secret is None or meta.is_terminating(secret):
            return DONE
        account = await self._account_of(secret)
        if account is None or not is_for(secret, account):
            return await self._delete(secret)
        if self._key is None:
            return DONE
        wanted = filled(secret, account, self._root_ca, self._key)
        if wanted is not secret:
            try:
                await self._client.update(SECRETS, wanted)
            except NotFound:
                return DONE
            except Conflict:
                return Result(requeue_after=0.1)
        return DONE

    async def _account_of(self, secret: Object) -> Object | None:
        """A cache that is behind must not cost a Secret, so the server is asked before it is said that there is no account."""
        namespace, name = meta.namespace(secret), meta.annotations(secret).get(ACCOUNT_NAME, "")
        account = self._accounts.lister.get(f"{namespace}/{name}")
        if account is not None and is_for(secret, account):
            return account
        try:
            return await self._client.get(SERVICE_ACCOUNTS, name, namespace)
        except NotFound:
            return None

    async def _delete(self, secret: Object) -> Result:
        with contextlib.suppress(NotFound, Conflict):
            await self._client.delete(SECRETS, meta.name(secret), meta.namespace(secret), uid=meta.uid(secret))
        return DONE

    def _secret(self, secret: Object) -> None:
        self.queue.add(meta.key(secret))

    def _account(self, account: Object) -> None:
        for secret in self._secrets.lister.list(meta.namespace(account)):
            if meta.annotations(secret).get(ACCOUNT_NAME) == meta.name(account):
                self._secret(secret)
