"""The Service that stands for the cluster's DNS."""

import asyncio

from proa.api.kinds import SERVICES
from proa.client.fake import FakeClient
from proa.cluster import dns_service
from proa.cluster.settings import ClusterSettings

SETTINGS = ClusterSettings("proa", 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37")


def test_it_holds_the_address_of_the_cluster_s_dns() -> None:
    assert dns_service.service(SETTINGS)["spec"] == {
        "clusterIP": "10.96.0.10",
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}],
    }


def test_it_is_made_once_and_then_left_as_its_users_want_it() -> None:
    async def scenario() -> None:
        client = FakeClient()
        await dns_service.ensure(client, SETTINGS)
        await client.patch(SERVICES, "kube-dns", {"metadata": {"labels": {"mine": "yes"}}}, "kube-system")
        await dns_service.ensure(client, SETTINGS)
        found = await client.get(SERVICES, "kube-dns", "kube-system")
        assert found["metadata"]["labels"]["mine"] == "yes"

    asyncio.run(scenario())
