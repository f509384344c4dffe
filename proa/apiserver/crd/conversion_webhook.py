"""Conversion by webhook: one ConversionReview over HTTPS for all objects that need it.

The webhook may change everything but identity: name, namespace, UID stay, and of metadata only labels and annotations are taken over.
Source: "Webhook conversion" in the Kubernetes documentation of CustomResourceDefinition versions.
"""

import copy
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.admission.webhook.client import CallError, WebhookClient

TIMEOUT = 30
IDENTITY_FIELDS = ("name", "namespace", "uid")
SUPPORTED_REVIEWS = ("v1", "v1beta1")


class WebhookError(Exception):
    """Why there is no answer that could be used."""


class WebhookConverter:
    """Converts objects of one kind. `webhook` is spec.conversion.webhook."""

    def __init__(self, webhook: Object, group: str, kind: str, webhooks: WebhookClient) -> None:
        self._config: Object = webhook["clientConfig"]
        self._review = next(version for version in webhook["conversionReviewVersions"] if version in SUPPORTED_REVIEWS)
        self._group, self._kind, self._webhooks = group, kind, webhooks

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
        try:
            return await self._webhooks.post(self._config, body, TIMEOUT)
        except CallError as error:
            raise WebhookError(str(error)) from None


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
