"""The audit record of one request on its way: whoever learns something worth recording tells it, and each stage goes to the sink.

This is the one seam for audit annotations: admission plugins reach it through `Attributes.add_audit_annotation`, which is `Call.annotate`.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson

from proa.api.meta import Object
from proa.apiserver.audit.event import complete_reference, sent_object, user_info, without_managed_fields
from proa.apiserver.audit.policy import METADATA, REQUEST, REQUEST_RESPONSE, Recording
from proa.apiserver.interface import User
from proa.lib.http.message import AnyResponse, Request, Response, UpgradeResponse

log = logging.getLogger(__name__)

PATCHES = "patch.webhook.admission.k8s.io/"
_STATUS_MEMBERS = ("status", "message", "reason", "details", "code")
Pending = Awaitable[None] | None
"""None: the event has been taken."""


class AuditFailed(Exception):
    """The event could not be stored, and the mode is strict."""


class Sink(Protocol):
    def now(self) -> str: ...

    def emit(self, event: dict[str, Any]) -> Pending:
        """Raises AuditFailed, at once or when awaited."""
        ...


class AuditRecord:
    __slots__ = ("_annotations", "_event", "_sink", "_started", "long_running", "recording")

    def __init__(self, sink: Sink, recording: Recording, event: dict[str, Any], *, long_running: bool) -> None:
        self._sink, self._event = sink, event
        self._annotations: dict[str, str] = {}
        self._started = False
        self.recording = recording
        self.long_running = long_running

    @property
    def audit_id(self) -> str:
        return str(self._event["auditID"])

    # -- what is learned on the way

    def annotate(self, key: str, value: str) -> None:
        """The first word about a key counts. What a webhook has patched is part of the object: it is told where objects are."""
        if key.startswith(PATCHES) and self.recording.level < REQUEST:
            return
        present = self._annotations.setdefault(key, value)
        if present is not value and present != value:
            log.warning("audit annotation %s is %r already, not %r", key, present, value)

    def impersonate(self, user: User) -> None:
        self._event["impersonatedUser"] = user_info(user)

    def request_object(self, obj: Object) -> None:
        complete_reference(self._event, obj)
        if (sent := sent_object(obj, self.recording)) is not None:
            self._event["requestObject"] = sent

    def request_patch(self, patch: Any) -> None:
        if self.recording.level >= REQUEST:
            self._event["requestObject"] = orjson.Fragment(orjson.dumps(patch))

    # -- stages

    def received(self) -> Pending:
        return self._emit("RequestReceived", self._event["requestReceivedTimestamp"])

    def answered(self, response: AnyResponse, status: Object | None) -> Pending:
        """`status` is the Status of a failure. A long-running request has a stage of its own for the beginning of its answer."""
        code = 101 if isinstance(response, UpgradeResponse) else response.status
        self._event["responseStatus"] = _bounded(status, code) if status is not None else {"metadata": {}, "code": code}
        if self.long_running:
            self._started = True
            pending = self._emit("ResponseStarted")
            if not isinstance(response, Response):
                return pending
        if isinstance(response, Response):
            self._take_body(response)
        return self.completed()

    def completed(self) -> Pending:
        return self._emit("ResponseComplete")

    def failed_authentication(self, response: Response, message: str) -> Pending:
        self._event["responseStatus"] = {"metadata": {}, "message": message, "code": response.status}
        return self._emit("ResponseStarted")

    def panicked(self, error: Exception) -> Pending:
        status = {"status": "Failure", "message": f"APIServer panic'd: {error}", "reason": "InternalError", "code": 500}
        self._event["responseStatus"] = {"metadata": {}, **status}
        return self._emit("Panic")

    def _emit(self, stage: str, now: str = "") -> Pending:
        if stage in self.recording.omitted_stages:
            return None
        event = self._event
        event["stage"] = stage
        event["stageTimestamp"] = now or self._sink.now()
        if self._annotations:
            event["annotations"] = self._annotations
        try:
            return self._sink.emit(event)
        except AuditFailed:
            if stage == "RequestReceived":
                raise
            return None

    def _take_body(self, response: Response) -> None:
        """The answer as the level wants it; a Status that was answered is told at every level."""
        level = self.recording.level
        body = response.body
        is_status = isinstance(body, bytes) and body.startswith(b'{"kind":"Status"')
        if level < METADATA or not (is_status or level >= REQUEST_RESPONSE):
            return
        answered = _decoded(response)
        if answered is None:
            return
        if is_status:
            self._event["responseStatus"] = _bounded(answered, response.status)
        if level >= REQUEST_RESPONSE:
            kept = without_managed_fields(answered) if self.recording.omit_managed_fields else answered
            self._event["responseObject"] = orjson.Fragment(orjson.dumps(kept))


def _bounded(status: Object, code: int) -> Object:
    return {"metadata": {}, "code": code} | {key: status[key] for key in _STATUS_MEMBERS if status.get(key)}


def _decoded(response: Response) -> Any:
    """The answer's object whatever form it took; None for what is no object."""
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    kind = response.headers.get("content-type", "").partition(";")[0]
    try:
        if kind == "application/json":
            return orjson.loads(body)
        if kind == "application/cbor":
            import cbor2

            return cbor2.loads(body)
        if kind == "application/vnd.kubernetes.protobuf":
            from proa.api.protobuf.envelope import decode_object

            return decode_object(body)
        if kind == "application/yaml":
            import yaml

            return yaml.safe_load(body)
    except Exception as error:
        log.warning("an answer could not be read for the audit log: %s", error)
    return None


async def settled(pending: Pending) -> None:
    """What fails after the request has begun is not told to the client."""
    with contextlib.suppress(AuditFailed):
        if pending is not None:
            await pending


def recorded_stream(run: Callable[[Any], Awaitable[None]], record: AuditRecord) -> Callable[[Any], Awaitable[None]]:
    """The same stream, whose end is the last stage of its record."""

    async def recorded(peer: Any) -> None:
        try:
            await run(peer)
        finally:
            await settled(record.completed())

    return recorded


def attempted(request: Request) -> str:
    """How somebody tried to authenticate."""
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    methods = [scheme.lower()] if scheme.lower() in ("basic", "bearer") and credentials else []
    if request.parameter("access_token").strip():
        methods.append("access_token")
    if request.certificate is not None:
        methods.append("x509")
    return f"Authentication failed, attempted: {', '.join(methods)}" if methods else "Authentication failed, no credentials provided"
