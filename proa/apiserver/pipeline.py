"""The way of a request: who (authentication, impersonation), may it (authorization), what (verb), and how the answer looks.

`Pipeline` is the `Handler` of every listener and of the in-process client; there is no way around its authorization.
"""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from proa.api.errors import ApiError, Forbidden, InternalError, Unauthorized
from proa.apiserver.audit.record import AuditFailed, AuditRecord, Pending, attempted, recorded_stream, settled
from proa.apiserver.authn.impersonation import impersonate
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.call import Call, Connect, Elsewhere, ServerContext
from proa.apiserver.cbor_body import admit_cbor
from proa.apiserver.compression import accepts_gzip, compress
from proa.apiserver.deadline import asked_timeout
from proa.apiserver.decode import is_long_yaml, read_yaml
from proa.apiserver.failure import error_response, method_not_allowed, page_not_found, too_many_requests, translate, undecided
from proa.apiserver.fairness.fairness import Fairness
from proa.apiserver.fairness.flow import Flow, Rejected
from proa.apiserver.fairness.seat import Seat
from proa.apiserver.fairness.work import ONE_SEAT, is_long_running
from proa.apiserver.interface import ANONYMOUS, Authenticator, RequestInfo, User
from proa.apiserver.progress import Progress
from proa.apiserver.request_info import request_info
from proa.apiserver.request_metrics import RequestMetrics
from proa.apiserver.served import ServedResource
from proa.apiserver.stages import Stages
from proa.apiserver.verbs.table import Verb, find_verb
from proa.apiserver.warning_headers import warning_headers
from proa.lib.http.message import AnyResponse, Request, Response, UpgradeResponse
from proa.lib.http.server_pending import resume

log = logging.getLogger(__name__)

NonResource = Callable[[Request, User], Awaitable[AnyResponse | None]]
"""Answers a path outside of /api/VERSION and /apis/GROUP/VERSION; None if there is no such path."""
OPENAPI_V3 = "/openapi/v3/"
DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_IMPERSONATION = "impersonate-"


