"""A cluster of two nodes with real containers: how soon an application answers by its DNS name after `proa up`, pod starts at one a second
and 30 at once beside containerd's own time for the same, and how long one Service takes to become rules on every node.

Needs root and containerd. The image is the shop's, built from Debian's busybox.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.cluster import Cluster, cluster
from benchmarks.control_plane import at_rest
from benchmarks.figures import Figure, percentile
from benchmarks.target import Target
from benchmarks.workload import NAMESPACE, PODS
from proa.api.kinds import PODS as POD_RESOURCE
from proa.client.rest import RestClient
from proa.cluster.network import node_namespace

IMAGE = "example.com/shop:v1"
SHOP = Path(__file__).parents[1] / "examples/shop/image.py"
NODES = 2
STARTS = 20
BURST = 30
PATIENCE = 60.0
SERVICES = 10
Document = dict[str, Any]


def measure() -> list[Figure]:
    started = time.monotonic()
    with cluster(NODES) as made:
        return asyncio.run(_measure(made, started))


async def _measure(made: Cluster, started: float) -> list[Figure]:
    target = made.target()
    archive = made.paths.home / "shop.tar"
    await asyncio.to_thread(subprocess.run, [sys.executable, str(SHOP), str(archive)], check=True)
    before = time.monotonic()
    made.proa("image", "load", "--cluster", made.settings.name, str(archive))
    loading = time.monotonic() - before
    target.ensure("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    application = await _application(target, started)
    own = [await _containerd(made, number) for number in range(5)]
    single = [await _one_start(target, f"single-{number}") for number in range(STARTS)]
    burst = await _starts(target, [f"burst-{number}" for number in range(BURST)])
    services = [await _service(made, target, number) for number in range(SERVICES)]
    middle = percentile(own, 0.5)
    return [
        Figure(f"`proa up --nodes {NODES}`, all nodes Ready", made.seconds, "s", "", "16.7 (one node)"),
        Figure(
            f"`proa up --nodes {NODES}` until an application answers by DNS name", application - loading, "s", "<= 4", note="image loaded"
        ),
        *at_rest(made),
        Figure("containerd's own time for a sandbox and a container", middle, "s", note=f"median of {len(own)}, through CRI"),
        Figure("pod start at 1 pod/s, p50", percentile(single, 0.5), "s", f"<= {middle + 0.15:.2f}", "0.67"),
        Figure("pod start at 1 pod/s, p99", percentile(single, 0.99), "s", "", "1.67 (p90)", f"of {STARTS}"),
        Figure(f"{BURST} pods at once, p50", percentile(burst, 0.5), "s", "", "10.6"),
        Figure(f"{BURST} pods at once, the last", max(burst), "s", "", "16.1"),
        Figure("one Service to rules on all nodes, p50", percentile(services, 0.5) * 1e3, "ms", note=f"of {len(services)}"),
    ]


def _pod(name: str, arguments: list[str]) -> Document:
    container = {"name": "main", "image": IMAGE, "args": arguments, "ports": [{"containerPort": 5000}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


async def _application(target: Target, started: float) -> float:
    """Seconds since `started` until one pod has read from the other by the name of its Service."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 5000}]},
    }
    target.ensure(f"/api/v1/namespaces/{NAMESPACE}/services", service)
    asking = _pod("asking", [])
    script = "until wget -q -O - http://web:5000/; do sleep 0.05; done"
    asking["spec"] |= {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE, "command": ["/bin/sh", "-c", script]}]}
    await _create(target, _pod("web", ["backend", "5000"]))
    await _create(target, asking)
    await _until(target, {"asking"}, lambda pod: pod["status"].get("phase") == "Succeeded")
    return time.monotonic() - started


async def _one_start(target: Target, name: str) -> float:
    (seconds,) = await _starts(target, [name])
    await asyncio.sleep(max(0.0, 1 - seconds))
    return seconds


async def _starts(target: Target, names: list[str]) -> list[float]:
    """From the create of each pod to its Ready condition as a watcher sees it."""
    created: dict[str, float] = {}
    watching = asyncio.create_task(_until(target, set(names), is_ready))
    await asyncio.sleep(0.1)
    for name in names:
        created[name] = time.monotonic()
        await _create(target, _pod(name, ["backend", "5000"]))
    ready = await watching
    for name in names:
        await asyncio.to_thread(target.request, "DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")
    return [ready[name] - created[name] for name in names]


def is_ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def _create(target: Target, pod: Document) -> None:
    await asyncio.to_thread(target.request, "POST", PODS, pod)


async def _until(target: Target, names: set[str], fulfilled: Any) -> dict[str, float]:
    """When each pod was first seen so."""
    seen: dict[str, float] = {}
    client = RestClient(target.url, token=target.token, verify=False)
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in client.watch(POD_RESOURCE, NAMESPACE, resource_version="0"):
                name = event.object["metadata"].get("name", "")
                if name in names and name not in seen and fulfilled(event.object):
                    seen[name] = time.monotonic()
                    if len(seen) == len(names):
                        break
    finally:
        await client.close()
    return seen


async def _containerd(made: Cluster, number: int) -> float:
    """A sandbox with network and a started container, asked for over CRI as the node agent does."""
    from proa.kubelet.cri.containerd import ContainerdRuntime

    node = made.settings.nodes[0]
    runtime = ContainerdRuntime(str(made.paths.node(node.name).containerd_socket))
    metadata = {"name": f"own-{number}", "namespace": NAMESPACE, "uid": f"own-{number}", "attempt": 0}
    sandbox = {
        "metadata": metadata,
        "hostname": "own",
        "log_directory": "/tmp",
        "linux": {"cgroup_parent": f"/proa/{made.settings.name}/{node.name}"},
    }
    container = {
        "metadata": {"name": "main", "attempt": 0},
        "image": {"image": IMAGE},
        "args": ["backend", "5000"],
        "log_path": f"own-{number}.log",
    }
    started = time.monotonic()
    sandbox_id = await runtime.run_pod_sandbox(sandbox)
    container_id = await runtime.create_container(sandbox_id, container, sandbox)
    await runtime.start_container(container_id)
    seconds = time.monotonic() - started
    await runtime.stop_pod_sandbox(sandbox_id)
    await runtime.remove_pod_sandbox(sandbox_id)
    await runtime.close()
    return seconds


async def _service(made: Cluster, target: Target, number: int) -> float:
    """From the create of a Service to its address in the rules of every node. The look itself takes some milliseconds."""
    name = f"service-{number}"
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 5000}]},
    }
    started = time.monotonic()
    found = await asyncio.to_thread(target.request, "POST", f"/api/v1/namespaces/{NAMESPACE}/services", body)
    address = found["spec"]["clusterIP"]
    namespaces = [node_namespace(made.settings.name, node.name) for node in made.settings.nodes]
    while not all(_has_rule(namespace, address) for namespace in namespaces):
        if time.monotonic() > started + PATIENCE:
            raise RuntimeError(f"no rules for {address}")
        await asyncio.sleep(0.002)
    return time.monotonic() - started


def _has_rule(namespace: str, address: str) -> bool:
    listed = subprocess.run(["nsenter", f"--net=/run/netns/{namespace}", "nft", "list", "ruleset"], capture_output=True, text=True)
    return address in listed.stdout
