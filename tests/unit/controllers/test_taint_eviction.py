"""Who is evicted, and when."""

import asyncio
from typing import Any

import pytest

from proa.api.kinds import NODES, PODS
from proa.api.meta import Object
from proa.controllers.rehearsal import rehearse
from proa.controllers.taint_eviction import build, seconds_tolerated

TAINT = {"key": "k", "value": "v", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0.0),
        ([{"operator": "Exists"}], None),
        ([{"key": "k", "operator": "Exists", "tolerationSeconds": 300}], 300.0),
        ([{"key": "k", "operator": "Exists", "tolerationSeconds": -1}], 0.0),
    ],
)
def test_seconds(tolerations: list[Object], expected: float | None) -> None:
    assert seconds_tolerated([TAINT], tolerations) == expected


def pod(name: str, seconds: int | None = None) -> dict[str, Any]:
    tolerations = [] if seconds is None else [{"key": "k", "operator": "Exists", "tolerationSeconds": seconds}]
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n"},
        "spec": {"nodeName": "a", "tolerations": tolerations}, "status": {"phase": "Running"},
    }  # fmt: skip


NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {}}


def test_pods_leave_after_their_toleration_unless_the_taint_goes() -> None:
    async def main() -> None:
        async with rehearse(build, NODE, pod("now"), pod("later", 10), pod("spared", 60)) as stage:
            await stage.client.patch(NODES, "a", {"spec": {"taints": [TAINT]}})

            async def leaving() -> list[str]:
                await stage.settle()
                return [each["metadata"]["name"] for each in stage.objects(PODS) if "deletionTimestamp" in each["metadata"]]

            assert await leaving() == ["now"]
            await stage.settle(11)
            assert await leaving() == ["later", "now"]
            await stage.client.patch(NODES, "a", {"spec": {"taints": None}})
            await stage.settle(100)
            assert await leaving() == ["later", "now"]
            condition = next(each["status"]["conditions"][0] for each in stage.objects(PODS) if each["metadata"]["name"] == "now")
            assert (condition["type"], condition["reason"]) == ("DisruptionTarget", "DeletionByTaintManager")
            assert stage.events == [
                "Pod now Normal TaintManagerEviction: Marking for deletion Pod n/now",
                "Pod later Normal TaintManagerEviction: Marking for deletion Pod n/later",
                "Pod spared Normal TaintManagerEviction: Cancelling deletion of Pod n/spared",
            ]

    asyncio.run(main())
