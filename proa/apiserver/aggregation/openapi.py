"""The OpenAPI documents of one group version that another server answers for.

Its v2 document joins this server's own. Its v3 document is passed on when somebody asks for it, only its place in the index is kept; for a
server without v3 it is made of v2.
"""

import hashlib
from typing import Any

import orjson

from proa.api.meta import Object
from proa.apiserver.aggregation.remote import BadTrust, RemoteApi
from proa.apiserver.openapi.foreign import as_v3, only
from proa.apiserver.outbound import Unresolved
from proa.lib.http.client import HttpResponse
from proa.lib.http.message import Request, Response


class RemoteOpenApi:
    """`v2` has just the paths and definitions of the group version; `index_entry` is its serverRelativeURL in the index of v3."""

    def __init__(self, group: str, version: str) -> None:
        self._path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        self._version = version
        self._etags: dict[str, str] = {}
        self._made = b""
        self._passed_on = ""
        self.v2: Object | None = None

    @property
    def document_path(self) -> str:
        return self._path.removeprefix("/")

    @property
    def index_entry(self) -> str:
        if self._passed_on or not self._made:
            return self._passed_on
        return f"/openapi/v3{self._path}?hash={hashlib.sha512(self._made).hexdigest().upper()}"

    async def refresh(self, remote: RemoteApi) -> bool:
        """Whether anything is another now. A server without documents is a server without documents."""
        before = self.v2, self.index_entry
        try:
            await self._read_index(remote)
            await self._read_v2(remote)
        except (OSError, Unresolved, BadTrust, ValueError, KeyError, TypeError, AttributeError):
            return before != (self.v2, self.index_entry)
        return before != (self.v2, self.index_entry)

    async def _read_index(self, remote: RemoteApi) -> None:
        answer = await self._fetch(remote, "/openapi/v3")
        if answer.status == 304:
            return
        entries: Any = orjson.loads(answer.body).get("paths") or {} if answer.status == 200 else {}
        self._passed_on = str((entries.get(self.document_path) or {}).get("serverRelativeURL", ""))

    async def _read_v2(self, remote: RemoteApi) -> None:
        answer = await self._fetch(remote, "/openapi/v2")
        if answer.status != 200:
            return
        found = only(orjson.loads(answer.body), self._path)
        _check(found)
        self.v2 = found
        self._made = b"" if self._passed_on else orjson.dumps(as_v3(found, self._version))

    async def _fetch(self, remote: RemoteApi, path: str) -> HttpResponse:
        answer = await remote.fetch(path, "application/json", self._etags.get(path, ""))
        if answer.status == 200:
            self._etags[path] = answer.headers.get("etag", "")
        return answer

    def response(self, request: Request) -> Response | None:
        """The document that was made of v2; None where the server has its own."""
        if self._passed_on or not self._made:
            return None
        etag = f'"{self.index_entry.rpartition("=")[2]}"'
        headers = {"content-type": "application/json", "etag": etag, "vary": "Accept"}
        if request.headers.get("if-none-match") == etag:
            return Response(304, headers)
        return Response(200, headers, self._made)


def _check(document: Object) -> None:
    """Raises for what has no place in this server's document: it would make the whole of it unreadable."""
    from proa.apiserver.openapi.gnostic import encode_v2

    empty = {"swagger": "2.0", "info": {"title": "", "version": ""}, "parameters": {}, "securityDefinitions": {}, "security": []}
    encode_v2(empty | document)
