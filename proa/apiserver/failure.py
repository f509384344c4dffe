"""A failed request as an answer: every error becomes a Status in the form that the client reads; nothing else of the server shows."""

import orjson

from proa.api.errors import ApiError, BadRequest, InternalError, NotAcceptable
from proa.api.meta import Object
from proa.apiserver.encode import to_media
from proa.apiserver.negotiation import PLAIN, negotiate_for
from proa.apiserver.options import too_large_revision
from proa.apiserver.verbs.list import ExpiredPage
from proa.lib.http.message import Request, Response
from proa.storage.interface import FutureRevision, Unavailable


def error_response(request: Request, error: ApiError) -> Response:
    status = error.to_status()
    if isinstance(error, ExpiredPage):
        status["metadata"] = {"continue": error.token}
    try:
        encoding = negotiate_for(request, status)
    except NotAcceptable:
        encoding = PLAIN
    response = Response(error.status_code, {"content-type": encoding.media_type}, to_media(status, encoding))
    after = (status.get("details") or {}).get("retryAfterSeconds")
    if after:
        response.headers["retry-after"] = str(after)
    if error.status_code == 401:
        response.headers["www-authenticate"] = 'Bearer realm="kubernetes-master"'
    if error.status_code == 403:
        response.headers["x-content-type-options"] = "nosniff"
    return response


def translate(error: Exception) -> ApiError | None:
    """Errors of the layers below as API errors; None for what nobody foresaw."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RecursionError):
        return BadRequest("the object is nested too deeply")
    if isinstance(error, FutureRevision):
        return too_large_revision(0, error.current)
    if isinstance(error, Unavailable):
        return InternalError.of(str(error) or "the store is not available")
    return None


def refusal(status: int, message: str) -> Response:
    """What the HTTP server itself turns away, as a Status."""
    reasons = {400: "BadRequest", 408: "Timeout", 413: "RequestEntityTooLarge", 431: "RequestHeaderFieldsTooLarge", 500: "InternalError"}
    document: Object = ApiError(message, code=status, reason=reasons.get(status, "")).to_status()
    return Response(status, {"content-type": "application/json"}, orjson.dumps(document))


def page_not_found() -> Response:
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(404, headers, b"404 page not found\n")


def too_many_requests(seconds: int) -> Response:
    """Plain text, as upstream's: client libraries make a Status TooManyRequests of the code."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", "retry-after": str(seconds)}
    return Response(429, headers, b"Too many requests, please try again later.\n")


def method_not_allowed() -> Response:
    return Response(405, {"content-type": "text/plain; charset=utf-8"}, b"405: Method Not Allowed")


def undecided(request: Request, why: str) -> Response:
    """Nobody could say whether the request may be: as upstream words it, which is not with a Status."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    target = request.raw_path + (f"?{request.raw_query}" if request.raw_query else "")
    return Response(500, headers, f'Internal Server Error: "{target}": {why}\n'.encode())
