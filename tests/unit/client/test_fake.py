"""The fake keeps the promises that loops rely on."""

import asyncio
from typing import Any

import pytest

from proa.api import errors, meta
from proa.api.kinds import DEPLOYMENTS, NAMESPACES, PODS
from proa.client.fake import Action, FakeClient
from proa.client.interface import STRATEGIC_MERGE_PATCH, WatchEvent
from proa.lib.clock import VirtualClock


def pod(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": {}}


async def next_event(events: Any) -> tuple[str, str]:
    event: WatchEvent = await asyncio.wait_for(anext(events), 1)
    return event.type, meta.name(event.object)


def test_watch_follows_from_a_version_and_selects() -> None:
    async def scenario() -> None:
        client = FakeClient(pod("a", app="x"))
        listed = await client.list(PODS, label_selector="app=x")
        assert [meta.name(each) for each in listed.items] == ["a"]
        events = client.watch(PODS, resource_version=listed.resource_version, label_selector="app=x")
        await client.create(PODS, pod("b"))
        await client.create(PODS, pod("c", app="x"))
        await client.patch(PODS, "b", {"metadata": {"labels": {"app": "x"}}}, "default")
        await client.patch(PODS, "c", {"metadata": {"labels": {"app": None}}}, "default")
        assert [await next_event(events) for _ in range(3)] == [("ADDED", "c"), ("ADDED", "b"), ("DELETED", "c")]

    asyncio.run(scenario())


def test_old_resource_version_conflicts_and_is_logged() -> None:
    async def scenario() -> None:
        client = FakeClient(pod("a"))
        stale = await client.get(PODS, "a", "default")
        await client.patch(PODS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
        with pytest.raises(errors.Conflict):
            await client.update(PODS, stale)
        assert [(each.verb, each.name) for each in client.actions] == [("patch", "a"), ("update", "a")]

    asyncio.run(scenario())


def test_status_and_spec_are_written_apart_and_generation_counts_spec() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": {"replicas": 1}}

    async def scenario() -> None:
        client = FakeClient()
        created = await client.create(DEPLOYMENTS, {**deployment, "status": {"replicas": 9}})
        assert "status" not in created
        await client.update(DEPLOYMENTS, {**created, "spec": {"replicas": 2}, "status": {"replicas": 1}}, subresource="status")
        changed = await client.patch(DEPLOYMENTS, "d", {"spec": {"replicas": 3}, "status": {"replicas": 7}}, "n")
        assert (changed["spec"], changed["status"], changed["metadata"]["generation"]) == ({"replicas": 3}, {"replicas": 1}, 2)

    asyncio.run(scenario())


def test_finalizers_and_grace_hold_objects_back() -> None:
    async def scenario() -> None:
        held, bound = pod("held"), pod("bound")
        held["metadata"]["finalizers"] = ["x/y"]
        bound["spec"] = {"nodeName": "n1"}
        client = FakeClient(held, bound, pod("free"), clock=VirtualClock())
        for name in ("held", "bound", "free"):
            await client.delete(PODS, name, "default")
        stamp = "2030-01-01T00:00:00Z"
        assert {meta.name(each): each["metadata"]["deletionTimestamp"] for each in client.objects(PODS)} == {"held": stamp, "bound": stamp}
        await client.patch(PODS, "held", {"metadata": {"finalizers": None}}, "default")
        await client.delete(PODS, "bound", "default", grace_period_seconds=0)
        assert client.objects(PODS) == []

    asyncio.run(scenario())


def test_binding_sets_the_node_once() -> None:
    async def scenario() -> None:
        client = FakeClient(pod("a"))
        binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}}
        await client.create(PODS, binding, name="a", namespace="default", subresource="binding")
        assert (await client.get(PODS, "a", "default"))["spec"] == {"nodeName": "n1"}
        with pytest.raises(errors.Conflict):
            await client.create(PODS, binding, name="a", namespace="default", subresource="binding")

    asyncio.run(scenario())


def test_strategic_patch_merges_conditions_by_type() -> None:
    async def scenario() -> None:
        client = FakeClient(pod("a") | {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]}}
        changed = await client.patch(PODS, "a", patch, "default", patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
        assert changed["status"]["conditions"] == [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]

    asyncio.run(scenario())


def test_reactions_make_requests_fail_and_compaction_expires_watches() -> None:
    async def scenario() -> None:
        client = FakeClient(pod("a"))

        def refuse(action: Action) -> None:
            raise errors.Forbidden.of("", "pods", action.name, "no")

        client.react("delete", "pods", refuse)
        with pytest.raises(errors.Forbidden):
            await client.delete(PODS, "a", "default")
        await client.patch(PODS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
        client.compact()
        with pytest.raises(errors.Expired):
            await anext(client.watch(PODS, resource_version="1"))

    asyncio.run(scenario())


def test_namespace_goes_when_it_is_finalized() -> None:
    async def scenario() -> None:
        client = FakeClient({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}})
        await client.delete(NAMESPACES, "n")
        assert client.objects(NAMESPACES)[0]["status"] == {"phase": "Terminating"}
        await client.request("PUT", "/api/v1/namespaces/n/finalize", body=b'{"metadata": {"name": "n"}, "spec": {}}')
        assert client.objects(NAMESPACES) == []

    asyncio.run(scenario())
