from typing import Any

import pytest

from proa.api.pod_template import qos_class, template_hash, without_hash


def _spec(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"containers": [{"name": f"c{index}", "resources": each} for index, each in enumerate(resources)]}


FULL = {"limits": {"cpu": "1", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (_spec({}), "BestEffort"),
        (_spec(FULL), "Guaranteed"),
        (_spec(FULL | {"requests": {"cpu": "1000m", "memory": "1024Mi"}}), "Guaranteed"),
        (_spec(FULL | {"requests": {"cpu": "500m", "memory": "1Gi"}}), "Burstable"),
        (_spec(FULL, {}), "Burstable"),
        (_spec({"requests": {"cpu": "0"}}), "BestEffort"),
        (_spec({"limits": {"example.com/gpu": "1"}}), "BestEffort"),
        (_spec(FULL) | {"initContainers": [{"name": "i"}]}, "Burstable"),
        (_spec({}) | {"resources": FULL}, "Guaranteed"),
    ],
)
def test_qos_class(spec: dict[str, Any], expected: str) -> None:
    assert qos_class(spec) == expected


def test_hash_depends_on_content_and_collisions_only() -> None:
    first = template_hash({"spec": {"a": 1, "b": 2}})
    assert first == template_hash({"spec": {"b": 2, "a": 1}})
    assert len({first, template_hash({"spec": {"a": 2, "b": 2}}), template_hash({"spec": {"a": 1, "b": 2}}, 0)}) == 3


def test_without_hash_restores_the_deployment_s_template() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {}}
    labelled = {"metadata": {"labels": {"app": "web", "pod-template-hash": "abc"}}, "spec": {}}
    assert without_hash(labelled) == template
