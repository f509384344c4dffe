"""Conversion by webhook: one ConversionReview over HTTPS for all objects that need it.

What of its answer counts is in `conversion_answer`.
Source: "Webhook conversion" in the Kubernetes documentation of CustomResourceDefinition versions.
"""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.admission.webhook.client import CallError, WebhookClient
from proa.apiserver.crd.conversion_answer import Unusable, WebhookError, accepted, converted_objects

TIMEOUT = 30
SUPPORTED_REVIEWS = ("v1", "v1beta1")


class WebhookConverter:
    """Converts objects of one kind. `webhook` is spec.conversion.webhook."""

    def __init__(self, webhook: Object, group: str, kind: str, webhooks: WebhookClient) -> None:
        self._config: Object = webhook["clientConfig"]
        self._review = next(version for version in webhook["conversionReviewVersions"] if version in SUPPORTED_REVIEWS)
        self._group, self._kind, self._webhooks = group, kind, webhooks

    async def __call__(self, objects: Sequence[Object], api_version: str) -> Sequence[Object]:
        """Raises ApiError."""
        others = [obj for obj in objects if obj["apiVersion"] != api_version]
        subject = f"conversion webhook for {others[0]['apiVersion']}, Kind={self._kind}"
        try:
            converted = iter(await self._ask(others, api_version))
        except WebhookError as error:
            raise ApiError(f"{subject} failed: {error}", code=500, reason="") from None
        except Unusable as error:
            raise ApiError(f"{subject} returned {error}", code=500, reason="") from None
        return [obj if obj["apiVersion"] == api_version else next(converted) for obj in objects]

    async def _ask(self, objects: Sequence[Object], api_version: str) -> list[Object]:
        uid = str(UUID(int=random.getrandbits(128), version=4))
        request = {"uid": uid, "desiredAPIVersion": api_version, "objects": objects}
        review = {"kind": "ConversionReview", "apiVersion": f"apiextensions.k8s.io/{self._review}", "request": request}
        answer = await self._post(orjson.dumps(review))
        return accepted(converted_objects(answer, uid, self._review), objects, api_version)

    async def _post(self, body: bytes) -> Any:
        try:
            return await self._webhooks.post(self._config, body, TIMEOUT)
        except CallError as error:
            raise WebhookError(str(error)) from None
