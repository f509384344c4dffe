"""Requests and limits as the kernel sees them."""

from typing import Any

import pytest

from proa.kubelet import resources
from tests.unit.kubelet.objects import container, pod

GI = 1 << 30


def wants(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, name: str = "c", **more: Any) -> dict[str, Any]:
    return container(name, resources={"requests": requests or {}, "limits": limits or {}}, **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(container()), "BestEffort"),
        (pod(wants({"cpu": "0"})), "BestEffort"),
        (pod(wants({"cpu": "1"})), "Burstable"),
        (pod(wants(limits={"cpu": "1"})), "Burstable"),
        (pod(wants(limits={"cpu": "1", "memory": "1Gi"})), "Guaranteed"),
        (pod(wants({"cpu": "1000m", "memory": "1Gi"}, {"cpu": "1", "memory": "1024Mi"})), "Guaranteed"),
        (pod(wants({"cpu": "0.5", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"})), "Burstable"),
        (pod(wants(limits={"cpu": "1", "memory": "1Gi"}), container("d")), "Burstable"),
        (pod(container(), resources={"limits": {"cpu": "1", "memory": "1Gi"}}), "Guaranteed"),
        (pod(container(), status={"qosClass": "Burstable"}), "Burstable"),
    ],
)
def test_qos_class(given: dict[str, Any], expected: str) -> None:
    assert resources.qos_class(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (wants(), {"cpu_shares": 2, "memory_limit_in_bytes": 0, "oom_score_adj": 1000, "hugepage_limits": []}),
        (wants({"cpu": "500m", "memory": "1Gi"}),
         {"cpu_shares": 512, "memory_limit_in_bytes": 0, "oom_score_adj": 750, "hugepage_limits": []}),
        (wants(limits={"cpu": "200m", "memory": "64Mi", "hugepages-2Mi": "4Mi"}),
         {"cpu_shares": 204, "memory_limit_in_bytes": 64 << 20, "oom_score_adj": -997, "cpu_quota": 20000, "cpu_period": 100000,
          "hugepage_limits": [{"page_size": "2MB", "limit": 4 << 20}]}),
        (wants(limits={"cpu": "1m", "memory": "4Gi"}),
         {"cpu_shares": 2, "memory_limit_in_bytes": 4 * GI, "oom_score_adj": -997, "cpu_quota": 1000, "cpu_period": 100000,
          "hugepage_limits": []}),
    ],
)  # fmt: skip
def test_container_resources(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert resources.linux_resources(pod(given), given, 4 * GI) == expected


def test_a_pod_counts_for_its_largest_moment() -> None:
    side = wants({"cpu": "100m"}, name="side", restartPolicy="Always")
    init = wants({"cpu": "900m", "memory": "10Mi"}, name="init")
    given = pod(wants({"cpu": "500m"}), init=(side, init), overhead={"cpu": "50m"})
    assert {name: str(amount) for name, amount in resources.pod_requests(given).items()} == {"cpu": "1050m", "memory": "10Mi"}


@pytest.mark.parametrize(
    ("given", "path", "limits"),
    [
        (pod(), "/k/besteffort/podu1", {"cpu_shares": 2}),
        (pod(wants({"cpu": "1"}, {"memory": "1Gi"})), "/k/burstable/podu1", {"cpu_shares": 1024, "memory_limit": GI}),
        (pod(wants(limits={"cpu": "1", "memory": "1Gi"})), "/k/podu1", {"cpu_shares": 1024, "cpu_quota": 100000, "memory_limit": GI}),
        (pod(wants(limits={"cpu": "1", "memory": "1Gi"}), container("d")), "/k/burstable/podu1", {"cpu_shares": 1024}),
    ],
)
def test_the_pods_cgroup(given: dict[str, Any], path: str, limits: dict[str, int]) -> None:
    for each in given["spec"]["containers"]:
        for name, amount in each.get("resources", {}).get("limits", {}).items():
            each["resources"].setdefault("requests", {}).setdefault(name, amount)
    assert (resources.cgroup_parent(given, "/k"), resources.pod_cgroup_limits(given)) == (path, limits)
