"""Owners and their dependents, and namespaces with their content, with the real controllers on the real API."""

from typing import Any

import pytest

from proa.api import meta
from tests.integration.conftest import Answer, Api, Run
from tests.integration.controllers import until, working

CORE = "/api/v1/namespaces/default"
CONTROLLERS, PODS = f"{CORE}/replicationcontrollers", f"{CORE}/pods"
COLLECTOR = ("replication-controller", "generic-garbage-collector")
SPEC = {"containers": [{"name": "c", "image": "i"}]}


def controller(name: str, replicas: int = 2) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": SPEC}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {"app": name}, "template": template}}


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "spec": SPEC}


def count(wanted: int) -> Any:
    return lambda answer: len(answer.body["items"]) == wanted


def gone(answer: Answer) -> bool:
    return answer.status == 404


def delete_options(policy: str) -> dict[str, Any]:
    return {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}


async def grown(api: Api, name: str) -> list[Any]:
    """The pods of a new ReplicationController."""
    assert (await api("POST", CONTROLLERS, controller(name))).status == 201
    items: list[Any] = (await until(api, f"{PODS}?labelSelector=app%3D{name}", count(2))).body["items"]
    return items


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_dependents_go_with_their_owner(run: Run, policy: str) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, *COLLECTOR):
            await grown(api, "a")
            assert (await api("DELETE", f"{CONTROLLERS}/a", delete_options(policy))).status == 200
            await until(api, PODS, count(0))
            await until(api, f"{CONTROLLERS}/a", gone)

    run(scenario)


def test_in_the_foreground_the_owner_stays_until_the_last_dependent_is_gone(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, *COLLECTOR):
            first, *_ = await grown(api, "a")
            held = {"metadata": {"finalizers": ["example.com/hold"]}}
            assert (await api.patch("merge", f"{PODS}/{meta.name(first)}", held)).status == 200
            assert (await api("DELETE", f"{CONTROLLERS}/a", delete_options("Foreground"))).status == 200
            await until(api, PODS, count(1))
            for _ in range(50):
                await api.clock.advance(0.05)
            owner = (await api("GET", f"{CONTROLLERS}/a")).body
            assert (owner["metadata"]["finalizers"], meta.is_terminating(owner)) == (["foregroundDeletion"], True)
            assert (await api.patch("merge", f"{PODS}/{meta.name(first)}", {"metadata": {"finalizers": None}})).status == 200
            await until(api, f"{CONTROLLERS}/a", gone)

    run(scenario)


def test_orphans_stay_without_their_owner(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, *COLLECTOR):
            await grown(api, "a")
            assert (await api("DELETE", f"{CONTROLLERS}/a", delete_options("Orphan"))).status == 200
            await until(api, f"{CONTROLLERS}/a", gone)
            for _ in range(50):
                await api.clock.advance(0.05)
            left = (await api("GET", PODS)).body["items"]
            assert [meta.owner_references(each) for each in left] == [[], []]

    run(scenario)


def test_who_has_another_owner_stays_with_that_one(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, *COLLECTOR):
            pods = await grown(api, "going")
            await grown(api, "staying")
            other = (await api("GET", f"{CONTROLLERS}/staying")).body
            reference = {"apiVersion": "v1", "kind": "ReplicationController", "name": "staying", "uid": meta.uid(other)}
            references = [*meta.owner_references(pods[0]), reference]
            shared = f"{PODS}/{meta.name(pods[0])}"
            assert (await api.patch("merge", shared, {"metadata": {"ownerReferences": references}})).status == 200
            assert (await api("DELETE", f"{CONTROLLERS}/going", delete_options("Foreground"))).status == 200
            await until(api, f"{CONTROLLERS}/going", gone)
            await until(api, PODS, count(3))
            assert meta.owner_references((await api("GET", shared)).body) == [reference]

    run(scenario)


def test_a_circle_of_owners_goes_as_a_whole(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, *COLLECTOR):
            uids = {name: meta.uid((await api("POST", PODS, pod(name))).body) for name in ("a", "b", "c")}
            for name, owner in (("a", "c"), ("b", "a"), ("c", "b")):
                reference = {
                    "apiVersion": "v1", "kind": "Pod", "name": owner, "uid": uids[owner], "controller": True, "blockOwnerDeletion": True,
                }  # fmt: skip
                assert (await api.patch("merge", f"{PODS}/{name}", {"metadata": {"ownerReferences": [reference]}})).status == 200
            for _ in range(20):
                await api.clock.advance(0.05)
            assert (await api("DELETE", f"{PODS}/a", delete_options("Foreground"))).status == 200
            await until(api, PODS, count(0))

    run(scenario)


def test_a_namespace_loses_its_pods_first_and_says_what_holds_it(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, "namespace-controller"):
            assert (await api("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})).status == 201
            inside = "/api/v1/namespaces/n"
            assert (await api("POST", f"{inside}/serviceaccounts", {"metadata": {"name": "default"}})).status == 201
            assert (await api("POST", f"{inside}/configmaps", {"metadata": {"name": "c"}})).status == 201
            assert (await api("POST", f"{inside}/pods", pod("p", finalizers=["example.com/hold"]))).status == 201
            assert (await api("DELETE", inside)).status == 200
            told = await until(api, inside, lambda answer: bool(answer.body["status"].get("conditions")))
            conditions = {each["type"]: (each["status"], each["reason"], each["message"]) for each in told.body["status"]["conditions"]}
            assert conditions["NamespaceContentRemaining"] == (
                "True", "SomeResourcesRemain", "Some resources are remaining: pods. has 1 resource instances",
            )  # fmt: skip
            assert conditions["NamespaceFinalizersRemaining"] == (
                "True", "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
            )  # fmt: skip
            assert conditions["NamespaceDeletionContentFailure"][0] == "False"
            held = (await api("GET", f"{inside}/pods/p")).body
            assert (meta.is_terminating(held), (await api("GET", f"{inside}/configmaps/c")).status) == (True, 200)
            assert (await api.patch("merge", f"{inside}/pods/p", {"metadata": {"finalizers": None}})).status == 200
            await until(api, inside, gone, step=0.1)

    run(scenario)
