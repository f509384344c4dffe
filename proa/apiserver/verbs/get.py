"""GET of one object: from the cache, as the bytes that lie there. `resourceVersion` asks for a state not older than that."""

from proa.apiserver.call import Call
from proa.apiserver.options import parse_resource_version
from proa.lib.http.message import Response


async def get(call: Call) -> Response:
    asked = call.request.parameter("resourceVersion")
    if asked == "0":
        entry = call.served.objects.peek(call.key)
    else:
        entry = await call.served.objects.get(call.key, minimum_revision=parse_resource_version(asked) if asked else 0)
    if entry is None:
        raise call.served.missing(call.info.name)
    return call.entry_response(entry)
