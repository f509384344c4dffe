"""Beyond the size from which vectors decide, users see the same."""

import asyncio
from typing import Any

from proa.api.kinds import NODES
from tests.unit.scheduler.objects import node, pod
from tests.unit.scheduler.stage import stage

NUMBER = 120
HOSTS = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
APART = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [HOSTS]}}


def test_pods_find_their_nodes_and_reasons_are_counted() -> None:
    async def main() -> Any:
        nodes = [node(f"n{number}", cpu="1", taints=[{"key": "k", "effect": "NoSchedule"}] * (number < 20)) for number in range(NUMBER)]
        async with stage(*nodes, node("large", cpu="4")) as built:
            for name in ("fits", "does not"):
                built.client.add(pod(name, cpu="3"))
            placed = await built.nodes()
            reason = built.condition("does not")[2]
            built.client.add(node("new", cpu="4"))
            return placed, reason, (await built.nodes())["does not"]

    reason = (
        "0/121 nodes are available: 101 Insufficient cpu, 20 node(s) had untolerated taint(s). preemption: 0/121 nodes are available: "
        "1 No preemption victims found for incoming pod, 120 Preemption is not helpful for scheduling."
    )
    assert asyncio.run(main()) == ({"fits": "large", "does not": ""}, reason, "new")


def test_each_pod_of_a_kind_gets_a_host_of_its_own_while_nodes_come_and_go() -> None:
    async def main() -> Any:
        async with stage(*(node(f"n{number}") for number in range(NUMBER))) as built:
            built.client.add(pod("first", labels={"app": "web"}, affinity=APART))
            await built.settle()
            for number in range(NUMBER, 300):
                built.client.add(node(f"n{number}"))
            for number in range(50, 60):
                built.client.remove(node(f"n{number}"))
            for number in range(289):
                built.client.add(pod(f"p{number}", labels={"app": "web"}, affinity=APART))
            await built.settle()
            used = set((await built.nodes()).values())
            built.client.add(pod("late", labels={"app": "web"}, affinity=APART))
            await built.settle()
            return used, built.condition("late")[2].partition(". ")[0], len(built.client.objects(NODES))

    everyone = {f"n{number}" for number in range(300) if not 50 <= number < 60}
    reason = "0/290 nodes are available: 290 node(s) didn't match pod anti-affinity rules"
    assert asyncio.run(main()) == (everyone, reason, 290)


def test_a_promised_place_is_kept_free() -> None:
    async def main() -> Any:
        nodes = [node(f"n{number}", cpu="1") for number in range(NUMBER)]
        filling = [pod(f"q{number}", cpu="1", on=f"n{number}", priority=number) for number in range(NUMBER)]
        async with stage(*nodes, *filling, pod("p", cpu="1", priority=500)) as built:
            await built.settle()
            built.client.add(pod("greedy", cpu="1", priority=0, preemptionPolicy="Never"))
            built.client.remove(pod("q0"))
            await built.settle()
            placed = await built.nodes()
            return placed["p"], placed["greedy"]

    assert asyncio.run(main()) == ("n0", "")
