"""The authenticating front proxy: a client with a certificate of the proxies' authority says in headers for whom it speaks.

The headers of anybody else count for nothing. Source: Kubernetes' "Authenticating Proxy" (--requestheader-*).
"""

from collections.abc import Sequence
from urllib.parse import unquote

from proa.api.errors import Unauthorized
from proa.apiserver.authn.client_certificate import ClientCertificateAuthenticator
from proa.apiserver.interface import User
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request


@dataclass(frozen=True, slots=True)
class RequestHeaderNames:
    """Lower-case names, in the order in which they are looked at."""

    user: tuple[str, ...] = ("x-remote-user",)
    uid: tuple[str, ...] = ("x-remote-uid",)
    group: tuple[str, ...] = ("x-remote-group",)
    extra_prefixes: tuple[str, ...] = ("x-remote-extra-",)


def lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


class RequestHeaderAuthenticator:
    """`certificates` knows the proxies' authority; `allowed_names` are the common names of proxies, any if there are none."""

    def __init__(
        self, certificates: ClientCertificateAuthenticator, allowed_names: Sequence[str], names: RequestHeaderNames
    ) -> None:  # fmt: skip
        self._certificates = certificates
        self._allowed = frozenset(allowed_names)
        self._names = names

    async def authenticate(self, request: Request) -> User | None:
        if request.certificate is None or not self._certificates.vouches_for(request.certificate):
            return None
        proxy = self._certificates.user(request.certificate)
        if self._allowed and (proxy is None or proxy.name not in self._allowed):
            raise Unauthorized
        user = stated_user(request, self._names)
        if user is not None:
            self._strip(request)
        return user

    def _strip(self, request: Request) -> None:
        names = self._names
        for name in list(request.headers):
            if name in (*names.user, *names.uid, *names.group) or name.startswith(names.extra_prefixes):
                del request.headers[name]


def stated_user(request: Request, names: RequestHeaderNames) -> User | None:
    """None without a name. What the headers say beyond it is taken as it stands."""
    name = _first(request, names.user)
    if not name:
        return None
    groups = tuple(value for header in names.group for value in request.values(header))
    extra: dict[str, tuple[str, ...]] = {}
    for header in request.headers:
        for prefix in names.extra_prefixes:
            if header.startswith(prefix):
                key = unquote(header.removeprefix(prefix))
                extra[key] = (*extra.get(key, ()), *request.values(header))
    return User(name, groups, _first(request, names.uid), extra)


def _first(request: Request, headers: Sequence[str]) -> str:
    return next((value for header in headers for value in request.values(header)[:1] if value), "")
