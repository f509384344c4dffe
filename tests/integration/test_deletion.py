"""What DELETE leaves behind and answers: finalizers, grace periods, propagation, namespaces, collections."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
PODS = f"{NS}/pods"


async def make_map(api: Api, name: str = "a", **metadata: Any) -> Any:
    return (await api("POST", MAPS, {"metadata": {"name": name, **metadata}})).body


async def make_bound_pod(api: Api) -> Any:
    await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    await api("POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}})
    return (await api("GET", f"{PODS}/p")).body


def test_what_nothing_holds_is_gone_at_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await make_map(api)
        answer = await api("DELETE", f"{MAPS}/a")
        details = {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
        expected = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        assert (answer.status, answer.body) == (200, expected)
        assert (await api("GET", f"{MAPS}/a")).status == 404

    run(scenario)


def test_a_finalizer_holds_it_until_it_is_removed(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_map(api, finalizers=["example.com/hold"])
        marked = (await api("DELETE", f"{MAPS}/a")).body["metadata"]
        assert (marked["deletionTimestamp"], marked["deletionGracePeriodSeconds"]) == ("2030-01-01T00:00:00Z", 0)
        again = await api("POST", MAPS, {"metadata": {"name": "a"}})
        assert again.summary == (409, "AlreadyExists", 'object is being deleted: configmaps "a" already exists')
        released = await api.patch("merge", f"{MAPS}/a", {"metadata": {"finalizers": None}})
        assert released.status == 200
        assert (await api("GET", f"{MAPS}/a")).status == 404

    run(scenario)


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]), ({"propagationPolicy": "Orphan"}, ["orphan"])],
    ids=["foreground", "orphan"],
)
def test_propagation_leaves_the_collector_its_finalizer(run: Run, options: dict[str, str], finalizers: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await make_map(api)
        kept = (await api("DELETE", f"{MAPS}/a", options)).body
        assert kept["metadata"]["finalizers"] == finalizers

    run(scenario)


def test_a_pod_gets_its_grace_period(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_bound_pod(api)
        marked = (await api("DELETE", f"{PODS}/p")).body["metadata"]
        assert (marked["deletionTimestamp"], marked["deletionGracePeriodSeconds"]) == ("2030-01-01T00:00:30Z", 30)
        shorter = (await api("DELETE", f"{PODS}/p?gracePeriodSeconds=5")).body["metadata"]
        assert (shorter["deletionTimestamp"], shorter["deletionGracePeriodSeconds"]) == ("2030-01-01T00:00:05Z", 5)
        gone = await api("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
        assert (gone.status, gone.body["kind"]) == (200, "Pod")
        assert (await api("GET", f"{PODS}/p")).status == 404

    run(scenario)


def test_an_unscheduled_pod_goes_at_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        await api("DELETE", f"{PODS}/p")
        assert (await api("GET", f"{PODS}/p")).status == 404

    run(scenario)


@pytest.mark.parametrize("bound", [False, True])
def test_watchers_of_pods_see_the_mark_before_the_end(run: Run, bound: bool) -> None:
    async def scenario(api: Api) -> None:
        if bound:
            await make_bound_pod(api)
        else:
            await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        watch = await api.watch(f"{PODS}?watch=1")
        await watch.take(1)
        gone = (await api("DELETE", f"{PODS}/p?gracePeriodSeconds=0")).body
        marked, deleted = await watch.next(), await watch.next()
        assert [marked["type"], deleted["type"]] == ["MODIFIED", "DELETED"]
        for obj in (marked["object"], deleted["object"], gone):
            assert (obj["metadata"]["deletionTimestamp"], obj["metadata"]["deletionGracePeriodSeconds"]) == ("2030-01-01T00:00:00Z", 0)
        assert int(marked["object"]["metadata"]["resourceVersion"]) < int(deleted["object"]["metadata"]["resourceVersion"])

    run(scenario)


def test_a_dry_run_deletes_nothing(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_map(api)
        assert (await api("DELETE", f"{MAPS}/a?dryRun=All")).status == 200
        assert (await api("GET", f"{MAPS}/a")).status == 200

    run(scenario)


def test_a_namespace_waits_for_its_content(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})).body
        assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
        marked = (await api("DELETE", "/api/v1/namespaces/n")).body
        assert marked["status"]["phase"] == "Terminating"
        busy = await api("DELETE", "/api/v1/namespaces/n")
        assert busy.summary[:2] == (409, "Conflict")
        refused = await api("POST", "/api/v1/namespaces/n/configmaps", {"metadata": {"name": "late"}})
        text = 'configmaps "late" is forbidden: unable to create new content in namespace n because it is being terminated'
        assert refused.summary == (403, "Forbidden", text)
        marked["spec"] = {}
        assert (await api("PUT", "/api/v1/namespaces/n/finalize", marked)).status == 200
        assert (await api("GET", "/api/v1/namespaces/n")).status == 404

    run(scenario)


def test_a_collection_is_deleted_by_selector(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_map(api, "a", labels={"x": "1"})
        await make_map(api, "b", labels={"x": "2"})
        listed = (await api("DELETE", f"{MAPS}?labelSelector=x%3D1")).body
        assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("ConfigMapList", ["a"])
        assert [item["metadata"]["name"] for item in (await api("GET", MAPS)).body["items"]] == ["b"]

    run(scenario)


async def make_budget(api: Api, allowed: int) -> None:
    base = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"x": "1"}}}}
    made = (await api("POST", base, budget)).body
    made["status"] = {
        "disruptionsAllowed": allowed, "currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 2, "observedGeneration": 1,
    }  # fmt: skip
    await api("PUT", f"{base}/b/status", made)


async def make_ready_pod(api: Api) -> None:
    pod = await make_bound_pod(api)
    pod["metadata"]["labels"] = {"x": "1"}
    pod = (await api("PUT", f"{PODS}/p", pod)).body
    pod["status"] |= {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await api("PUT", f"{PODS}/p/status", pod)


def test_an_eviction_obeys_the_budget(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_ready_pod(api)
        await make_budget(api, 0)
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
        refused = await api("POST", f"{PODS}/p/eviction", eviction)
        assert refused.summary == (429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")
        cause = {"reason": "DisruptionBudget", "message": "The disruption budget b needs 1 healthy pods and has 1 currently"}
        assert refused.body["details"]["causes"] == [cause]

    run(scenario)


def test_an_eviction_charges_the_budget_and_deletes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_ready_pod(api)
        await make_budget(api, 1)
        done = await api("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
        assert (done.status, done.body["status"]) == (201, "Success")
        assert "deletionTimestamp" in (await api("GET", f"{PODS}/p")).body["metadata"]
        status = (await api("GET", "/apis/policy/v1/namespaces/default/poddisruptionbudgets/b")).body["status"]
        assert (status["disruptionsAllowed"], list(status["disruptedPods"])) == (0, ["p"])

    run(scenario)
