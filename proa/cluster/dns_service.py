"""The Service kube-dns: by it kubectl, dashboards and scripts know where the cluster's DNS is, and its address is nobody else's.

It has no endpoints, as every node answers on that address itself (`proa/dns/node_address.py`); what kube-proxy makes of it never applies.
"""

from proa.api.errors import AlreadyExists, Invalid
from proa.api.kinds import SERVICES
from proa.api.meta import Object
from proa.client.interface import Client
from proa.cluster.settings import ClusterSettings

NAME, NAMESPACE = "kube-dns", "kube-system"


def service(settings: ClusterSettings) -> Object:
    labels = {"k8s-app": NAME, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    ports = [{"name": name, "port": 53, "protocol": protocol} for name, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {"clusterIP": settings.dns_address, "ports": ports},
    }


async def ensure(client: Client, settings: ClusterSettings) -> None:
    """Make it where it is not. A cluster from before it may have given the address away, and keeps it so."""
    try:
        await client.create(SERVICES, service(settings))
    except (AlreadyExists, Invalid):
        return
