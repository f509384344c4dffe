"""What is taken of a webhook's answer."""

import asyncio
import re
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.crd.conversion_webhook import WebhookConverter, WebhookError, accepted
from proa.apiserver.fake import FakeReader

OLD: dict[str, Any] = {
    "apiVersion": "e.com/v1", "kind": "W",
    "metadata": {"name": "a", "namespace": "n", "uid": "u", "labels": {"a": "b"}, "finalizers": ["f"]},
    "spec": {"x": 1},
}  # fmt: skip


def review(converted: Any, **more: Any) -> dict[str, Any]:
    return {"response": {"uid": "1", "result": {"status": "Success"}, "convertedObjects": converted, **more}}


def new(**more: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "n", "uid": "u"}
    return {"apiVersion": "e.com/v2", "kind": "W", "metadata": metadata, "spec": {"y": 1}, **more}


def test_labels_and_annotations_may_change_and_nothing_else_of_metadata() -> None:
    metadata = {"name": "a", "namespace": "n", "uid": "u", "labels": {"c": "d"}, "annotations": {"e": "f"}, "finalizers": []}
    assert accepted(review([new(metadata=metadata)]), [OLD], "1", "e.com/v2") == [
        {
            "apiVersion": "e.com/v2", "kind": "W", "spec": {"y": 1},
            "metadata": {
                "name": "a", "namespace": "n", "uid": "u", "finalizers": ["f"], "labels": {"c": "d"}, "annotations": {"e": "f"},
            },
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, "no response"),
        (review([new()], uid="2"), "expected response.uid='1', got '2'"),
        (review([], result={"status": "Failed", "message": "can't"}), "can't"),
        (review([]), "expected 1 converted objects, got 0"),
        (review([new(apiVersion="e.com/v3")]), r"invalid groupVersion \(expected e.com/v2, received e.com/v3\)"),
        (review([new(kind="X")]), "invalid kind"),
        (review([new(metadata={"name": "b", "namespace": "n", "uid": "u"})]), "invalid metadata.name"),
    ],
)
def test_refused(answer: Any, told: str) -> None:
    with pytest.raises(WebhookError, match=told):
        accepted(answer, [OLD], "1", "e.com/v2")


def test_a_service_that_leads_nowhere() -> None:
    client = {"service": {"name": "hook", "namespace": "n", "path": "/convert", "port": 443}}
    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    converter = WebhookConverter(webhook, "e.com", "W", WebhookClient(FakeReader()))
    why = 'Post "https://hook.n.svc:443/convert?timeout=30s": service "hook" not found'
    with pytest.raises(ApiError, match=re.escape(f"conversion webhook for e.com/v1, Kind=W failed: {why}")):
        asyncio.run(converter([OLD], "e.com/v2"))
