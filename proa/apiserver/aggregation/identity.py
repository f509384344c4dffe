"""Who a request comes from, as an extension server is told: this server's front-proxy certificate vouches for the headers with the user.

Source: "Configure the Aggregation Layer" in the Kubernetes documentation.
"""

import re
import ssl
from functools import cached_property

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import User
from proa.lib.http.client_tls import client_context

_TOKEN = frozenset("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Identity:
    """The front-proxy certificate; without one, extension servers see a nameless client."""

    def __init__(self, config: ApiServerConfig) -> None:
        self._config = config

    def context(self, ca: bytes | None, *, verify: bool = True) -> ssl.SSLContext:
        certificate, key = self._config.proxy_client_certificate, self._config.proxy_client_key
        if certificate is None or key is None:
            return client_context(ca=ca, verify=verify)
        return client_context(ca=ca, certificate=certificate.read_bytes(), private_key=key.read_bytes(), verify=verify)

    @cached_property
    def unverified(self) -> ssl.SSLContext:
        return self.context(None, verify=False)


class InvalidHeader(ConnectionError):
    """A user whose name can't be told in a header; it must not become a header of its own."""


def identity_headers(user: User) -> list[tuple[str, str]]:
    """Raises InvalidHeader."""
    headers = [("x-remote-user", user.name), *(("x-remote-group", group) for group in user.groups)]
    if user.uid:
        headers.append(("x-remote-uid", user.uid))
    headers += [(f"x-remote-extra-{escaped(key)}", value) for key, values in user.extra.items() for value in values]
    for name, value in headers:
        if _CONTROL.search(value):
            raise InvalidHeader(f'net/http: invalid header field value for "{name.title()}"')
    return [(name, value.encode().decode("latin-1")) for name, value in headers]


def escaped(key: str) -> str:
    """A key of `extra` as part of a header's name: what may not stand there is percent-encoded."""
    return "".join(chr(byte) if chr(byte) in _TOKEN else f"%{byte:02X}" for byte in key.encode())
