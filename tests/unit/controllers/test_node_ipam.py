"""Pod CIDRs of nodes."""

import asyncio
import ipaddress
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import NODES
from proa.controllers.node_ipam import build, free_block
from proa.controllers.rehearsal import Stage, rehearse


def node(name: str, cidr: str = "") -> dict[str, Any]:
    spec = {"podCIDR": cidr, "podCIDRs": [cidr]} if cidr else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}


def cidrs(stage: Stage) -> dict[str, Any]:
    return {meta.name(each): each["spec"].get("podCIDRs") for each in stage.objects(NODES)}


def test_nodes_keep_theirs_and_new_ones_get_free_ones() -> None:
    async def main() -> None:
        async with rehearse(build, node("a", "10.244.1.0/24"), node("b"), node("c"), cluster_cidr="10.244.0.0/16") as stage:
            assert cidrs(stage) == {"a": ["10.244.1.0/24"], "b": ["10.244.0.0/24"], "c": ["10.244.2.0/24"]}
            await stage.client.delete(NODES, "b")
            stage.client.add(node("d"))
            await stage.settle()
            assert cidrs(stage)["d"] == ["10.244.0.0/24"]

    asyncio.run(main())


def test_an_exhausted_range_is_told_and_used_again_when_a_node_goes() -> None:
    async def main() -> None:
        async with rehearse(build, node("a"), node("b"), cluster_cidr="10.244.0.0/24") as stage:
            assert cidrs(stage) == {"a": ["10.244.0.0/24"], "b": None}
            assert stage.events == ["Node b Normal CIDRNotAvailable: Node b status is now: CIDRNotAvailable"]
            await stage.client.delete(NODES, "a")
            await stage.settle()
            assert cidrs(stage) == {"b": ["10.244.0.0/24"]}

    asyncio.run(main())


def test_both_families() -> None:
    async def main() -> None:
        async with rehearse(build, node("a"), cluster_cidr="10.244.0.0/16,fd00::/56") as stage:
            assert cidrs(stage) == {"a": ["10.244.0.0/24", "fd00::/64"]}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("used", "free"), [([], "10.0.0.0/25"), (["10.0.0.0/26"], "10.0.0.128/25"), (["10.0.0.0/25", "10.0.0.128/25"], None)]
)
def test_free_block(used: list[str], free: str | None) -> None:
    found = free_block(ipaddress.ip_network("10.0.0.0/24"), 25, [ipaddress.ip_network(each) for each in used])
    assert (str(found) if found else None) == free
