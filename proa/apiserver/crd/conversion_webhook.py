"""Conversion by webhook: one ConversionReview over HTTPS for all objects that need it.

The webhook may change everything but identity: name, namespace, UID stay, and of metadata only labels and annotations are taken over.
Source: "Webhook conversion" in the Kubernetes documentation of CustomResourceDefinition versions.
"""

import base64
import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.interface import ObjectReader
from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.client_tls import client_context

TIMEOUT = 30.0
IDENTITY_FIELDS = ("name", "namespace", "uid")
SUPPORTED_REVIEWS = ("v1", "v1beta1")


class WebhookError(Exception):
    """Why there is no answer that could be used."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post, and by what name the certificate is checked."""

    endpoint: Endpoint
    path: str
    url: str


class WebhookConverter:
    """Converts objects of one kind. `webhook` is spec.conversion.webhook."""

    def __init__(self, webhook: Object, group: str, kind: str, reader: ObjectReader) -> None:
        self._config: Object = webhook["clientConfig"]
        self._review = next(version for version in webhook["conversionReviewVersions"] if version in SUPPORTED_REVIEWS)
        self._group, self._kind, self._reader = group, kind, reader

    async def __call__(self, objects: Sequence[Object], api_version: str) -> Sequence[Object]:
        """Raises ApiError."""
        others = [obj for obj in objects if obj["apiVersion"] != api_version]
        try:
            converted = iter(await self._ask(others, api_version))
        except WebhookError as error:
            subject = f"{others[0]['apiVersion']}, Kind={self._kind}"
            raise ApiError(f"conversion webhook for {subject} failed: {error}", code=500, reason="") from None
        return [obj if obj["apiVersion"] == api_version else next(converted) for obj in objects]

    async def _ask(self, objects: Sequence[Object], api_version: str) -> list[Object]:
        uid = str(UUID(int=random.getrandbits(128), version=4))
        request = {"uid": uid, "desiredAPIVersion": api_version, "objects": objects}
        review = {"kind": "ConversionReview", "apiVersion": f"apiextensions.k8s.io/{self._review}", "request": request}
        answer = await self._post(orjson.dumps(review))
        return accepted(answer, objects, uid, api_version)

    async def _post(self, body: bytes) -> Any:
        target = self._target()
        client = HttpClient(target.endpoint, timeout=TIMEOUT)
        try:
            headers = [("content-type", "application/json"), ("accept", "application/json"), ("host", target.endpoint.server_name)]
            response = await client.request("POST", target.path, headers, body)
        except OSError as error:
            raise WebhookError(f'Post "{target.url}": {error}') from None
        finally:
            await client.close()
        if response.status != 200:
            raise WebhookError(f"the server answered {response.status}: {response.body[:200].decode(errors='replace')}")
        try:
            return orjson.loads(response.body)
        except ValueError as error:
            raise WebhookError(f"the answer is no JSON: {error}") from None

    def _target(self) -> Target:
        bundle = self._config.get("caBundle")
        tls = client_context(ca=base64.b64decode(bundle) if bundle else None)
        if url := self._config.get("url"):
            parts = urlsplit(url)
            host, path = parts.hostname or "", parts.path + (f"?{parts.query}" if parts.query else "")
            return Target(Endpoint(host, parts.port or 443, tls, server_name=host), path or "/", f"{url}?timeout=30s")
        service = self._config["service"]
        name, namespace, port = service["name"], service["namespace"], service.get("port", 443)
        host, number = self._address(name, namespace, port)
        server = f"{name}.{namespace}.svc"
        path = service.get("path") or "/"
        return Target(Endpoint(host, number, tls, server_name=server), path, f"https://{server}:{port}{path}?timeout=30s")

    def _address(self, name: str, namespace: str, port: int) -> tuple[str, int]:
        """A ready endpoint of the Service; the API server is not behind kube-proxy everywhere."""
        service = self._reader.get("", "services", name, namespace)
        if service is None:
            raise WebhookError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        declared = next((each for each in spec.get("ports") or () if each.get("port") == port), None)
        if declared is None:
            raise WebhookError(f'no service port {port} found for service "{name}"')
        if spec.get("type") == "ExternalName":
            return spec.get("externalName", ""), port
        candidates = [
            (address, each["port"])
            for piece in self._reader.list("discovery.k8s.io", "endpointslices", namespace)
            if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
            for each in piece.get("ports") or ()
            if (each.get("name") or "") == (declared.get("name") or "")
            for endpoint in piece.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint["addresses"]
        ]
        if not candidates:
            raise WebhookError(f'no endpoints available for service "{name}"')
        return random.choice(candidates)


def accepted(answer: Any, objects: Sequence[Object], uid: str, api_version: str) -> list[Object]:
    """The converted objects, with what a webhook may not change put back. Raises WebhookError."""
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise WebhookError("invalid response: no response in the ConversionReview")
    if response.get("uid") != uid:
        raise WebhookError(f"invalid response: expected response.uid={uid!r}, got {response.get('uid')!r}")
    result = response.get("result") or {}
    if result.get("status") != "Success":
        raise WebhookError(result.get("message") or f"conversion request failed with status {result.get('status')!r}")
    converted = response.get("convertedObjects") or []
    if len(converted) != len(objects):
        raise WebhookError(f"invalid response: expected {len(objects)} converted objects, got {len(converted)}")
    return [_restored(new, old, index, api_version) for index, (new, old) in enumerate(zip(converted, objects, strict=True))]


def _restored(new: Any, old: Object, index: int, api_version: str) -> Object:
    place = f"invalid response for convertedObjects[{index}]"
    if not isinstance(new, dict) or new.get("apiVersion") != api_version:
        got = new.get("apiVersion") if isinstance(new, dict) else new
        raise WebhookError(f"{place}: invalid groupVersion (expected {api_version}, received {got})")
    if new.get("kind") != old["kind"]:
        raise WebhookError(f"{place}: invalid kind (expected {old['kind']}, received {new.get('kind')})")
    given, before = new.get("metadata") or {}, old["metadata"]
    for field in IDENTITY_FIELDS:
        if (given.get(field) or "") != (before.get(field) or ""):
            raise WebhookError(f"{place}: invalid metadata.{field} (expected {before.get(field)!r}, received {given.get(field)!r})")
    metadata = copy.deepcopy({key: value for key, value in before.items() if key not in ("labels", "annotations")})
    metadata |= {key: given[key] for key in ("labels", "annotations") if given.get(key)}
    ordered: Object = {"apiVersion": api_version, "kind": old["kind"], "metadata": metadata}
    return ordered | {key: value for key, value in new.items() if key not in ordered}
