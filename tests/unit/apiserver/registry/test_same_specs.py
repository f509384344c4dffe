"""A pod whose spec was seen before is treated as the first one was: by defaults, by validation, by decoding and in managedFields."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.errors import BadRequest
from proa.api.managed_fields.update import update_managed_fields
from proa.api.resource import Resource
from proa.api.schema import Schema
from proa.api.validation import compile_decoder
from proa.apiserver.decode import decode_object

Find = Callable[..., Resource]
Object = dict[str, Any]


def pod(name: str, **spec: Any) -> Object:
    container = {"name": "web", "image": "web:1", "resources": {"limits": {"cpu": "1000m"}}, "env": []}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], **spec},
    }


def mounted(suffix: str) -> Object:
    name = f"kube-api-access-{suffix}"
    made = pod("web", volumes=[{"name": name, "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}])
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": name, "mountPath": "/token"}]
    return made


def test_defaults_of_the_second_pod_are_those_of_the_first_and_its_own(find: Find) -> None:
    strategy = find("pods").strategy
    first, second = pod("first"), pod("second")
    second["metadata"]["labels"] = {}
    strategy.default(first)
    strategy.default(second)
    assert second["spec"] == first["spec"]
    assert second["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert second["metadata"] == {"name": "second", "namespace": "default"}
    second["spec"]["containers"][0]["image"] = "changed"
    third = pod("third")
    strategy.default(third)
    assert third["spec"] == first["spec"]


def test_each_pod_keeps_the_name_of_its_token_volume(find: Find) -> None:
    strategy = find("pods").strategy
    first, second = mounted("aaaaa"), mounted("bbbbb")
    strategy.default(first)
    strategy.default(second)
    for made, suffix in ((first, "aaaaa"), (second, "bbbbb")):
        spec = made["spec"]
        assert (spec["volumes"][0]["name"], spec["volumes"][0]["projected"]["defaultMode"]) == (f"kube-api-access-{suffix}", 420)
        assert spec["containers"][0]["volumeMounts"][0]["name"] == f"kube-api-access-{suffix}"


def test_defaults_of_a_complete_spec_leave_it_alone(find: Find) -> None:
    strategy = find("pods").strategy
    made = mounted("aaaaa")
    strategy.default(made)
    spec, before = made["spec"], copy.deepcopy(made)
    for _ in range(2):
        strategy.default(made)
    assert (made, made["spec"] is spec) == (before, True)


def test_a_valid_spec_is_valid_again_and_a_wrong_one_wrong_again(find: Find) -> None:
    strategy = find("pods").strategy
    right, wrong = pod("right"), pod("wrong", nodeName="node", schedulingGates=[{"name": "example.com/gate"}])
    for made in (right, wrong):
        strategy.default(made)
    assert [len(strategy.validate(made)) for made in (right, wrong, right, wrong)] == [0, 1, 0, 1]
    right["metadata"]["name"] = "Not a name"
    assert [cause.field for cause in strategy.validate(right)] == ["metadata.name"]


def test_managed_fields_of_the_second_pod_are_those_of_the_first_and_its_labels(schema: Schema) -> None:
    def owned(made: Object) -> Object:
        node = schema.node("io.k8s.api.core.v1.Pod")
        update_managed_fields(None, made, "kubectl", api_version="v1", time="2026-01-01T00:00:00Z", node=node)
        entries: list[Object] = made["metadata"]["managedFields"]
        fields: Object = entries[0]["fieldsV1"]
        return fields

    labelled = pod("second")
    labelled["metadata"]["labels"] = {"app": "web"}
    first, second, other = owned(pod("first")), owned(labelled), owned(pod("third", nodeName="node"))
    assert second == {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": first["f:spec"]}
    assert other["f:spec"] == first["f:spec"] | {"f:nodeName": {}}


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_spec_that_decoded_cleanly_hides_nothing_else_that_is_wrong(schema: Schema, times: int) -> None:
    decoder = compile_decoder(schema.node("io.k8s.api.core.v1.Pod"))
    heard: list[str] = []

    def read(body: bytes, validation: str = "Warn") -> Object:
        return decode_object(body, "", api_version="v1", kind="Pod", decoder=decoder, validation=validation, warn=heard.append)

    clean, stray = b'{"spec":{"nodeName":"a"}}', b'{"spec":{"nodeName":"a"},"stray":1}'
    with_null, stray_in_spec = b'{"spec":{"nodeName":null}}', b'{"spec":{"nodeName":"a","stray":1}}'
    for _ in range(times):
        assert read(clean)["spec"] == {"nodeName": "a"}
        assert read(with_null)["spec"] == {}
        assert "stray" not in read(stray)
        assert "stray" not in read(stray_in_spec)["spec"]
    assert heard == ['unknown field "stray"', 'unknown field "spec.stray"'] * times
    with pytest.raises(BadRequest, match="stray"):
        read(stray, "Strict")
