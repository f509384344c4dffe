"""The way of a request: who (authentication, impersonation), may it (authorization), what (verb), and how the answer looks.

`Pipeline` is the `Handler` of every listener and of the in-process client; there is no way around its authorization.
"""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable

from proa.api.errors import Forbidden, InternalError
from proa.apiserver.authn.impersonation import impersonate
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.call import Call, Elsewhere, ServerContext
from proa.apiserver.cbor_body import admit_cbor
from proa.apiserver.compression import accepts_gzip, compress
from proa.apiserver.decode import is_long_yaml, read_yaml
from proa.apiserver.failure import error_response, method_not_allowed, page_not_found, translate, undecided
from proa.apiserver.interface import ANONYMOUS, Authenticator, RequestInfo, User
from proa.apiserver.request_info import request_info
from proa.apiserver.request_metrics import RequestMetrics
from proa.apiserver.served import ServedResource
from proa.apiserver.verbs.table import find_verb
from proa.lib.http.message import AnyResponse, Request, Response, UpgradeResponse

log = logging.getLogger(__name__)

NonResource = Callable[[Request, User], Awaitable[AnyResponse | None]]
"""Answers a path outside of /api/VERSION and /apis/GROUP/VERSION; None if there is no such path."""
WARNING_LIMIT = 256
OPENAPI_V3 = "/openapi/v3/"
_IMPERSONATION = "impersonate-"
DEPRECATED = {
    ("", "v1", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""Resources whose every use is answered with a warning."""


class Pipeline:
    def __init__(
        self, context: ServerContext, authenticator: Authenticator, paths: NonResource, metrics: RequestMetrics,
        *, speaks_cbor: bool = False,
    ) -> None:  # fmt: skip
        self._context = context
        self._authenticator = authenticator
        self._paths = paths
        self._metrics = metrics
        self._speaks_cbor = speaks_cbor

    async def __call__(self, request: Request) -> AnyResponse:
        started = time.perf_counter()
        info = request_info(request)
        warnings: list[str] = []
        try:
            response = await self._serve(request, info, warnings)
        except Exception as error:
            response = self._failed(request, error)
        if (
            "accept-encoding" in request.headers
            and isinstance(response, Response)
            and info.subresource != "proxy"
            and accepts_gzip(request)
        ):
            await compress(response)
        self._finish(request, response, warnings)
        stream = not isinstance(response, Response)
        code = 101 if isinstance(response, UpgradeResponse) else response.status
        self._metrics.observe(info, code, time.perf_counter() - started, stream=stream, dry_run="dryRun" in request.query)
        return response

    def _failed(self, request: Request, error: Exception) -> Response:
        known = translate(error)
        if known is None:
            log.exception("%s %s failed", request.method, request.path, exc_info=error)
            self._metrics.failed()
            known = InternalError.of("the server has met an unexpected condition")
        return error_response(request, known)

    async def _serve(self, request: Request, info: RequestInfo, warnings: list[str]) -> AnyResponse:
        user = await self._authenticator.authenticate(request) or ANONYMOUS
        authorizer = self._context.authorizer
        if _impersonates(request):
            user = await impersonate(request, user, info, authorizer, constrained=self._context.constrained_impersonation)
        decision = await authorizer.authorize(user, info)
        if not decision.allowed:
            if decision.error:
                return undecided(request, decision.error)
            raise self._denied(user, info, decision.reason)
        if self._context.aggregated and (elsewhere := self._elsewhere(info)) is not None:
            request.headers.setdefault("audit-id", _audit_id())
            return await (elsewhere.answer_openapi if info.path.startswith(OPENAPI_V3) else elsewhere.answer)(request, user)
        if not info.is_resource:
            return await self._paths(request, user) or page_not_found()
        key = info.group, info.version, info.resource
        served = self._context.served.get(key)
        if served is None or not _addressable(served, info):
            return page_not_found()
        if key in DEPRECATED:
            warnings.append(DEPRECATED[key])
        if served.deprecation:
            warnings.append(served.deprecation)
        if self._speaks_cbor:
            admit_cbor(request)
        call = Call(self._context, request, user, info, served, warnings)
        return await self._dispatch(call)

    def _elsewhere(self, info: RequestInfo) -> Elsewhere | None:
        """Who else answers for the group version that a request is about, be it for its discovery or OpenAPI document."""
        if info.is_resource:
            return self._context.aggregated.get((info.group, info.version))
        parts = info.path.removeprefix(OPENAPI_V3).strip("/").split("/")
        if parts[0] == "apis" and len(parts) == 3:
            return self._context.aggregated.get((parts[1], parts[2]))
        return self._context.aggregated.get(("", parts[1])) if parts[0] == "api" and len(parts) == 2 else None

    async def _dispatch(self, call: Call) -> AnyResponse:
        info = call.info
        if info.subresource:
            connect = self._context.connect.get((info.group, info.resource, info.subresource))
            if connect is not None:
                await asyncio.sleep(0)
                return await connect(call)
            if info.subresource not in call.served.resource.subresources:
                if call.served.custom:
                    raise call.served.missing(info.name)
                return page_not_found()
        verb = find_verb(call)
        if verb is None or _needs_namespace(call):
            return method_not_allowed()
        if is_long_yaml(call.request):
            call.request.body = await asyncio.to_thread(read_yaml, call.request.body)
        return await verb(call)

    def _denied(self, user: User, info: RequestInfo, reason: str) -> Forbidden:
        return forbidden(user, info, reason)

    def _finish(self, request: Request, response: AnyResponse, warnings: list[str]) -> None:
        if isinstance(response, UpgradeResponse):
            return
        headers = response.headers
        headers["audit-id"] = request.headers.get("audit-id") or _audit_id()
        headers.setdefault("cache-control", "no-cache, private")
        if warnings:
            lines = tuple(("warning", f'299 - "{_quotable(text)}"') for text in warnings[:WARNING_LIMIT])
            response.repeated_headers = (*response.repeated_headers, *lines)


def _impersonates(request: Request) -> bool:
    """A plain loop, as every request pays for it."""
    for name in request.headers:  # noqa: SIM110
        if name.startswith(_IMPERSONATION):
            return True
    return False


def _addressable(served: ServedResource, info: RequestInfo) -> bool:
    """Whether the URL's shape fits the resource's scope."""
    if served.resource.id.namespaced:
        return bool(info.namespace) or not info.name or info.verb in ("list", "watch")
    return not info.namespace or info.resource == "namespaces"


def _needs_namespace(call: Call) -> bool:
    info = call.info
    return call.served.resource.id.namespaced and not info.namespace and info.verb in ("create", "deletecollection")


def _quotable(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


class AuditIds:
    """Unique per request and cheap: random per process, then counted."""

    def __init__(self) -> None:
        digits = f"{random.getrandbits(80):020x}"
        self._prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-"
        self._count = itertools.count(random.getrandbits(40))

    def __call__(self) -> str:
        return f"{self._prefix}{next(self._count):012x}"


_audit_id = AuditIds()
