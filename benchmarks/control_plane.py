"""The control plane as `proa up --nodes 0` starts it: its start, its memory at rest, and creates while all of it is at work.

At work means: 50 Nodes (objects, nobody runs them) for the scheduler to bind to, all controllers, and 100 watchers of all Pods.
"""

import time

from benchmarks import wrk
from benchmarks.cluster import Cluster, cluster
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, memory
from benchmarks.target import Target
from benchmarks.watches import WATCHERS, watching
from benchmarks.workload import PODS, Document, pod, prepare

NODES = 50
SECONDS = 5.0
SETTLE = 3.0


def measure() -> list[Figure]:
    with cluster(0) as started:
        time.sleep(SETTLE)
        return [
            Figure("`proa up --nodes 0`, all of it", started.seconds, "s", note="certificates, API, controllers and scheduler"),
            *at_rest(started),
            *_at_work(started),
        ]


def at_rest(started: Cluster) -> list[Figure]:
    """PSS of each process, and of the control plane together."""
    each = {name: memory(pid).pss for name, pid in started.parts().items()}
    control_plane = sum(size for name, size in each.items() if "/" not in name)
    figures = [Figure(f"memory at rest, {name}: PSS", size, "MB") for name, size in each.items()]
    return [*figures, Figure("memory at rest, control plane, all processes: PSS", control_plane, "MB", "<= 100", "365 (API server, RSS)")]


def _at_work(started: Cluster) -> list[Figure]:
    target = started.target()
    prepare(target)
    for number in range(NODES):
        target.ensure("/api/v1/nodes", _node(number))
    with watching(target) as watchers:
        pids = started.processes()
        before = {pid: cpu_seconds(pid) for pid in pids}
        outcome = wrk.run(target, wrk.Load("POST", PODS, pod("busy")), SECONDS)
        bound = _bound(target)
        used = sum(cpu_seconds(pid) - before[pid] for pid in pids if pid != target.pid)
        events = watchers.events()
    note = (
        f"API server CPU {outcome.cpu * 1e6:.0f} us a create, all that follows included; the other processes {used:.1f} s of CPU in "
        f"{SECONDS:.0f} s; {bound:,} of {outcome.requests:,} Pods bound by then; {events:,} events delivered"
    )
    name = f"durable Pod creates, with scheduler, controllers and {WATCHERS} watchers at work"
    return [Figure(name, outcome.rate, "/s", note=note)]


def _bound(target: Target) -> int:
    return len(target.request("GET", f"{PODS}?fieldSelector=spec.nodeName%21%3D")["items"])


def _node(number: int) -> Document:
    resources = {"cpu": "64", "memory": "256Gi", "pods": "10000", "ephemeral-storage": "100Gi"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": {"kubernetes.io/hostname": f"node-{number}"}},
        "status": {"capacity": resources, "allocatable": resources, "conditions": [ready]},
    }
