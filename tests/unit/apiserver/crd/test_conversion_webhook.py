"""What is taken of a webhook's answer."""

from typing import Any

import pytest

from proa.apiserver.crd.conversion_webhook import Target, WebhookConverter, WebhookError, accepted
from proa.apiserver.interface import ObjectReader

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


class Objects:
    """An `ObjectReader` over (group, plural, namespace, name): object."""

    def __init__(self, *objects: tuple[str, str, dict[str, Any]]) -> None:
        self._objects = objects

    def get(self, group: str, plural: str, name: str, namespace: str = "") -> dict[str, Any] | None:
        return next((each for each in self.list(group, plural, namespace) if each["metadata"]["name"] == name), None)

    def list(self, group: str, plural: str, namespace: str = "") -> list[dict[str, Any]]:
        return [obj for own, kind, obj in self._objects if (own, kind, obj["metadata"]["namespace"]) == (group, plural, namespace)]

    def observe(self, group: str, plural: str, handler: Any) -> None:
        raise NotImplementedError


SERVICE = {
    "metadata": {"name": "hook", "namespace": "n"},
    "spec": {"ports": [{"name": "https", "port": 443}, {"name": "other", "port": 80}]},
}


def piece(*endpoints: dict[str, Any], service: str = "hook") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    ports = [{"name": "other", "port": 1}, {"name": "https", "port": 9443}]
    return {"metadata": {"name": service, "namespace": "n", "labels": labels}, "endpoints": list(endpoints), "ports": ports}


def target(*objects: tuple[str, str, dict[str, Any]]) -> Target:
    reader: ObjectReader = Objects(*objects)
    client = {"service": {"name": "hook", "namespace": "n", "path": "/convert", "port": 443}}
    return WebhookConverter({"clientConfig": client, "conversionReviewVersions": ["v1"]}, "e.com", "W", reader)._target()


def test_a_service_is_reached_at_a_ready_endpoint() -> None:
    ready, unready = {"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"], "conditions": {"ready": False}}
    slices = [("discovery.k8s.io", "endpointslices", each) for each in (piece(unready, ready), piece(ready, service="else"))]
    found = target(("", "services", SERVICE), *slices)
    shown = found.endpoint.host, found.endpoint.port, found.endpoint.server_name, found.path, found.url
    assert shown == ("10.0.0.1", 9443, "hook.n.svc", "/convert", "https://hook.n.svc:443/convert?timeout=30s")


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ([], 'service "hook" not found'),
        ([("", "services", SERVICE)], 'no endpoints available for service "hook"'),
        ([("", "services", {**SERVICE, "spec": {"ports": [{"port": 1}]}})], 'no service port 443 found for service "hook"'),
    ],
)
def test_a_service_that_leads_nowhere(objects: list[tuple[str, str, dict[str, Any]]], told: str) -> None:
    with pytest.raises(WebhookError, match=told):
        target(*objects)
