"""Puts the API server's authenticators together, in the order in which kube-apiserver asks them: front proxy, client certificate, then
each kind of token. What is not configured is not there, so that it costs no request anything.
"""

import functools
from collections.abc import Callable, Coroutine
from dataclasses import field
from pathlib import Path
from typing import Any

from proa.apiserver.authn.anonymous import AnonymousAccess
from proa.apiserver.authn.bearer_token import BearerTokenAuthenticator
from proa.apiserver.authn.client_certificate import Authority, ClientCertificateAuthenticator
from proa.apiserver.authn.legacy_token import LegacyTokenAuthenticator
from proa.apiserver.authn.legacy_token_use import LegacyTokenUse
from proa.apiserver.authn.request_header import RequestHeaderAuthenticator, RequestHeaderNames, lower
from proa.apiserver.authn.service_account_token import ServiceAccountTokenAuthenticator
from proa.apiserver.authn.token import AudienceAgnostic, TokenAuthenticator, TokenUnion
from proa.apiserver.authn.token_request import TokenRequests
from proa.apiserver.authn.union import UnionAuthenticator
from proa.apiserver.authn.unix_socket import UnixSocketAuthenticator
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import Authenticator, ObjectReader, ObjectWriter
from proa.lib.clock import Clock, SystemClock
from proa.lib.dataclass import dataclass
from proa.lib.json_web_token import SigningKey

Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Authentication:
    """`authenticator` serves every request; the others are its parts that reviews, TokenRequest and discovery need. `loops` run as long
    as the server does."""

    authenticator: UnionAuthenticator
    tokens: TokenUnion
    token_requests: TokenRequests
    signing_key: SigningKey
    audiences: tuple[str, ...]
    loops: list[Loop] = field(default_factory=list)


def build_authentication(
    config: ApiServerConfig, reader: ObjectReader, clock: Clock | None = None, writer: ObjectWriter | None = None
) -> Authentication:
    """Raises ValueError, OSError for a configuration that can't be."""
    clock = clock or SystemClock()
    key = SigningKey(config.service_account_key, config.service_account_key_files)
    kinds, loops, anonymous = _token_kinds(config, key, reader, clock, writer)
    tokens = TokenUnion(kinds)
    authenticators: list[Authenticator] = [UnixSocketAuthenticator(), *_certificates(config, clock)]
    authenticators.append(BearerTokenAuthenticator(tokens, config.audiences))
    return Authentication(
        UnionAuthenticator(authenticators, lambda: anonymous),
        tokens,
        TokenRequests(config, key, reader, clock),
        key,
        config.audiences,
        loops,
    )


def _certificates(config: ApiServerConfig, clock: Clock) -> list[Authenticator]:
    """With two authorities, each certificate is judged by who has issued it."""
    proxies = config.requestheader_client_ca
    if proxies is None:
        return [ClientCertificateAuthenticator(clock)]
    names = RequestHeaderNames(
        lower(config.requestheader_username_headers), lower(config.requestheader_uid_headers),
        lower(config.requestheader_group_headers), lower(config.requestheader_extra_headers_prefix),
    )  # fmt: skip
    of_proxies = ClientCertificateAuthenticator(clock, Authority(proxies))
    front_proxy = RequestHeaderAuthenticator(of_proxies, config.requestheader_allowed_names, names)
    return [front_proxy, ClientCertificateAuthenticator(clock, Authority(config.client_ca))]


def _token_kinds(
    config: ApiServerConfig, key: SigningKey, reader: ObjectReader, clock: Clock, writer: ObjectWriter | None
) -> tuple[list[TokenAuthenticator], list[Loop], AnonymousAccess]:
    own = config.audiences
    kinds: list[TokenAuthenticator] = []
    loops: list[Loop] = []
    if config.token_auth_file is not None:
        from proa.apiserver.authn.token_file import load_token_file

        kinds.append(AudienceAgnostic(load_token_file(config.token_auth_file), own))
    use = LegacyTokenUse(writer, clock)
    loops.append(use.run)
    kinds.append(LegacyTokenAuthenticator(key, own, reader, clock, use.note))
    kinds.append(ServiceAccountTokenAuthenticator(key, config.issuers, own, reader, clock))
    if config.enable_bootstrap_token_auth:
        from proa.apiserver.authn.bootstrap_token import BootstrapTokenAuthenticator

        kinds.append(AudienceAgnostic(BootstrapTokenAuthenticator(reader, clock), own))
    external, anonymous = _external(config, clock, loops)
    kinds += [AudienceAgnostic(each, own) for each in external]
    if config.authentication_token_webhook_config is not None:
        kinds.append(_webhook(config, config.authentication_token_webhook_config, clock, loops))
    return kinds, loops, anonymous


def _external(config: ApiServerConfig, clock: Clock, loops: list[Loop]) -> tuple[list[TokenAuthenticator], AnonymousAccess]:
    anonymous = AnonymousAccess(config.anonymous_auth)
    if config.authentication_config is not None:
        return _structured(config, config.authentication_config, clock, loops, anonymous)
    if config.oidc_issuer_url or config.oidc_client_id:
        from proa.apiserver.authn.openid.authenticator import JWTAuthenticator
        from proa.apiserver.authn.openid.flags import from_flags

        issuer = from_flags(config)
        return ([JWTAuthenticator(issuer, clock)] if issuer else []), anonymous
    return [], anonymous


def _structured(
    config: ApiServerConfig, path: Path, clock: Clock, loops: list[Loop], anonymous: AnonymousAccess
) -> tuple[list[TokenAuthenticator], AnonymousAccess]:
    from proa.apiserver.authn.structured import ExternalIssuers, read_authentication_configuration
    from proa.apiserver.configuration_file import follow

    if config.oidc_issuer_url or config.oidc_client_id:
        raise ValueError("authentication-config file and oidc-* flags are mutually exclusive")
    content = path.read_bytes()
    read = functools.partial(read_authentication_configuration, disallowed=config.issuers)
    found = read(content.decode())
    if found.anonymous is not None and not config.anonymous_auth:
        raise ValueError("--anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file")
    issuers = ExternalIssuers(clock)
    issuers.replace(found.issuers)
    loops.append(lambda: follow(path, content, lambda text: issuers.replace(read(text).issuers), clock))
    return [issuers], found.anonymous or anonymous


def _webhook(config: ApiServerConfig, path: Path, clock: Clock, loops: list[Loop]) -> TokenAuthenticator:
    from proa.apiserver.authn.webhook_token import WebhookTokenAuthenticator
    from proa.apiserver.webhook_backend import WebhookBackend

    if config.authentication_token_webhook_version not in ("v1", "v1beta1"):
        raise ValueError(f'unsupported authentication webhook version "{config.authentication_token_webhook_version}"')
    backend = WebhookBackend.from_kubeconfig(path)
    loops.append(backend.keep_open)
    seconds = config.authentication_token_webhook_cache_ttl
    return WebhookTokenAuthenticator(backend, config.authentication_token_webhook_version, config.audiences, seconds, clock)


def build_authenticator(config: ApiServerConfig, reader: ObjectReader, clock: Clock | None = None) -> UnionAuthenticator:
    return build_authentication(config, reader, clock).authenticator
