"""The `Client` interface over any transport: verbs to HTTP requests, Status answers to errors, lines of a watch to events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.interface import APPLY_PATCH, MERGE_PATCH, ObjectList, WatchEvent
from proa.client.transport import Headers, StreamedAnswer, Transport

JSON = "application/json"
_PARTIAL = "application/json;as={};v=v1;g=meta.k8s.io,application/json"


class VerbClient:
    """A `Client`; its makings differ only in their transport."""

    def __init__(self, transport: Transport, *, user_agent: str = "proa") -> None:
        self._transport = transport
        self._headers: Headers = (("user-agent", user_agent),)

    async def get(self, resource: ResourceId, name: str, namespace: str = "", *, subresource: str = "") -> Object:
        return await self._call("GET", resource.path(namespace, name, subresource))

    async def list(
        self, resource: ResourceId, namespace: str = "", *, label_selector: str = "", field_selector: str = "",
        limit: int = 0, continue_token: str = "", resource_version: str = "", metadata_only: bool = False,
    ) -> ObjectList:  # fmt: skip
        query = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "limit": str(limit or ""),
            "continue": continue_token,
            "resourceVersion": resource_version,
        }
        accept = _PARTIAL.format("PartialObjectMetadataList") if metadata_only else JSON
        answer = await self._call("GET", resource.path(namespace), query, accept=accept)
        listed = answer.get("metadata") or {}
        items: list[Object] = answer.get("items") or []
        identity = ("meta.k8s.io/v1", "PartialObjectMetadata") if metadata_only else (resource.api_version, resource.kind)
        for item in items:
            item["apiVersion"], item["kind"] = identity
        return ObjectList(items, listed.get("resourceVersion", ""), listed.get("continue") or "")

    async def create(self, resource: ResourceId, obj: Object, *, name: str = "", namespace: str = "", subresource: str = "") -> Object:
        scope = namespace or meta.namespace(obj)
        return await self._call("POST", resource.path(scope, name if subresource else "", subresource), body=obj)

    async def update(self, resource: ResourceId, obj: Object, *, subresource: str = "") -> Object:
        return await self._call("PUT", resource.path(meta.namespace(obj), meta.name(obj), subresource), body=obj)

    async def patch(
        self, resource: ResourceId, name: str, patch: Any, namespace: str = "", *, patch_type: str = MERGE_PATCH,
        subresource: str = "", field_manager: str = "", force: bool = False,
    ) -> Object:  # fmt: skip
        query = {"fieldManager": field_manager, "force": "true" if force and patch_type == APPLY_PATCH else ""}
        return await self._call("PATCH", resource.path(namespace, name, subresource), query, body=patch, content_type=patch_type)

    async def delete(
        self, resource: ResourceId, name: str, namespace: str = "", *, uid: str = "", resource_version: str = "",
        grace_period_seconds: int | None = None, propagation_policy: str = "",
    ) -> Object:  # fmt: skip
        preconditions = {key: value for key, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
        options = {
            "preconditions": preconditions or None,
            "gracePeriodSeconds": grace_period_seconds,
            "propagationPolicy": propagation_policy or None,
        }
        body = {"kind": "DeleteOptions", "apiVersion": "v1"} | {key: value for key, value in options.items() if value is not None}
        return await self._call("DELETE", resource.path(namespace, name), body=body)

    async def watch(
        self, resource: ResourceId, namespace: str = "", *, resource_version: str, label_selector: str = "", field_selector: str = "",
        timeout_seconds: int = 0, metadata_only: bool = False,
    ) -> AsyncIterator[WatchEvent]:  # fmt: skip
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": str(timeout_seconds or ""),
        }
        accept = _PARTIAL.format("PartialObjectMetadata") if metadata_only else JSON
        target = _target(resource.path(namespace), query)
        async with self._transport.stream("GET", target, (*self._headers, ("accept", accept)), b"") as answer:
            if answer.status != 200:
                raise _error(answer.status, await answer.read())
            async with aclosing(_lines(answer)) as lines:
                async for line in lines:
                    yield _event(line)

    async def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: bytes = b"", headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        return await self._transport.request(method, _target(path, query or {}), (*self._headers, *(headers or {}).items()), body)

    async def close(self) -> None:
        await self._transport.close()

    async def _call(
        self, method: str, path: str, query: dict[str, str] | None = None, *, body: Any = None, content_type: str = JSON, accept: str = JSON
    ) -> Object:
        headers = [*self._headers, ("accept", accept)]
        if body is not None:
            headers.append(("content-type", content_type))
        encoded = b"" if body is None else orjson.dumps(body)
        status, _, answer = await self._transport.request(method, _target(path, query or {}), headers, encoded)
        if status >= 400:
            raise _error(status, answer)
        decoded: Object = orjson.loads(answer)
        return decoded


def _target(path: str, query: dict[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    encoded = quote(path, safe="/:%~@!$&'()*+,;=-._")
    return f"{encoded}?{urlencode(given, quote_via=quote)}" if given else encoded


async def _lines(answer: StreamedAnswer) -> AsyncGenerator[bytes, None]:
    """Complete lines; a chunk may hold many, and a line many chunks."""
    rest: list[bytes] = []
    async for chunk in answer.chunks():
        *complete, last = chunk.split(b"\n")
        for line in complete:
            rest.append(line)
            whole = b"".join(rest)
            rest.clear()
            if whole:
                yield whole
        if last:
            rest.append(last)


def _event(line: bytes) -> WatchEvent:
    decoded = orjson.loads(line)
    if decoded["type"] == "ERROR":
        raise _from_status(decoded["object"])
    return WatchEvent(decoded["type"], decoded["object"])


def _error(status: int, body: bytes) -> ApiError:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        decoded = None
    if isinstance(decoded, dict) and decoded.get("kind") == "Status":
        return _from_status(decoded)
    return ApiError(body.decode(errors="replace").strip() or f"the server answered {status}", code=status, reason="")


def _from_status(status: Object) -> ApiError:
    """`Gone` is how older servers say Expired."""
    if status.get("code") == 410:
        status = status | {"reason": "Expired"}
    return ApiError.from_status(status)
