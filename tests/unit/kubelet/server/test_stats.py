"""What pods and the node use: the Summary document and the Prometheus samples, whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proa.kubelet.cri.runtime import (
    LABEL_CONTAINER_NAME,
    LABEL_POD_UID,
    ContainerStats,
    InterfaceUsage,
    SandboxStats,
    Usage,
)
from proa.kubelet.server.node_usage import machine_cpu, node_usage
from proa.kubelet.server.samples import cadvisor_samples, render, resource_samples
from proa.kubelet.server.stats import NodeUsage, Rates, Reading, summary
from tests.unit.kubelet.objects import pod

MOMENT = 1_893_456_000 * 10**9


def stats(name: str, cpu: int, **usage: Any) -> ContainerStats:
    labels = {LABEL_POD_UID: "u1", LABEL_CONTAINER_NAME: name}
    return ContainerStats(f"id-{name}", name, labels, Usage(MOMENT, cpu, memory_working_set_bytes=4096, **usage), MOMENT, "/", 100, 2)


POD = pod(status={"startTime": "2029-12-31T23:59:00Z", "containerStatuses": [
    {"name": "c", "state": {"running": {"startedAt": "2029-12-31T23:59:30Z"}}}]})  # fmt: skip
SANDBOX_STATS = SandboxStats(
    "s", "p", "n", "u1", Usage(MOMENT, 3 * 10**9, memory_working_set_bytes=8192), 0, (InterfaceUsage("eth0", 10, 0, 20, 0),), 2
)
READING = Reading([POD], [stats("c", 2 * 10**9)], [SANDBOX_STATS], NodeUsage(MOMENT, 5 * 10**9, 1 << 20, 1 << 30))
TIME = "2030-01-01T00:00:00Z"


def test_the_summary_holds_what_was_measured_and_nothing_else() -> None:
    assert summary(READING, "node-1", Rates()) == {
        "node": {
            "nodeName": "node-1",
            "cpu": {"time": TIME, "usageCoreNanoSeconds": 5 * 10**9},
            "memory": {"time": TIME, "availableBytes": 1 << 30, "workingSetBytes": 1 << 20},
        },
        "pods": [
            {
                "podRef": {"name": "p", "namespace": "n", "uid": "u1"},
                "startTime": "2029-12-31T23:59:00Z",
                "containers": [
                    {
                        "name": "c",
                        "startTime": "2029-12-31T23:59:30Z",
                        "cpu": {"time": TIME, "usageCoreNanoSeconds": 2 * 10**9},
                        "memory": {"time": TIME, "workingSetBytes": 4096},
                        "rootfs": {"time": TIME, "usedBytes": 100, "inodesUsed": 2},
                    }
                ],
                "cpu": {"time": TIME, "usageCoreNanoSeconds": 3 * 10**9},
                "memory": {"time": TIME, "workingSetBytes": 8192},
                "network": {
                    "time": TIME, "name": "eth0", "rxBytes": 10, "rxErrors": 0, "txBytes": 20, "txErrors": 0,
                    "interfaces": [{"name": "eth0", "rxBytes": 10, "rxErrors": 0, "txBytes": 20, "txErrors": 0}],
                },
                "process_stats": {"process_count": 2},
            }
        ],
    }  # fmt: skip


def test_rates_come_from_two_readings() -> None:
    rates = Rates()
    readings = [(10**9, 0), (2 * 10**9, 5 * 10**8), (2 * 10**9, 5 * 10**8), (3 * 10**9, 10**8), (4 * 10**9, None)]
    assert [rates.nano_cores("c", time, counter) for time, counter in readings] == [None, 5 * 10**8, 5 * 10**8, None, None]


@pytest.mark.parametrize(
    ("samples", "lines"),
    [
        (
            resource_samples,
            [
                "node_cpu_usage_seconds_total 5 1893456000000",
                "node_memory_working_set_bytes 1048576 1893456000000",
                'container_cpu_usage_seconds_total{container="c",namespace="n",pod="p"} 2 1893456000000',
                'container_memory_working_set_bytes{container="c",namespace="n",pod="p"} 4096 1893456000000',
                'container_start_time_seconds{container="c",namespace="n",pod="p"} 1893455970',
                'pod_cpu_usage_seconds_total{namespace="n",pod="p"} 3 1893456000000',
                'pod_memory_working_set_bytes{namespace="n",pod="p"} 8192 1893456000000',
                "resource_scrape_error 0",
                "scrape_error 0",
            ],
        ),
        (
            cadvisor_samples,
            [
                'container_cpu_usage_seconds_total{container="c",id="id-c",name="id-c",namespace="n",pod="p"} 2 1893456000000',
                'container_memory_working_set_bytes{container="c",id="id-c",name="id-c",namespace="n",pod="p"} 4096 1893456000000',
                'container_fs_usage_bytes{container="c",id="id-c",name="id-c",namespace="n",pod="p"} 100 1893456000000',
                'container_network_receive_bytes_total{interface="eth0",namespace="n",pod="p"} 10 1893456000000',
                'container_network_transmit_bytes_total{interface="eth0",namespace="n",pod="p"} 20 1893456000000',
            ],
        ),
    ],
)
def test_samples(samples: Callable[[Reading], Any], lines: list[str]) -> None:
    text = render(samples(READING)).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == lines


def test_the_nodes_own_cgroup_counts_where_it_has_one(tmp_path: Path) -> None:
    for path, text in {
        "cgroup.controllers": "cpu memory",
        "proa/a/cpu.stat": "usage_usec 5\nuser_usec 1\n",
        "proa/a/memory.current": "1000\n",
        "proa/a/memory.stat": "anon 1\ninactive_file 300\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    usage = node_usage("proa/a", MOMENT, tmp_path)
    assert (usage.cpu_usage_core_nano_seconds, usage.memory_working_set_bytes) == (5000, 700)
    legacy = tmp_path / "v1"
    files = {"cpuacct/a/cpuacct.usage": "77", "memory/a/memory.usage_in_bytes": "10", "memory/a/memory.stat": "total_inactive_file 3"}
    for path, text in files.items():
        (legacy / path).parent.mkdir(parents=True, exist_ok=True)
        (legacy / path).write_text(text)
    usage = node_usage("/a", MOMENT, legacy)
    assert (usage.cpu_usage_core_nano_seconds, usage.memory_working_set_bytes) == (77, 7)


def test_a_machines_cpu_is_what_was_not_idle() -> None:
    assert machine_cpu("cpu  100 0 50 1000 20 5 5 0 0 0\ncpu0 1\n") == 160 * 10**9 // 100
