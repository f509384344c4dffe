"""Puts the API server's authenticators together, in the order in which kube-apiserver asks them."""

from dataclasses import dataclass

from proa.apiserver.authn.client_certificate import ClientCertificateAuthenticator
from proa.apiserver.authn.json_web_token import SigningKey
from proa.apiserver.authn.service_account_token import ServiceAccountTokenAuthenticator
from proa.apiserver.authn.token_request import TokenRequests
from proa.apiserver.authn.union import UnionAuthenticator
from proa.apiserver.authn.unix_socket import UnixSocketAuthenticator
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader
from proa.lib.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Authentication:
    """`authenticator` serves every request; the others are its parts that reviews, TokenRequest and discovery need."""

    authenticator: UnionAuthenticator
    tokens: ServiceAccountTokenAuthenticator
    token_requests: TokenRequests
    signing_key: SigningKey


def build_authentication(config: ApiServerConfig, reader: ObjectReader, clock: Clock | None = None) -> Authentication:
    clock = clock or SystemClock()
    key = SigningKey(config.service_account_key)
    tokens = ServiceAccountTokenAuthenticator(key, config.issuer, config.api_audiences, reader, clock)
    authenticator = UnionAuthenticator([UnixSocketAuthenticator(), ClientCertificateAuthenticator(clock), tokens])
    return Authentication(authenticator, tokens, TokenRequests(key, config.issuer, config.api_audiences, reader, clock), key)


def build_authenticator(config: ApiServerConfig, reader: ObjectReader, clock: Clock | None = None) -> UnionAuthenticator:
    return build_authentication(config, reader, clock).authenticator
