"""What is answered outside of resources: discovery, OpenAPI, version, health, metrics, the keys of service-account tokens.

Documents are encoded once and kept until the set of resources changes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.discovery.aggregated import api_group_discovery_list, content_type, etag, wanted_form
from proa.apiserver.discovery.documents import api_group, api_group_list, api_resource_list, api_versions
from proa.apiserver.discovery.groups import NOTHING, Registered
from proa.apiserver.encode import to_media
from proa.apiserver.failure import method_not_allowed
from proa.apiserver.health import Health
from proa.apiserver.interface import User
from proa.apiserver.negotiation import PROTOBUF, negotiate_for
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.metrics import Registry

Static = Callable[[], Any]


class Subtree(Protocol):
    """Answers everything below its prefix."""

    def __call__(self, request: Request, path: str) -> Response | None: ...

    def forget(self) -> None: ...


class Paths:
    """The `NonResource` of the pipeline."""

    def __init__(
        self,
        resources: Callable[[], Sequence[Resource]],
        server_address: str,
        documents: Mapping[str, Static],
        health: Sequence[Health],
        metrics: Registry,
        subtrees: Mapping[str, Subtree],
        registered: Callable[[], Registered] = lambda: NOTHING,
    ) -> None:
        self._resources = resources
        self._registered = registered
        self._server_address = server_address
        self._documents = dict(documents)
        self._health = {each.name: each for each in health}
        self._metrics = metrics
        self._cache: dict[str, tuple[bytes, str]] = {}
        self._subtrees = dict(subtrees)

    def forget(self) -> None:
        """The set of resources has changed."""
        self._cache.clear()
        for subtree in self._subtrees.values():
            subtree.forget()

    def forget_discovery(self) -> None:
        """Only the order of what is served is another, or what other servers serve."""
        self._cache.clear()

    async def __call__(self, request: Request, user: User) -> AnyResponse | None:
        path = request.path.rstrip("/") or "/"
        for prefix, handler in self._subtrees.items():
            if path == prefix or path.startswith(prefix + "/"):
                return handler(request, path)
        head, _, rest = path[1:].partition("/")
        if head in self._health:
            return self._health[head].answer(request, rest)
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed() if self._known(path) else None
        if path == "/metrics":
            return Response(200, {"content-type": "text/plain; version=0.0.4; charset=utf-8"}, self._metrics.render())
        if path in ("/api", "/apis"):
            return self._group_list(request, path)
        document = self._document(path)
        return None if document is None else self._answer(request, document)

    def _known(self, path: str) -> bool:
        return path in self._documents or path in ("/api", "/apis", "/metrics", "/")

    def _document(self, path: str) -> Any:
        if path == "/":
            return {"paths": self._paths()}
        if path in self._documents:
            return self._documents[path]()
        parts = path[1:].split("/")
        if parts[0] == "api" and len(parts) == 2:
            return api_resource_list(self._resources(), "", parts[1])
        if parts[0] == "apis" and len(parts) == 2:
            return api_group(self._resources(), parts[1], self._registered())
        if parts[0] == "apis" and len(parts) == 3:
            return api_resource_list(self._resources(), parts[1], parts[2])
        return None

    def _answer(self, request: Request, document: Any) -> Response:
        if isinstance(document, Response):
            return document
        encoding = negotiate_for(request, document)
        return Response(200, {"content-type": encoding.media_type}, to_media(document, encoding))

    def _group_list(self, request: Request, path: str) -> Response:
        wanted = wanted_form(request.headers.get("accept", ""))
        if wanted is None:
            plain = api_versions(self._server_address) if path == "/api" else api_group_list(self._resources(), self._registered())
            return self._answer(request, plain)
        media_type, version = wanted
        body, tag = self._aggregated(path, media_type, version)
        headers = {"content-type": content_type(media_type, version), "etag": tag, "vary": "Accept", "cache-control": "public"}
        if request.headers.get("if-none-match") == tag:
            return Response(304, headers)
        return Response(200, headers, body)

    def _aggregated(self, path: str, media_type: str, version: str) -> tuple[bytes, str]:
        key = f"{path} {media_type} {version}"
        if key not in self._cache:
            core, registered = path == "/api", self._registered()
            document = api_group_discovery_list(self._resources(), core=core, version=version, registered=registered)
            body = _packed(document) if media_type == PROTOBUF else orjson.dumps(document)
            self._cache[key] = body, etag(body)
        return self._cache[key]

    def _paths(self) -> list[str]:
        resources = self._resources()
        found = {"/api", "/apis", "/healthz", "/livez", "/readyz", "/metrics", "/version", *self._documents}
        found |= {f"/api/{each.id.version}" for each in resources if not each.id.group}
        found |= {f"/apis/{each.id.group}" for each in resources if each.id.group}
        found |= {f"/apis/{each.id.group}/{each.id.version}" for each in resources if each.id.group}
        for group, version in self._registered().remote:
            found |= {f"/apis/{group}", f"/apis/{group}/{version}"}
        return sorted(found)


def _packed(document: Object) -> bytes:
    """In protobuf; v2beta1 has the messages of v2."""
    from proa.api.protobuf.codec import encode
    from proa.api.protobuf.envelope import definition_of, wrap

    kind = document["kind"]
    return wrap(document["apiVersion"], kind, encode(definition_of("apidiscovery.k8s.io/v2", kind), document))