class Pipeline:
    """The stages in upstream's order: authentication, audit, impersonation, priority and fairness, authorization, verb."""

    def __init__(
        self, context: ServerContext, authenticator: Authenticator, paths: NonResource, metrics: RequestMetrics, stages: Stages,
        *, speaks_cbor: bool = False,
    ) -> None:  # fmt: skip
        self._context = context
        self._authenticator = authenticator
        self._paths = paths
        self._metrics = metrics
        self._speaks_cbor = speaks_cbor
        self._auditor, self._fairness, self._in_flight = stages.auditor, stages.fairness, stages.in_flight
        self._deadlines, self._timeout = stages.deadlines, stages.request_timeout

    async def __call__(self, request: Request) -> AnyResponse:
        started = time.perf_counter()
        info = request_info(request)
        progress = Progress()
        if is_long_running(info):
            progress.long_running = True
        failure: ApiError | None = None
        try:
            if progress.long_running or (info.verb == "get" and not request.query):
                response = await self._serve(request, info, progress)
            else:
                seconds = asked_timeout(request, self._timeout)
                response = await self._deadlines.timed(self._serve(request, info, progress), seconds)
        except Exception as error:
            failure = translate(error) or self._panicked(request, error)
            response = error_response(request, failure)
            await self._audit_failure(progress, request, response, failure, error)
            failure = None  # its traceback holds this frame, and so the request, until garbage is looked for
        else:
            if progress.record is not None and (pending := _audit_answer(progress.record, response, None)) is not None:
                await settled(pending)
        if (
            "accept-encoding" in request.headers
            and isinstance(response, Response)
            and info.subresource != "proxy"
            and accepts_gzip(request)
        ):
            await compress(response)
        self._finish(request, response, progress)
        self._metrics.observe(info, response, time.perf_counter() - started, dry_run="dryRun" in request.query)
        return response

    def _panicked(self, request: Request, error: Exception) -> InternalError:
        log.exception("%s %s failed", request.method, request.path, exc_info=error)
        self._metrics.failed()
        return InternalError.of("the server has met an unexpected condition")

    async def _serve(self, request: Request, info: RequestInfo, progress: Progress) -> AnyResponse:
        try:
            user = await self._authenticator.authenticate(request) or ANONYMOUS
        except Unauthorized:
            progress.anonymous_failure = True
            self._begin_audit(progress, request, None, info)
            raise
        if self._auditor is not None and (pending := self._begin_audit(progress, request, user, info)) is not None:
            await pending
        if _impersonates(request):
            context = self._context
            user = await impersonate(request, user, info, context.authorizer, constrained=context.constrained_impersonation)
            if progress.record is not None:
                progress.record.impersonate(user)
        fairness = self._fairness
        if fairness is None or (progress.long_running and info.verb != "watch"):
            return await self._limited(request, info, progress, user)
        flow = progress.flow = fairness.flow_of(user, info)
        if info.verb == "get" and flow.level.has_room:
            return await self._passing(fairness, flow, self._authorized(request, info, progress, user), user, info)
        work = ONE_SEAT if info.verb == "get" else fairness.estimate(flow, request, info)
        turn = flow.level.start(flow, work, user, info)
        if turn is None:
            try:
                turn = await fairness.queue(flow, work, user, info)
            except Rejected:
                return self._turned_away(info, fairness.retry_after(flow.level.name))
        if info.verb == "watch":
            return await self._watch(request, info, progress, user, Seat(turn))
        try:
            return await self._authorized(request, info, progress, user)
        finally:
            fairness.finish(turn)

    async def _passing(
        self, fairness: Fairness, flow: Flow, handler: Coroutine[Any, Any, AnyResponse], user: User, info: RequestInfo
    ) -> AnyResponse:  # fmt: skip
        """A GET that is answered from memory holds its seat for no time at all, as nobody else runs meanwhile. One that has to wait
        takes it when it begins to."""
        try:
            awaited = handler.send(None)
        except StopIteration as done:
            fairness.passed(flow)
            answer: AnyResponse = done.value
            return answer
        except BaseException:
            fairness.passed(flow)
            raise
        turn = flow.level.start(flow, ONE_SEAT, user, info)
        try:
            return await resume(handler, awaited)
        finally:
            if turn is not None:
                fairness.finish(turn)

    async def _watch(self, request: Request, info: RequestInfo, progress: Progress, user: User, seat: Seat) -> AnyResponse:
        """The seat is the stream's now, if there will be one."""
        progress.seat = seat
        response: AnyResponse | None = None
        try:
            response = await self._authorized(request, info, progress, user)
        finally:
            progress.seat = None
            if response is None or isinstance(response, Response):
                seat.release()
        return response

    async def _limited(self, request: Request, info: RequestInfo, progress: Progress, user: User) -> AnyResponse:
        """Without priority and fairness, and for what it doesn't concern."""
        limit = self._in_flight
        if limit is None or progress.long_running:
            return await self._authorized(request, info, progress, user)
        if not limit.enter(user, info):
            return self._turned_away(info, 1)
        try:
            return await self._authorized(request, info, progress, user)
        finally:
            limit.leave(info)

    def _turned_away(self, info: RequestInfo, seconds: int) -> Response:
        self._metrics.dropped(info)
        return too_many_requests(seconds)

    async def _authorized(self, request: Request, info: RequestInfo, progress: Progress, user: User) -> AnyResponse:
        decision = await self._context.authorizer.authorize(user, info)
        record = progress.record
        if record is not None:
            record.annotate(DECISION, "allow" if decision.allowed else "forbid")
            record.annotate(REASON, decision.reason)
        if not decision.allowed:
            if decision.error:
                return undecided(request, decision.error)
            raise self._denied(user, info, decision.reason)
        if self._context.aggregated and (elsewhere := self._elsewhere(info)) is not None:
            request.headers.setdefault("audit-id", _audit_id())
            return await (elsewhere.answer_openapi if info.path.startswith(OPENAPI_V3) else elsewhere.answer)(request, user)
        if not info.is_resource:
            return await self._paths(request, user) or page_not_found()
        served = self._context.served.get((info.group, info.version, info.resource))
        if served is None or not _addressable(served, info):
            return page_not_found()
        if self._speaks_cbor:
            admit_cbor(request)
        call = Call(self._context, request, user, info, served, progress.warnings, record)
        if served.deprecation:
            self._deprecated(call)
        if progress.seat is not None:
            call.initialized = progress.seat.release
        verb = self._verb(call)
        if isinstance(verb, Response):
            return verb
        if is_long_yaml(request):
            request.body = await asyncio.to_thread(read_yaml, request.body)
        return await verb(call)

    def _deprecated(self, call: Call) -> None:
        call.warn(call.served.deprecation)
        call.annotate("k8s.io/deprecated", "true")
        if call.served.removed_release:
            call.annotate("k8s.io/removed-release", call.served.removed_release)
        self._metrics.deprecated(call.info, call.served.removed_release)

    def _elsewhere(self, info: RequestInfo) -> Elsewhere | None:
        """Who else answers for the group version that a request is about, be it for its discovery or OpenAPI document."""
        if info.is_resource:
            return self._context.aggregated.get((info.group, info.version))
        parts = info.path.removeprefix(OPENAPI_V3).strip("/").split("/")
        if parts[0] == "apis" and len(parts) == 3:
            return self._context.aggregated.get((parts[1], parts[2]))
        return self._context.aggregated.get(("", parts[1])) if parts[0] == "api" and len(parts) == 2 else None

    def _verb(self, call: Call) -> Verb | Response:
        """What answers the call, or the answer that there is no such thing."""
        info = call.info
        if info.subresource:
            connect = self._context.connect.get((info.group, info.resource, info.subresource))
            if connect is not None:
                return _connecting(connect)
            if info.subresource not in call.served.resource.subresources:
                if call.served.custom:
                    raise call.served.missing(info.name)
                return page_not_found()
        verb = find_verb(call)
        return method_not_allowed() if verb is None or _needs_namespace(call) else verb

    def _denied(self, user: User, info: RequestInfo, reason: str) -> Forbidden:
        return forbidden(user, info, reason)

    # -- audit

    def _begin_audit(self, progress: Progress, request: Request, user: User | None, info: RequestInfo) -> Pending:
        """Raises InternalError if the request must not go on unrecorded."""
        if self._auditor is None:
            return None
        audit_id = request.headers.setdefault("audit-id", _audit_id())
        record = self._auditor.record(audit_id, user, request, info, long_running=progress.long_running)
        if record is None or user is None:
            progress.record = record
            return None
        try:
            pending = record.received()
        except AuditFailed:
            raise self._unrecorded() from None
        progress.record = record
        return None if pending is None else self._recorded(pending)

    async def _recorded(self, pending: Awaitable[None]) -> None:
        try:
            await pending
        except AuditFailed:
            raise self._unrecorded() from None

    def _unrecorded(self) -> InternalError:
        if self._auditor is not None:
            self._auditor.metrics.rejected[0] += 1
        return InternalError.of("failed to store audit event")

    async def _audit_failure(
        self, progress: Progress, request: Request, response: Response, failure: ApiError, error: Exception
    ) -> None:  # fmt: skip
        record = progress.record
        if record is None:
            return
        if progress.anonymous_failure:
            await settled(record.failed_authentication(response, attempted(request)))
        elif translate(error) is None:
            await settled(record.panicked(error))
        else:
            await settled(_audit_answer(record, response, failure))

    def _finish(self, request: Request, response: AnyResponse, progress: Progress) -> None:
        if isinstance(response, UpgradeResponse):
            return
        headers = response.headers
        record, flow, warnings = progress.record, progress.flow, progress.warnings
        headers["audit-id"] = record.audit_id if record is not None else request.headers.get("audit-id") or _audit_id()
        headers.setdefault("cache-control", "no-cache, private")
        if flow is not None:
            headers["x-kubernetes-pf-flowschema-uid"] = flow.schema_uid
            headers["x-kubernetes-pf-prioritylevel-uid"] = flow.level_uid
        if warnings:
            response.repeated_headers = (*response.repeated_headers, *warning_headers(warnings))


def _connecting(connect: Connect) -> Verb:
    """A stream begins in a task of its own."""

    async def answer(call: Call) -> AnyResponse:
        await asyncio.sleep(0)
        return await connect(call)

    return answer


def _audit_answer(record: AuditRecord, response: AnyResponse, failure: ApiError | None) -> Pending:
    if record.long_running and not isinstance(response, Response):
        response.run = recorded_stream(response.run, record)
    return record.answered(response, failure.to_status() if failure is not None else None)


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


class AuditIds:
    """Unique per request and cheap: random per process, then counted."""

    def __init__(self) -> None:
        digits = f"{random.getrandbits(80):020x}"
        self._prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-"
        self._count = itertools.count(random.getrandbits(40))

    def __call__(self) -> str:
        return f"{self._prefix}{next(self._count):012x}"


_audit_id = AuditIds()
