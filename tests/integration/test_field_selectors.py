"""What each kind can be selected by, and how it refuses the rest."""

import pytest

from tests.integration.conftest import Api, Run

DEFAULT = ' is not a known field selector: only "metadata.name", "metadata.namespace"'

REFUSED: list[tuple[str, str, str]] = [
    ("/api/v1/pods", "spec.x=1", "field label not supported: spec.x"),
    ("/api/v1/nodes", "metadata.namespace=a", "field label not supported: metadata.namespace"),
    ("/api/v1/namespaces", "metadata.namespace=a", "field label not supported: metadata.namespace"),
    ("/api/v1/namespaces", "spec.x=1", "field label not supported: spec.x"),
    ("/api/v1/secrets", "data.x=1", "field label not supported: data.x"),
    ("/api/v1/services", "spec.x!=1", "field label not supported: spec.x"),
    ("/api/v1/events", "regarding.name=1", "field label not supported: regarding.name"),
    ("/apis/events.k8s.io/v1/events", "involvedObject.name=1", "field label not supported: involvedObject.name"),
    ("/apis/batch/v1/jobs", "spec.x=1", 'field label "spec.x" not supported for Job'),
    ("/apis/batch/v1/cronjobs", "spec.x=1", f'"spec.x"{DEFAULT}'),
    ("/apis/apps/v1/deployments", "spec.replicas=1", f'"spec.replicas"{DEFAULT}'),
    ("/api/v1/configmaps", "metadata.name=a,data.a=b", f'"data.a"{DEFAULT}'),
    ("/api/v1/persistentvolumes", "spec.x=1", f'"spec.x"{DEFAULT}'),
    ("/apis/certificates.k8s.io/v1/certificatesigningrequests", "spec.x=1", "field label not supported: spec.x"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "selector", "message"), REFUSED, ids=[f"{path} {selector}" for path, selector, _ in REFUSED])
@pytest.mark.parametrize("query", ["", "watch=1&"])
def test_refused(run: Run, path: str, selector: str, message: str, query: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", f"{path}?{query}fieldSelector={selector.replace('=', '%3D')}")
        assert answer.summary == (400, "BadRequest", message)

    run(scenario)


def test_fields_of_the_cluster_and_old_names(run: Run) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("GET", "/api/v1/persistentvolumes?fieldSelector=metadata.namespace%3Da")).body["items"] == []
        pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}}
        await api("POST", "/api/v1/namespaces/default/pods", pod)
        listed = await api("GET", "/api/v1/pods?fieldSelector=spec.host%3Dn")
        assert [item["metadata"]["name"] for item in listed.body["items"]] == ["p"]

    run(scenario)


def test_a_watch_of_one_name(run: Run) -> None:
    async def scenario(api: Api) -> None:
        maps = "/api/v1/namespaces/default/configmaps"
        for name in ("a", "b"):
            await api("POST", maps, {"metadata": {"name": name}})
        for target in (
            "/api/v1/watch/namespaces/default/configmaps/a", f"{maps}?watch=1&fieldSelector=metadata.name%3Da",
            "/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=metadata.name%3Da",
        ):  # fmt: skip
            watch = await api.watch(f"{target}{'&' if '?' in target else '?'}timeoutSeconds=-1")
            assert [await watch.take(1), await watch.next()] == [[("ADDED", "a")], None]
        refused = await api("GET", "/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=metadata.name%3Db")
        assert refused.summary == (400, "BadRequest", "fieldSelector metadata.name doesn't match requested name")
        everywhere = await api.watch("/api/v1/watch/configmaps?timeoutSeconds=-1&labelSelector=none")
        assert await everywhere.next() is None

    run(scenario)
