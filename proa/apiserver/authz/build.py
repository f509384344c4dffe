"""Puts the API server's authorizers together: system:masters, then whoever the mode or the configuration file names, in its order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.apiserver.authz.always import AlwaysAllow, AlwaysDeny
from proa.apiserver.authz.node import NodeAuthorizer
from proa.apiserver.authz.policy_rule import compile_rules
from proa.apiserver.authz.rbac import RBACAuthorizer
from proa.apiserver.authz.union import PrivilegedGroupAuthorizer, UnionAuthorizer
from proa.apiserver.bootstrap.cluster_roles import NODE_RULES
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import Authorizer, Decision, ObjectReader, RequestInfo, User
from proa.lib.clock import Clock, SystemClock

Loop = Callable[[], Coroutine[Any, Any, None]]
MODES = ("Node", "RBAC", "Webhook", "AlwaysAllow", "AlwaysDeny")


def build_authorizer(reader: ObjectReader) -> UnionAuthorizer:
    """Of a cluster that is told nothing else."""
    return UnionAuthorizer([PrivilegedGroupAuthorizer(), node_authorizer(reader), RBACAuthorizer(reader)])


def node_authorizer(reader: ObjectReader) -> NodeAuthorizer:
    return NodeAuthorizer(reader, compile_rules(NODE_RULES))


def build_authorization(config: ApiServerConfig, reader: ObjectReader, clock: Clock | None = None) -> tuple[Authorizer, list[Loop]]:
    """The authorizer, and what must run as long as the server does. Raises ValueError, OSError."""
    clock = clock or SystemClock()
    if config.authorization_config is not None:
        if config.authorization_webhook_config is not None:
            raise ValueError(
                "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are specified"
            )
        return _structured(config.authorization_config, Makers(reader, clock))
    check_modes(config)
    if "Webhook" in config.authorization_mode:
        return _with_webhook(config, Makers(reader, clock))
    makers = Makers(reader, clock)
    return UnionAuthorizer([PrivilegedGroupAuthorizer(), *(makers.plain(mode) for mode in config.authorization_mode)]), []


def check_modes(config: ApiServerConfig) -> None:
    """Raises ValueError."""
    modes = config.authorization_mode
    if not modes:
        raise ValueError("at least one authorization-mode must be passed")
    for mode in modes:
        if mode not in MODES:
            raise ValueError(f'authorization-mode "{mode}" is not a valid mode')
    if len(set(modes)) != len(modes):
        raise ValueError(f'authorization-mode ["{" ".join(modes)}"] has mode specified more than once')
    if "Webhook" in modes and config.authorization_webhook_config is None:
        raise ValueError("authorization-mode Webhook's authorization config file not passed")
    if "Webhook" not in modes and config.authorization_webhook_config is not None:
        raise ValueError("cannot specify --authorization-webhook-config-file without mode Webhook")
    if config.authorization_webhook_version not in ("v1", "v1beta1"):
        raise ValueError(f'unsupported authorization webhook version "{config.authorization_webhook_version}"')


class Makers:
    """Makes authorizers by type. Node and RBAC follow the store and are made once, whatever becomes of the configuration."""

    def __init__(self, reader: ObjectReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._made: dict[str, Authorizer] = {}

    def plain(self, kind: str) -> Authorizer:
        if kind not in self._made:
            makers: dict[str, Callable[[], Authorizer]] = {
                "Node": lambda: node_authorizer(self._reader),
                "RBAC": lambda: RBACAuthorizer(self._reader),
                "AlwaysAllow": AlwaysAllow,
                "AlwaysDeny": AlwaysDeny,
            }
            self._made[kind] = makers[kind]()
        return self._made[kind]

    def webhook(self, kubeconfig: Path | None, timeout: float, policy: Any) -> "tuple[Authorizer, Loop]":
        from proa.apiserver.authz.webhook import WebhookAuthorizer
        from proa.apiserver.webhook_backend import WebhookBackend, in_cluster_access

        backend = WebhookBackend.from_kubeconfig(kubeconfig, timeout) if kubeconfig else WebhookBackend(in_cluster_access(), timeout)
        return WebhookAuthorizer(backend, policy, self._clock), backend.keep_open

    def all(self, settings: Sequence[Any]) -> tuple[UnionAuthorizer, list[Loop]]:
        authorizers: list[Authorizer] = [PrivilegedGroupAuthorizer()]
        loops: list[Loop] = []
        for each in settings:
            if each.type == "Webhook":
                authorizer, keep_open = self.webhook(each.kubeconfig, each.timeout, each.policy)
                authorizers.append(authorizer)
                loops.append(keep_open)
            else:
                authorizers.append(self.plain(each.type))
        return UnionAuthorizer(authorizers), loops

    @property
    def clock(self) -> Clock:
        return self._clock


def _with_webhook(config: ApiServerConfig, makers: Makers) -> tuple[Authorizer, list[Loop]]:
    from proa.apiserver.authz.structured import AuthorizerSettings
    from proa.apiserver.authz.webhook import WebhookPolicy

    policy = WebhookPolicy(
        config.authorization_webhook_version, config.authorization_webhook_cache_authorized_ttl,
        config.authorization_webhook_cache_unauthorized_ttl,
    )  # fmt: skip
    file = config.authorization_webhook_config
    return makers.all([AuthorizerSettings(mode, mode, policy, 30.0, file) for mode in config.authorization_mode])


def _structured(path: Path, makers: Makers) -> tuple[Authorizer, list[Loop]]:
    from proa.apiserver.authz.structured import read_authorization_configuration
    from proa.apiserver.configuration_file import follow

    content = path.read_bytes()
    authorizer = ReloadedAuthorizer(lambda text: makers.all(read_authorization_configuration(text)), content.decode())
    return authorizer, [lambda: follow(path, content, authorizer.reload, makers.clock), authorizer.keep_open]


class ReloadedAuthorizer:
    """Those of the configuration that is in force."""

    def __init__(self, read: Callable[[str], tuple[UnionAuthorizer, list[Loop]]], text: str) -> None:
        self._read = read
        self._current, self._loops = read(text)
        self._running: list[asyncio.Task[None]] = []

    def reload(self, text: str) -> None:
        """Raises ValueError; the former ones then stay."""
        try:
            self._current, self._loops = self._read(text)
        except OSError as error:
            raise ValueError(str(error)) from None
        self._restart()

    def _restart(self) -> None:
        for task in self._running:
            task.cancel()
        self._running = [asyncio.ensure_future(run()) for run in self._loops]

    async def keep_open(self) -> None:
        self._restart()
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return await self._current.authorize(user, info)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return self._current.rules_for(user, namespace)
