"""How many scheduling cycles a second: `python -m benchmarks.scheduler [--nodes 5000] [--pods 3000] [--profile]`.

A cycle is everything but the API: the pod is read from a dict as an informer hands it out, decided on, and assumed. Nodes are in 3 zones;
kinds of pods: plain (a Deployment's pods, spread softly over hosts and zones as its ReplicaSet implies), alone (no owner), varied (requests
differ from pod to pod), zones and hosts (hard spread constraints), apart (required anti-affinity over hosts), full (nothing fits).
"""

import argparse
import asyncio
import cProfile
import pstats
import random
import resource
import time
from collections.abc import Callable
from typing import Any

from proa.api.kinds import REPLICA_SETS
from proa.client.fake import FakeClient
from proa.client.informer import InformerFactory
from proa.lib.clock import SystemClock
from proa.scheduler.cache import Cache
from proa.scheduler.nominator import Nominator
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.registry import build_framework
from proa.scheduler.scheduling_cycle import SchedulingCycle

Object = dict[str, Any]
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "rs-1", "controller": True}
REPLICA_SET = {
    "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "default", "uid": "rs-1"},
    "spec": {"selector": {"matchLabels": {"app": "web"}}},
}  # fmt: skip
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for state in ("not-ready", "unreachable")
]


def node(number: int) -> Object:
    labels = {"kubernetes.io/hostname": f"n{number}", "topology.kubernetes.io/zone": f"z{number % 3}"}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{number}", "labels": labels}, "spec": {},
        "status": {"allocatable": {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi"}},
    }  # fmt: skip


def pod(number: int, cpu: str = "100m", **spec: Any) -> Object:
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": f"p{number}", "namespace": "default", "uid": f"u{number}", "labels": {"app": "web"}, "ownerReferences": [OWNER],
        },
        "spec": {
            "containers": [{"name": "web", "image": "web:1", "resources": {"requests": {"cpu": cpu, "memory": "128Mi"}}}],
            "tolerations": TOLERATIONS, "priority": 0, **spec,
        },
    }  # fmt: skip


def spread(key: str) -> Object:
    constraint = {
        "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    return {"topologySpreadConstraints": [constraint]}


def alone(number: int) -> Object:
    found = pod(number)
    del found["metadata"]["ownerReferences"]
    return found


APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}
KINDS: dict[str, Callable[[int], Object]] = {
    "plain": pod,
    "alone": alone,
    "varied": lambda number: pod(number, cpu=f"{50 + number % 997}m"),
    "zones": lambda number: pod(number, **spread("topology.kubernetes.io/zone")),
    "hosts": lambda number: pod(number, **spread("kubernetes.io/hostname")),
    "apart": lambda number: pod(number, affinity=APART),
    "full": lambda number: pod(number, cpu="64"),
}


async def measure(kind: str, nodes: int, pods: int) -> tuple[float, int]:
    """Cycles a second of CPU time (nothing in a cycle waits), and pods placed."""
    client = FakeClient(REPLICA_SET)
    informers = InformerFactory(client)
    cache, nominator = Cache(SystemClock()), Nominator()
    framework = build_framework(client, informers, cache, nominator, random.randrange)
    cycle = SchedulingCycle(framework, cache, nominator, random.randrange)
    informers.informer(REPLICA_SETS)
    await informers.start()
    await informers.wait_synced()
    for number in range(nodes):
        cache.set_node(node(number))
    waiting = [KINDS[kind](number) for number in range(pods + 1)]
    cycle.decide(PodInfo(waiting.pop()))
    placed = 0
    started = time.process_time()
    for each in waiting:
        info = PodInfo(each)
        decision = cycle.decide(info)
        if decision.node:
            cache.assume(info, decision.node)
            placed += 1
    seconds = time.process_time() - started
    await informers.stop()
    return len(waiting) / seconds, placed


def main() -> None:
    parser = argparse.ArgumentParser(description="Scheduling cycles a second.")
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--pods", type=int, default=3000)
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    profile = cProfile.Profile()
    for kind in options.kinds:
        if options.profile:
            profile.enable()
        rate, placed = asyncio.run(measure(kind, options.nodes, options.pods))
        profile.disable()
        print(f"{kind:8} {rate:8,.0f} cycles/s  ({placed} of {options.pods} pods placed on {options.nodes} nodes)")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
