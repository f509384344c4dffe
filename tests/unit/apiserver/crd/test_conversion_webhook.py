"""What is taken of a webhook's answer."""

import asyncio
import re
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.crd.conversion_answer import Unusable, WebhookError, accepted, converted_objects
from proa.apiserver.crd.conversion_webhook import WebhookConverter
from proa.apiserver.fake import FakeReader

OLD: dict[str, Any] = {
    "apiVersion": "e.com/v1", "kind": "W",
    "metadata": {"name": "a", "namespace": "n", "uid": "u", "labels": {"a": "b"}, "finalizers": ["f"]},
    "spec": {"x": 1},
}  # fmt: skip


KIND = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}


def review(converted: Any, **more: Any) -> dict[str, Any]:
    return KIND | {"response": {"uid": "1", "result": {"status": "Success"}, "convertedObjects": converted, **more}}


def new(metadata: Any = None, **more: Any) -> dict[str, Any]:
    known = {"name": "a", "namespace": "n", "uid": "u"}
    given = known | metadata if isinstance(metadata, dict) else known if metadata is None else metadata
    return {"apiVersion": "e.com/v2", "kind": "W", "metadata": given, "spec": {"y": 1}, **more}


def test_labels_and_annotations_may_change_and_nothing_else_of_metadata() -> None:
    converted = new({"labels": {"c": "d"}, "annotations": {"e": "f"}, "finalizers": []})
    assert accepted(converted_objects(review([converted]), "1", "v1"), [OLD], "e.com/v2") == [
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
        ({}, "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got , Kind="),
        (KIND, "no response provided"),
        (review([new()], uid="2"), 'expected response.uid="1", got "2"'),
        (review([], result={"status": "Failed", "message": "can't"}), "can't"),
        (review([], result={"status": "Failed"}), "response.result.status was 'Failed', not 'Success'"),
        (review([], result=None), "response.result.status was '', not 'Success'"),
    ],
)
def test_no_answer(answer: Any, told: str) -> None:
    with pytest.raises(WebhookError) as raised:
        converted_objects(answer, "1", "v1")
    assert str(raised.value) == told


def test_the_first_version_of_reviews_promises_neither_kind_nor_uid() -> None:
    answer = {"response": {"result": {"status": "Success"}, "convertedObjects": [new()]}}
    assert converted_objects(answer, "1", "v1beta1") == [new()]


@pytest.mark.parametrize(
    ("converted", "told"),
    [
        ([], "0 objects, expected 1"),
        ([new(apiVersion="e.com/v3")], "invalid object at index 0: invalid groupVersion (expected e.com/v2, received e.com/v3)"),
        ([new(kind="X")], "invalid object at index 0: invalid kind (expected W, received X)"),
        ([new({"name": "b"})], "invalid object: must have the same name: a != b"),
        ([new({"namespace": "o"})], "invalid object: must have the same namespace: n != o"),
        ([new({"uid": ""})], "invalid object: must have the same UID: u != "),
        ([new({"labels": ["a"]})], "invalid metadata: invalid metadata.labels of type []interface {} in converted object"),
        ([new({"labels": {"a": 1}})], "invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object"),
        ([new({"annotations": {"a b": "c"}})],
         'invalid metadata: metadata.annotation: Invalid value: "a b": name part must consist of alphanumeric characters, \'-\', \'_\' or '
         "\'.\', and must start and end with an alphanumeric character (e.g. \'MyName\',  or \'my.name\',  or \'123-abc\', regex used for "
         "validation is \'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\')"),
    ],
)  # fmt: skip
def test_answers_that_can_not_be_used(converted: list[Any], told: str) -> None:
    with pytest.raises(Unusable) as raised:
        accepted(converted, [OLD], "e.com/v2")
    assert str(raised.value) == told


def test_a_service_that_leads_nowhere() -> None:
    client = {"service": {"name": "hook", "namespace": "n", "path": "/convert", "port": 443}}
    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    converter = WebhookConverter(webhook, "e.com", "W", WebhookClient(FakeReader()))
    why = 'Post "https://hook.n.svc:443/convert?timeout=30s": service "hook" not found'
    with pytest.raises(ApiError, match=re.escape(f"conversion webhook for e.com/v1, Kind=W failed: {why}")):
        asyncio.run(converter([OLD], "e.com/v2"))
