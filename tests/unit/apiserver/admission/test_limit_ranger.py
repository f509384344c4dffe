"""What LimitRanges add to pods, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.admission.limit_ranger import LimitRanger
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]


def plugin(*limits: Object) -> LimitRanger:
    reader = FakeReader()
    found = LimitRanger(reader)
    reader.put("", "limitranges", {"metadata": {"name": "limits", "namespace": "shop"}, "spec": {"limits": list(limits)}})
    return found


def pod(*containers: Object, init: tuple[Object, ...] = (), **spec: Any) -> Object:
    named = [{"name": f"c{index}", **({"resources": each} if each else {})} for index, each in enumerate(containers)]
    inits = [{"name": f"i{index}", "resources": each} for index, each in enumerate(init)]
    return {"metadata": {"name": "web"}, "spec": {"containers": named, **({"initContainers": inits} if inits else {}), **spec}}


def container(**bounds: Any) -> Object:
    return {"type": "Container", **bounds}


def cpu(request: str = "", limit: str = "") -> Object:
    stated: Object = {"requests": {"cpu": request}} if request else {}
    return stated | ({"limits": {"cpu": limit}} if limit else {})


def test_defaults_are_filled_in_and_told(attributes: Make, ask: Ask) -> None:
    limits = container(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "100m"})
    obj = pod({}, cpu("2", "3"), init=({},))
    assert ask(plugin(limits), attributes("CREATE", "pods", obj, namespace="shop")) == ""
    assert obj == {
        "metadata": {
            "name": "web",
            "annotations": {
                "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c0; cpu, memory limit for container c0; "
                "memory limit for container c1; cpu request for init container i0; cpu, memory limit for init container i0"
            },
        },
        "spec": {
            "containers": [
                {"name": "c0", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}},
                {"name": "c1", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "3", "memory": "1Gi"}}},
            ],
            "initContainers": [{"name": "i0", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}}],
        },
    }


CASES: list[tuple[Object, Object, str]] = [
    (container(min={"cpu": "100m"}), pod(cpu("100m")), ""),
    (container(min={"cpu": "100m"}), pod({}), "minimum cpu usage per Container is 100m.  No request is specified"),
    (container(min={"cpu": "100m"}), pod(cpu("50m")), "minimum cpu usage per Container is 100m, but request is 50m"),
    (container(min={"cpu": "100m"}), pod(cpu("100m", "99m")), "minimum cpu usage per Container is 100m, but limit is 99m"),
    (container(max={"cpu": "1"}), pod(cpu("1", "1")), ""),
    (container(max={"cpu": "1"}), pod(cpu("1")), "maximum cpu usage per Container is 1.  No limit is specified"),
    (container(max={"cpu": "1"}), pod(cpu("1", "1500m")), "maximum cpu usage per Container is 1, but limit is 1500m"),
    (container(max={"cpu": "1"}), pod(cpu("2", "1")), "maximum cpu usage per Container is 1, but request is 2"),
    (container(max={"cpu": "1"}), pod(cpu("1", "1"), init=(cpu("2", "2"),)), "maximum cpu usage per Container is 1, but limit is 2"),
    (
        container(maxLimitRequestRatio={"cpu": "2"}), pod(cpu("100m", "300m")),
        "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ),
    (container(maxLimitRequestRatio={"cpu": "2"}), pod(cpu("100m", "200m")), ""),
    (
        container(maxLimitRequestRatio={"cpu": "2"}), pod(cpu("", "300m")),
        "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ),
    (
        container(maxLimitRequestRatio={"cpu": "2"}), pod(cpu("1", "")),
        "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    ),
    ({"type": "Pod", "max": {"cpu": "2"}}, pod(cpu("1", "1"), cpu("1", "1")), ""),
    (
        {"type": "Pod", "max": {"cpu": "2"}}, pod(cpu("1", "1"), cpu("1", "1500m")),
        "maximum cpu usage per Pod is 2, but limit is 2500m",
    ),
    (
        {"type": "Pod", "min": {"memory": "1Gi"}}, pod({"requests": {"memory": "512Mi"}}),
        "minimum memory usage per Pod is 1Gi, but request is 512Mi",
    ),
    (
        container(min={"cpu": "100m", "memory": "1Mi"}), pod(cpu("50m")),
        "[minimum cpu usage per Container is 100m, but request is 50m, "
        "minimum memory usage per Container is 1Mi.  No request is specified]",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "obj", "expected"), CASES)
def test_constraints_of_pods(attributes: Make, ask: Ask, limit: Object, obj: Object, expected: str) -> None:
    answer = ask(plugin(limit), attributes("CREATE", "pods", obj, namespace="shop"))
    assert answer == (f'403 pods "web" is forbidden: {expected}' if expected else "")


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("1Gi", ""),
        ("512Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi"),
        ("3Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"),
    ],
)
def test_constraints_of_claims(attributes: Make, ask: Ask, storage: str, expected: str) -> None:
    limit = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": storage}}}}
    answer = ask(plugin(limit), attributes("CREATE", "persistentvolumeclaims", claim, namespace="shop"))
    assert answer == (f'403 persistentvolumeclaims "data" is forbidden: {expected}' if expected else "")


@pytest.mark.parametrize(
    ("operation", "subresource", "namespace", "refused"),
    [
        ("CREATE", "", "shop", True),
        ("CREATE", "", "other", False),
        ("UPDATE", "", "shop", False),
        ("UPDATE", "resize", "shop", True),
        ("UPDATE", "status", "shop", False),
        ("DELETE", "", "shop", False),
    ],
)
def test_only_what_can_change_resources_is_looked_at(
    attributes: Make, ask: Ask, operation: str, subresource: str, namespace: str, refused: bool
) -> None:
    obj = None if operation == "DELETE" else pod({})
    asked = attributes(operation, "pods", obj, subresource=subresource, namespace=namespace)
    assert bool(ask(plugin(container(min={"cpu": "1"})), asked)) is refused


def test_a_deleted_range_no_longer_counts(attributes: Make, ask: Ask) -> None:
    reader = FakeReader()
    limits = LimitRanger(reader)
    spec = {"limits": [container(min={"cpu": "1"})]}
    reader.put("", "limitranges", {"metadata": {"name": "limits", "namespace": "shop"}, "spec": spec})
    reader.remove("", "limitranges", "limits", "shop")
    assert ask(limits, attributes("CREATE", "pods", pod({}), namespace="shop")) == ""
