"""DELETE of a collection: each object that the selectors match, one by one, as if deleted by name; answers with the list of them."""

from proa.api.errors import NotFound
from proa.apiserver.call import Call
from proa.apiserver.encode import list_body
from proa.apiserver.verbs.delete import read_options
from proa.apiserver.verbs.list import find, selection
from proa.apiserver.verbs.removal import remove
from proa.lib.http.message import Response


async def delete_collection(call: Call) -> Response:
    selected = selection(call, watching=False)
    options = read_options(call)
    encoding = call.encoding()
    listing = await find(call, selected)
    for entry in listing.entries:
        try:
            await remove(call, entry.key, entry.key.rpartition("/")[2], options)
        except NotFound:
            continue
    body = await list_body(call.served, listing, encoding, call.tabulator)
    return Response(200, {"content-type": encoding.media_type}, body)
