"""The processes of one node, as the supervisor runs them.

Each enters the node's namespaces first and then is what it would be on a machine of its own: with its own credentials, over TLS.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from proa.cluster import containerd, network
from proa.cluster.api_open import wait_until_open
from proa.cluster.control_plane import log_to_stderr
from proa.cluster.namespaces import enter
from proa.cluster.nodes import node_group
from proa.cluster.paths import ClusterPaths, NodePaths
from proa.cluster.settings import ClusterSettings, NodeSettings
from proa.lib.netlink.namespaces import DIRECTORY

if TYPE_CHECKING:
    from proa.client.rest import RestClient
    from proa.kubelet.config import KubeletConfiguration

CLUSTER_DOMAIN = "cluster.local"


def run_containerd(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> None:
    """Becomes containerd."""
    command = containerd.command(paths.node(node.name))
    _enter(paths, settings, node)
    os.execv(command[0], command)


def run_agent(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> None:
    """Kubelet, proxy and pod network in one event loop."""
    _enter(paths, settings, node)
    import uvloop

    log_to_stderr()
    uvloop.run(_agent(paths, settings, node))


def run_dns(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> None:
    """The cluster DNS of this node; what it does not know it asks from this machine's network namespace."""
    from proa.dns.forwarder import own_namespace, upstream_servers

    upstream = upstream_servers(Path("/etc/resolv.conf").read_text())
    outside = own_namespace()
    _enter(paths, settings, node)
    import uvloop

    from proa.dns import node_address
    from proa.dns.agent import Dns, DnsConfiguration

    log_to_stderr()
    node_address.claim(settings.dns_address)
    configuration = DnsConfiguration(settings.dns_address, tuple(upstream), outside, CLUSTER_DOMAIN)

    async def serve() -> None:
        await wait_until_open(_api_address(settings))
        client = _client(paths, settings, node, "dns")
        try:
            await Dns(client, configuration).run()
        finally:
            await client.close()

    uvloop.run(serve())


async def _agent(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> None:
    from proa.cni.agent import PodNetwork
    from proa.kubelet.main import run as run_kubelet
    from proa.proxy.agent import Proxy
    from proa.proxy.config import ProxyConfig

    await wait_until_open(_api_address(settings))
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as tasks:
        kubelet_client, proxy_client = (_client(paths, settings, node, name) for name in ("kubelet", "kube-proxy"))
        clients.push_async_callback(kubelet_client.close)
        clients.push_async_callback(proxy_client.close)
        pods, services = (settings.pod_network_cidr,), (settings.service_cidr,)
        proxy = Proxy(proxy_client, ProxyConfig(node.name, (settings.node_address(node),), services, pods))
        pod_network = PodNetwork(proxy_client, node.name, pods, services, Path("/etc/cni/net.d"))
        tasks.create_task(proxy.run())
        tasks.create_task(pod_network.run())
        tasks.create_task(run_kubelet(kubelet_configuration(paths.node(node.name), settings, node), kubelet_client))


def kubelet_configuration(paths: NodePaths, settings: ClusterSettings, node: NodeSettings) -> "KubeletConfiguration":
    from proa.kubelet.config import KubeletConfiguration

    return KubeletConfiguration(
        node_name=node.name,
        node_ip=settings.node_address(node),
        containerd_socket=str(paths.containerd_socket),
        kubernetes_version=settings.kubernetes_version,
        cgroup_root=node_group(settings.name, node.name),
        cluster_dns=[settings.dns_address],
        cluster_domain=CLUSTER_DOMAIN,
        address=settings.node_address(node),
        tls_cert_file=str(paths.credentials / "kubelet-server.crt"),
        tls_private_key_file=str(paths.credentials / "kubelet-server.key"),
        client_ca_file=str(paths.credentials / "ca.crt"),
        oom_score_adjustment=containerd.may_lower_oom_score(),
    )


def _api_address(settings: ClusterSettings) -> tuple[str, int]:
    return settings.control_plane_address, settings.api_port


def _client(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings, credential: str) -> "RestClient":
    from proa.client.rest import RestClient

    folder = paths.node(node.name).credentials
    ca, certificate, key = (folder.joinpath(name).read_bytes() for name in ("ca.crt", f"{credential}.crt", f"{credential}.key"))
    host, port = _api_address(settings)
    return RestClient(f"https://{host}:{port}", ca=ca, certificate=certificate, private_key=key, user_agent=f"proa-{credential}")


def _enter(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> None:
    own = paths.node(node.name)
    enter(DIRECTORY / network.node_namespace(settings.name, node.name), own.uts_namespace, own.mount_namespace)
