"""What a pod asks of its node."""

from typing import Any

import pytest

from proa.api.scheduling.requests import SCORING_DEFAULTS, pod_requests


def container(cpu: str = "", memory: str = "", **fields: Any) -> dict[str, Any]:
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": "c", "resources": {"requests": requests}, **fields}


SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [container()]}, {}),
        ({"containers": [container("1"), container("500m", "1Ki")]}, {"cpu": 1500, "memory": 1024}),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, {"cpu": 3000}),
        ({"containers": [container("1")], "initContainers": [container("2", **SIDECAR)]}, {"cpu": 3000}),
        ({"containers": [container("1")], "initContainers": [container("2", **SIDECAR), container("4")]}, {"cpu": 6000}),
        ({"containers": [container("1")], "initContainers": [container("4"), container("2", **SIDECAR)]}, {"cpu": 4000}),
        ({"containers": [container("1")], "overhead": {"cpu": "250m", "memory": "1Mi"}}, {"cpu": 1250, "memory": 1 << 20}),
        (
            {"containers": [container("1", "1Ki")], "resources": {"requests": {"cpu": "2", "x.io/gpu": "1"}}},
            {"cpu": 2000, "memory": 1024},
        ),
        ({"containers": [{"resources": {"requests": {"x.io/gpu": "2", "hugepages-2Mi": "4Ki"}}}]}, {"x.io/gpu": 2, "hugepages-2Mi": 4096}),
    ],
)
def test_requests(spec: dict[str, Any], expected: dict[str, int]) -> None:
    assert pod_requests(spec) == expected


def test_defaults_stand_in_per_container() -> None:
    spec = {"containers": [container("1"), container("", "1Mi")]}
    assert pod_requests(spec, SCORING_DEFAULTS) == {"cpu": 1100, "memory": (200 << 20) + (1 << 20)}
