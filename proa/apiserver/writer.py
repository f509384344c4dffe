"""How the server's own parts write: ordinary requests through the whole chain, as the server's own identity, without a socket."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from proa.api.errors import ApiError, InternalError
from proa.api.meta import Object
from proa.apiserver.interface import MASTERS_GROUP
from proa.lib.http.message import Handler, Request, Response

IDENTITY = "system:apiserver"


class ChainWriter:
    """The `ObjectWriter`. The handler is set once the chain is complete."""

    def __init__(self) -> None:
        self.handler: Handler | None = None

    async def request(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Object:
        """The answer's object; raises the ApiError that its Status describes."""
        if self.handler is None:
            raise RuntimeError("the API server is not assembled yet")
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = Request(
            method=method,
            path=path,
            query={key: [value] for key, value in (query or {}).items()},
            headers={
                "content-type": content_type,
                "accept": "application/json",
                "user-agent": "kube-apiserver",
                "x-remote-user": IDENTITY,
                "x-remote-group": MASTERS_GROUP,
            },
            body=b"" if body is None else orjson.dumps(body),
            raw_path=quote(path, safe="/:"),
            peer="unix",
        )
        response = await self.handler(request)
        if not isinstance(response, Response):
            raise InternalError.of(f"{method} {path} answers with a stream")
        document: Object = orjson.loads(response.body if isinstance(response.body, bytes) else b"".join(response.body))
        if response.status >= 400:
            raise ApiError.from_status(document)
        return document
