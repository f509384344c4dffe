"""Removes requests that nobody needs any more: decided ones after an hour, those that nobody decides after a day, issued certificates once
they have expired, and requests of pods' certificates after fifteen minutes, as a kubelet asks anew.
"""

import base64
from datetime import datetime

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import CERTIFICATE_SIGNING_REQUESTS, POD_CERTIFICATE_REQUESTS
from proa.api.meta import Object
from proa.api.pem import blocks, parse_certificate
from proa.api.resource import ResourceId
from proa.controllers.context import ControllerContext
from proa.lib.clock import parse_time
from proa.runtime.periodic import Periodic

INTERVAL, POD_INTERVAL = 600.0, 60.0
DECIDED_SECONDS, UNDECIDED_SECONDS, POD_SECONDS = 3600.0, 86400.0, 900.0


def is_over(request: Object, now: datetime) -> bool:
    status = request.get("status") or {}
    conditions = [each for each in status.get("conditions") or () if each.get("type") in ("Approved", "Denied", "Failed")]
    if not conditions:
        return _age(request["metadata"].get("creationTimestamp"), now) > UNDECIDED_SECONDS
    return any(_age(each.get("lastUpdateTime"), now) > DECIDED_SECONDS for each in conditions) or _has_expired(status, now)


def _has_expired(status: Object, now: datetime) -> bool:
    if not status.get("certificate"):
        return False
    found = blocks(base64.b64decode(status["certificate"]).decode("latin-1"))
    try:
        return bool(found) and parse_certificate(found[0].der).not_valid_after_utc < now
    except ValueError:
        return False


def _age(since: str | None, now: datetime) -> float:
    return (now - parse_time(since)).total_seconds() if since else 0.0


def build(context: ControllerContext) -> Periodic:
    requests = context.informers.informer(CERTIFICATE_SIGNING_REQUESTS)

    async def clean() -> None:
        for request in requests.lister.list():
            if is_over(request, context.clock.now()):
                await _delete(context, CERTIFICATE_SIGNING_REQUESTS, request)

    return Periodic(context.name, INTERVAL, clean, context.clock)


def build_for_pods(context: ControllerContext) -> Periodic:
    requests = context.informers.informer(POD_CERTIFICATE_REQUESTS)

    async def clean() -> None:
        for request in requests.lister.list():
            if _age(request["metadata"].get("creationTimestamp"), context.clock.now()) >= POD_SECONDS:
                await _delete(context, POD_CERTIFICATE_REQUESTS, request)

    return Periodic(context.name, POD_INTERVAL, clean, context.clock)


async def _delete(context: ControllerContext, resource: ResourceId, request: Object) -> None:
    try:
        await context.client.delete(resource, meta.name(request), meta.namespace(request), uid=meta.uid(request))
    except NotFound:
        return
