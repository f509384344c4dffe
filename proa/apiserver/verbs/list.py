"""LIST: resourceVersion semantics, selectors and pages; the answer is pieces of what the cache holds.

Source: "Resource versions" in the Kubernetes API concepts (the table of resourceVersion, resourceVersionMatch, limit and continue).
"""

from dataclasses import replace
from typing import Literal

from proa.api.errors import BadRequest, Expired
from proa.apiserver.call import Call
from proa.apiserver.encode import list_body
from proa.apiserver.options import ListOptions, list_options, too_large_revision
from proa.apiserver.registry.selectable_fields import check_selectable
from proa.lib.http.message import Response
from proa.storage.continue_token import inconsistent
from proa.storage.interface import Compacted, FutureRevision, Listing

TOO_OLD_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token "
    "results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and "
    "now may show up in the list."
)
TOO_OLD = "The resourceVersion for the provided list is too old."


class ExpiredPage(Expired):
    """Carries the token with which a client may go on inconsistently (Status.metadata.continue)."""

    def __init__(self, token: str) -> None:
        super().__init__(TOO_OLD_PAGE)
        self.token = token


async def list_objects(call: Call) -> Response:
    options = selection(call, watching=False)
    encoding = call.encoding()
    listing = await find(call, options)
    body = await list_body(call.served, listing, encoding, call.tabulator)
    return Response(200, {"content-type": encoding.media_type}, body)


def selection(call: Call, *, watching: bool) -> ListOptions:
    """The options with their fields named as the stored object has them; raises BadRequest for what can't be selected by."""
    options, resource = list_options(call.request, watching=watching), call.served.resource
    if not options.fields:
        return options
    check_selectable(resource, options.fields, custom=call.served.custom)
    return replace(options, fields=options.fields.renamed(resource.stored_field_labels))


def scope_of(call: Call, options: ListOptions) -> str:
    """The prefix of keys that can match."""
    if not call.served.resource.id.namespaced:
        return ""
    namespace = call.namespace or options.fields.exact("metadata.namespace") or ""
    return f"{namespace}/" if namespace else ""


async def find(call: Call, options: ListOptions) -> Listing:
    """Raises Expired, BadRequest; FutureRevision is answered by the pipeline."""
    limit, revision = options.limit, options.resource_version
    match: Literal["", "NotOlderThan", "Exact"] = options.match  # type: ignore[assignment]
    if options.continue_token:
        if revision:
            raise BadRequest("specifying resource version is not allowed when using continue")
        revision = None
    elif revision == 0 and match != "Exact":
        limit = 0
    elif revision and limit and not match:
        match = "Exact"
    try:
        return await call.served.objects.list(
            scope_of(call, options),
            predicate=options.predicate(),
            limit=limit,
            continue_token=options.continue_token,
            revision=revision or 0,
            match=match,
        )
    except Compacted:
        if options.continue_token:
            raise ExpiredPage(inconsistent(options.continue_token)) from None
        raise Expired(TOO_OLD) from None
    except FutureRevision as error:
        raise too_large_revision(revision or 0, error.current) from None
    except ValueError as error:
        raise BadRequest(f"invalid continue token: {error}") from None
