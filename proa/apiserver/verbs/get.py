"""GET of one object: from the cache, as the bytes that lie there. `resourceVersion` asks for a state not older than that."""

from proa.apiserver.call import Call
from proa.apiserver.options import parse_resource_version, too_large_revision
from proa.lib.http.message import Response
from proa.storage.interface import Entry, FutureRevision


async def get(call: Call) -> Response:
    asked = call.request.parameter("resourceVersion")
    if asked == "0" and not call.served.custom:
        entry = call.served.objects.peek(call.key)
    else:
        entry = await _at_least(call, parse_resource_version(asked) if asked else 0)
    if entry is None:
        raise call.served.missing(call.info.name)
    return call.entry_response(entry)


async def _at_least(call: Call, revision: int) -> Entry | None:
    try:
        return await call.served.objects.get(call.key, minimum_revision=revision)
    except FutureRevision as error:
        raise too_large_revision(revision, error.current) from None
