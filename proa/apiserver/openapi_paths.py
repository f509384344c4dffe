"""/openapi/v2 and /openapi/v3: the encoded documents of what is served now, with entity tags so that clients keep them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proa.api.resource import Resource
from proa.api.schema import Schema
from proa.apiserver.failure import method_not_allowed
from proa.apiserver.openapi.documents import EncodedDocument, ForeignDocuments, OpenApiDocuments
from proa.lib.http.message import Request, Response


class OpenApiPaths:
    """Handles everything below /openapi. Documents are made when first asked for; `forget` drops them when resources change."""

    def __init__(
        self, schema: Schema, resources: Callable[[], Sequence[Resource]], version: str,
        custom_definitions: Callable[[], Mapping[str, Any]] = dict,
        foreign: Callable[[], Sequence[ForeignDocuments]] = tuple,
    ) -> None:  # fmt: skip
        self._schema = schema
        self._resources = resources
        self._version = version
        self._custom_definitions = custom_definitions
        self._foreign = foreign
        self._documents: OpenApiDocuments | None = None

    def forget(self) -> None:
        self._documents = None

    def __call__(self, request: Request, path: str) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed()
        if self._documents is None:
            self._documents = OpenApiDocuments(self._resources(), self._schema, self._version, self._custom_definitions(), self._foreign())
        documents = self._documents
        if path == "/openapi/v2":
            return _answer(request, documents.v2(request.headers.get("accept", "")))
        if path == "/openapi/v3":
            return _answer(request, documents.v3_index)
        found = documents.v3(path.removeprefix("/openapi/v3/")) if path.startswith("/openapi/v3/") else None
        if found is None:
            return None
        stated = request.query.get("hash")
        if stated and f'"{stated[0]}"' != found.etag:
            return Response(301, {"location": f"{path}?hash={found.etag.strip(chr(34))}"})
        answer = _answer(request, found)
        if stated:
            answer.headers["cache-control"] = "public, immutable"
        return answer


def _answer(request: Request, document: EncodedDocument) -> Response:
    headers = {"content-type": document.content_type, "etag": document.etag, "vary": "Accept"}
    if request.headers.get("if-none-match") == document.etag:
        return Response(304, headers)
    return Response(200, headers, document.body)
