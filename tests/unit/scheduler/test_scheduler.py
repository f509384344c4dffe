"""The whole scheduler against a fake API: what users see of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from proa.api import meta
from proa.api.errors import InternalError
from proa.api.kinds import NODES, PODS
from proa.api.meta import Object
from proa.client.fake import Action
from tests.unit.scheduler.objects import node, pod
from tests.unit.scheduler.stage import Stage, stage

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


def on_stage(*objects: Object) -> Callable[[Callable[[Stage], Awaitable[Any]]], Any]:
    """Runs the decorated scenario at once and puts its result in its place."""

    def run(scenario: Callable[[Stage], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with stage(*objects) as built:
                return await scenario(built)

        return asyncio.run(main())

    return run


def test_a_pod_gets_a_node_and_an_event() -> None:
    @on_stage(node("a", cpu="1"), node("b", cpu="4"), pod("p", cpu="2"))
    async def seen(built: Stage) -> Any:
        return await built.nodes(), built.events.seen

    assert seen == ({"p": "b"}, [("p", "Scheduled", "Successfully assigned default/p to b")])


def test_important_pods_go_first_then_older_ones() -> None:
    @on_stage(node("a", cpu="1"), pod("first", cpu="1"), pod("vital", cpu="1", priority=5))
    async def seen(built: Stage) -> Any:
        return await built.nodes()

    assert seen == {"first": "", "vital": "a"}


def test_why_a_pod_waits_is_told_once() -> None:
    @on_stage(node("a", cpu="1"), node("b", taints=[TAINT]), pod("other", cpu="1", on="a"), pod("p", cpu="1"))
    async def seen(built: Stage) -> Any:
        await built.settle(60)
        patches = [each for each in built.client.actions if each.verb == "patch"]
        return built.condition("p"), built.events.seen, len(patches)

    message = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are available: "
        "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    )
    assert seen == (("False", "Unschedulable", message), [("p", "FailedScheduling", message)], 1)


def test_without_nodes() -> None:
    @on_stage(pod("p"))
    async def seen(built: Stage) -> Any:
        waiting = built.condition("p")
        built.client.add(node("a"))
        return waiting, await built.nodes()

    assert seen == (("False", "Unschedulable", "no nodes available to schedule pods"), {"p": "a"})


@pytest.mark.parametrize(
    ("help_comes", "expected"),
    [
        (lambda client: client.add(node("big", cpu="8")), "big"),
        (lambda client: client.remove(pod("other")), "a"),
        (lambda client: client.add(node("small", cpu="1")), ""),
        (lambda client: client.add(pod("third", on="a")), ""),
    ],
)
def test_a_waiting_pod_is_tried_again_when_something_may_help(help_comes: Callable[[Any], Any], expected: str) -> None:
    @on_stage(node("a"), pod("other", cpu="3", on="a"), pod("p", cpu="2"))
    async def seen(built: Stage) -> Any:
        help_comes(built.client)
        return (await built.nodes())["p"]

    assert seen == expected


def test_a_cordoned_node_is_used_once_it_is_free() -> None:
    @on_stage(node("a", unschedulable=True), pod("p"))
    async def seen(built: Stage) -> Any:
        before = await built.nodes(), built.condition("p")[2]
        await built.client.patch(NODES, "a", {"spec": {"unschedulable": None}})
        return before, await built.nodes()

    message = (
        "0/1 nodes are available: 1 node(s) were unschedulable. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    assert seen == (({"p": ""}, message), {"p": "a"})


def test_a_failed_binding_is_taken_back_and_tried_again() -> None:
    @on_stage(node("a", cpu="1"))
    async def seen(built: Stage) -> Any:
        failures = [InternalError("etcd is away")]

        def fail(action: Action) -> None:
            if action.subresource == "binding" and failures:
                raise failures.pop()

        built.client.react("create", "pods", fail)
        built.client.add(pod("p", cpu="1"))
        first = await built.nodes()
        await built.settle(3)
        return first, await built.nodes(), [each[1:] for each in built.events.seen]

    assert seen == (
        {"p": ""},
        {"p": "a"},
        [("FailedScheduling", "binding rejected: etcd is away"), ("Scheduled", "Successfully assigned default/p to a")],
    )


def test_gated_pods_wait_for_their_gates() -> None:
    @on_stage(node("a"), pod("p", schedulingGates=[{"name": "x.io/gate"}]))
    async def seen(built: Stage) -> Any:
        await built.settle()
        before = await built.nodes(), built.condition("p")
        await built.client.patch(PODS, "p", {"spec": {"schedulingGates": None}}, "default")
        return before, await built.nodes()

    gated = ("False", "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
    assert seen == (({"p": ""}, gated), {"p": "a"})


def test_other_schedulers_pods_are_left_alone_but_count() -> None:
    @on_stage(node("a", cpu="1"), pod("theirs", schedulerName="other"), pod("placed", cpu="1", on="a", schedulerName="other"))
    async def seen(built: Stage) -> Any:
        built.client.add(pod("p", cpu="1"))
        return await built.nodes()

    assert seen == {"theirs": "", "placed": "a", "p": ""}


def test_an_unsupported_constraint_is_named() -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "c"}}

    @on_stage(node("a"), pod("p", volumes=[volume]))
    async def seen(built: Stage) -> Any:
        return await built.nodes(), built.condition("p")[2]

    assert seen == (
        {"p": ""},
        "0/1 nodes are available: spec.volumes[0].persistentVolumeClaim is not supported by this scheduler yet. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    )


def test_a_pod_for_one_node_tells_of_the_others() -> None:
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}

    @on_stage(node("a", cpu="1"), node("b"), pod("fits", affinity=affinity), pod("big", cpu="2", affinity=affinity))
    async def seen(built: Stage) -> Any:
        return await built.nodes(), built.condition("big")[2].partition(" preemption")[0]

    message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    assert seen == ({"fits": "a", "big": ""}, message)


def test_a_deleted_pod_frees_its_place_also_while_it_is_assumed() -> None:
    @on_stage(node("a", cpu="1"), pod("p", cpu="1"))
    async def seen(built: Stage) -> Any:
        await built.settle()
        built.client.remove(pod("p"))
        await built.settle()
        built.client.add(pod("q", cpu="1"))
        return await built.nodes(), sorted(built.scheduler.cache.nodes["a"].pods)

    assert seen == ({"q": "a"}, ["default/q"])


def test_preemption_removes_as_little_as_it_can_and_waits_for_the_place() -> None:
    small = [pod("low", cpu="1", on="a", priority=1), pod("lower", cpu="1", on="a", priority=0), pod("high", cpu="2", on="a", priority=9)]

    @on_stage(node("a"), *small, pod("p", cpu="1", priority=5))
    async def seen(built: Stage) -> Any:
        await built.settle()
        waiting = next(each for each in built.client.objects(PODS) if meta.name(each) == "p")
        leaving = [meta.name(each) for each in built.client.objects(PODS) if meta.is_terminating(each)]
        built.client.add(pod("greedy", cpu="1", priority=2))
        meanwhile = (await built.nodes())["greedy"]
        built.client.remove(pod("lower"))
        await built.settle(2)
        return waiting["status"].get("nominatedNodeName"), leaving, meanwhile, (await built.nodes())["p"], built.events.seen[:2]

    message = "0/1 nodes are available: 1 Insufficient cpu."
    assert seen == (
        "a", ["lower"], "", "a",
        [("p", "FailedScheduling", message), ("lower", "Preempted", "Preempted by pod uid-p on node a")],
    )  # fmt: skip


def test_the_place_stays_promised_until_the_last_victim_has_left() -> None:
    victims = [pod("one", cpu="1", on="a"), pod("two", cpu="1", on="a")]

    @on_stage(node("a", cpu="2"), *victims, pod("p", cpu="2", priority=5))
    async def seen(built: Stage) -> Any:
        await built.settle()
        built.client.remove(pod("one"))
        await built.settle(11)
        reason = built.condition("p")[2]
        built.client.add(pod("greedy", cpu="1", priority=2))
        meanwhile = (await built.nodes())["greedy"]
        built.client.remove(pod("two"))
        await built.settle(11)
        return reason.partition("preemption: ")[2], meanwhile, await built.nodes()

    assert seen == ("not eligible due to a terminating pod on the nominated node.", "", {"greedy": "", "p": "a"})


def test_a_pod_that_must_not_preempt_does_not() -> None:
    @on_stage(node("a", cpu="1"), pod("low", cpu="1", on="a"), pod("p", cpu="1", priority=5, preemptionPolicy="Never"))
    async def seen(built: Stage) -> Any:
        return await built.nodes(), built.condition("p")[2]

    message = "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
    assert seen == ({"low": "a", "p": ""}, message)
