"""What the server makes at its start, and keeps while it runs."""

import base64

import pytest
import yaml

from tests.integration.conftest import Api, Run
from tests.integration.controllers import until

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"


def test_anybody_may_read_how_to_reach_the_cluster(run: Run) -> None:
    async def scenario(api: Api) -> None:
        identity = {"x_remote_user": "system:anonymous", "x_remote_group": "system:unauthenticated"}
        found = await api("GET", INFO, **identity)
        assert found.status == 200
        config = yaml.safe_load(found.body["data"]["kubeconfig"])
        cluster = config["clusters"][0]["cluster"]
        assert cluster["server"] == "https://10.0.0.9:6443"
        assert base64.b64decode(cluster["certificate-authority-data"]) == api.server.config.client_ca.read_bytes()
        assert (await api("GET", INFO.rpartition("/")[0], **identity)).status == 403

    run(scenario)


def test_the_server_has_a_lease_that_it_renews_and_those_of_the_dead_go(run: Run) -> None:
    async def scenario(api: Api) -> None:
        dead = {"metadata": {"name": "apiserver-x", "labels": {"apiserver.kubernetes.io/identity": "kube-apiserver"}}}
        spec = {"leaseDurationSeconds": 60, "renewTime": "2000-01-01T00:00:00.000000Z"}
        assert (await api("POST", LEASES, dead | {"spec": spec})).status == 201
        query = f"{LEASES}?labelSelector=apiserver.kubernetes.io%2Fidentity%3Dkube-apiserver"
        both = await until(api, query, lambda answer: len(answer.body["items"]) == 2)
        own = next(each for each in both.body["items"] if each["metadata"]["name"] != "apiserver-x")
        assert own["metadata"]["name"].startswith("apiserver-")
        assert own["spec"]["holderIdentity"].startswith(f"{own['metadata']['name']}_")
        assert own["spec"]["leaseDurationSeconds"] == 3600
        await api.clock.advance(11)
        path = f"{LEASES}/{own['metadata']['name']}"
        await until(api, path, lambda answer: answer.body["spec"]["renewTime"] > own["spec"]["renewTime"])
        await until(api, query, lambda answer: len(answer.body["items"]) == 1, step=10)

    run(scenario)


@pytest.mark.parametrize(
    "path",
    [
        f"{KUBE_SYSTEM}/configmaps/kube-apiserver-legacy-service-account-token-tracking",
        f"{KUBE_SYSTEM}/configmaps/extension-apiserver-authentication",
        "/api/v1/namespaces/default/services/kubernetes",
        "/api/v1/namespaces/default/endpoints/kubernetes",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes",
    ],
)
def test_what_the_server_lives_on_comes_back(run: Run, path: str) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("DELETE", path)).status == 200
        await until(api, path, lambda answer: answer.status == 200, step=1)

    run(scenario)


def test_since_when_tokens_are_tracked_is_said_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        path = f"{KUBE_SYSTEM}/configmaps/kube-apiserver-legacy-service-account-token-tracking"
        assert (await api("GET", path)).body["data"]["since"] == api.clock.now().strftime("%Y-%m-%d")
        assert (await api.patch("merge", path, {"data": {"since": "2020-01-01"}})).status == 200
        await api.restart()
        await api.clock.advance(11)
        assert (await api("GET", path)).body["data"]["since"] == "2020-01-01"
        assert (await api.patch("merge", path, {"data": {"since": "soon"}})).status == 200
        await until(api, path, lambda answer: answer.body["data"]["since"] != "soon", step=1)

    run(scenario)
