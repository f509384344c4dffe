"""Admission through the front door: limits, Pod Security, quotas and their controller, classes."""

import asyncio
from typing import Any

import pytest

from proa.apiserver.interface import MASTERS_GROUP
from tests.integration.conftest import Api, Run

PODS = "/api/v1/namespaces/default/pods"
QUOTAS = "/api/v1/namespaces/default/resourcequotas"
BASELINE = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}


def pod(name: str = "p", **container: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i", **container}]}}


async def quota(api: Api, hard: dict[str, str], used: dict[str, str]) -> None:
    """A quota that the controller has taken note of."""
    made = (await api("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}})).body
    answer = await api("PUT", f"{QUOTAS}/q/status", {**made, "status": {"hard": hard, "used": used}})
    assert answer.status == 200, answer.body


def test_limits_are_filled_in_and_enforced(run: Run) -> None:
    async def scenario(api: Api) -> None:
        limit = {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}
        body = {"metadata": {"name": "l"}, "spec": {"limits": [limit]}}
        assert (await api("POST", "/api/v1/namespaces/default/limitranges", body)).status == 201
        made = (await api("POST", PODS, pod())).body
        assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
        refused = await api("POST", PODS, pod("q", resources={"limits": {"cpu": "3"}}))
        why = "maximum cpu usage per Container is 2, but limit is 3"
        assert refused.summary == (403, "Forbidden", f'pods "q" is forbidden: {why}')

    run(scenario)


def test_pod_security_refuses_and_warns(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, pod("before", securityContext={"privileged": True}))
        tightened = await api.patch("merge", "/api/v1/namespaces/default", BASELINE)
        assert tightened.warnings == [
            '299 - "existing pods in namespace \\"default\\" violate the new PodSecurity enforce level \\"baseline:latest\\""',
            '299 - "before: privileged"',
        ]
        words = 'violate{} PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)'
        refused = await api("POST", PODS, pod(securityContext={"privileged": True}))
        assert refused.summary == (403, "Forbidden", f'pods "p" is forbidden: {words.format("s")}')
        assert (await api("POST", PODS, pod())).status == 201
        template = {"metadata": {"labels": {"a": "b"}}, "spec": pod(securityContext={"privileged": True})["spec"]}
        body = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
        made = await api("POST", "/apis/apps/v1/namespaces/default/deployments", body)
        told = f"would {words.format('')}".replace('"', '\\"')
        assert (made.status, made.warnings) == (201, [f'299 - "{told}"'])

    run(scenario)


def test_a_quota_is_charged_and_full_at_the_end(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await quota(api, {"pods": "3", "configmaps": "1"}, {"pods": "0", "configmaps": "0"})
        assert (await api("POST", f"{PODS}?dryRun=All", pod("dry"))).status == 201
        answers = await asyncio.gather(*(api("POST", PODS, pod(f"p{index}")) for index in range(5)))
        refused = [answer for answer in answers if answer.status != 201]
        assert sorted(answer.status for answer in answers) == [201, 201, 201, 403, 403]
        why = "exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3"
        assert {answer.body["message"].partition(": ")[2] for answer in refused} == {why}
        assert (await api("GET", f"{QUOTAS}/q")).body["status"]["used"] == {"pods": "3", "configmaps": "0"}
        maps = "/api/v1/namespaces/default/configmaps"
        assert (await api("POST", maps, {"metadata": {"name": "m"}})).status == 201
        assert (await api("POST", maps, {"metadata": {"name": "n"}})).summary[0] == 403

    run(scenario)


def test_the_controller_counts_what_is_there(run: Run) -> None:
    from proa.client.informer import InformerFactory
    from proa.client.loopback import LoopbackClient
    from proa.controllers import resource_quota
    from proa.controllers.context import ControllerContext
    from proa.controllers.options import ControllerOptions
    from proa.controllers.rehearsal import EventLog
    from proa.runtime.manager import Manager

    async def scenario(api: Api) -> None:
        client = LoopbackClient(api.server.handler, "controller", (MASTERS_GROUP,))
        informers = InformerFactory(client, clock=api.clock)
        context = ControllerContext("resourcequota-controller", client, informers, EventLog(), api.clock, ControllerOptions())
        running = asyncio.ensure_future(Manager(informers, [resource_quota.build(context)]).run())
        hard = {"pods": "2", "count/deployments.apps": "1"}
        await api("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}})
        watch = await api.watch(f"{QUOTAS}?watch=1")

        async def until(used: dict[str, str]) -> None:
            while (await watch.next())["object"].get("status", {}).get("used") != used:
                pass

        await until({"pods": "0", "count/deployments.apps": "0"})
        assert (await api("POST", PODS, pod())).status == 201
        await until({"pods": "1", "count/deployments.apps": "0"})
        await api("DELETE", f"{PODS}/p")
        await until({"pods": "0", "count/deployments.apps": "0"})
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(scenario)


@pytest.mark.parametrize("extra", [{"runtimeClassName": "gone"}])
def test_runtime_classes_must_exist(run: Run, extra: dict[str, Any]) -> None:
    async def scenario(api: Api) -> None:
        body = pod()
        body["spec"] |= extra
        assert (await api("POST", PODS, body)).summary == (
            403, "Forbidden", 'pods "p" is forbidden: pod rejected: RuntimeClass "gone" not found',
        )  # fmt: skip

    run(scenario)


def test_claims_and_ingresses_get_default_classes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        mark = {"storageclass.kubernetes.io/is-default-class": "true"}
        storage = {"metadata": {"name": "fast", "annotations": mark}, "provisioner": "example.com/p"}
        assert (await api("POST", "/apis/storage.k8s.io/v1/storageclasses", storage)).status == 201
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = await api("POST", "/api/v1/namespaces/default/persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})
        assert claim.body["spec"]["storageClassName"] == "fast"
        mark = {"ingressclass.kubernetes.io/is-default-class": "true"}
        ingress_class = {"metadata": {"name": "web", "annotations": mark}, "spec": {"controller": "example.com/c"}}
        assert (await api("POST", "/apis/networking.k8s.io/v1/ingressclasses", ingress_class)).status == 201
        backend = {"service": {"name": "s", "port": {"number": 80}}}
        body = {"metadata": {"name": "i"}, "spec": {"defaultBackend": backend}}
        made = await api("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", body)
        assert made.body["spec"]["ingressClassName"] == "web"

    run(scenario)
