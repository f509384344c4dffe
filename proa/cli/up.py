"""`proa up`: create or start a cluster, with a line for each step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from proa.cli.cluster_name import cluster_name
from proa.cli.progress import Progress

if TYPE_CHECKING:
    from proa.cluster.settings import NodeSettings


@click.command()
@cluster_name
@click.option(
    "--nodes", type=click.IntRange(0, 60), help="How many nodes (default 2; 0 needs no root and gives the API, controllers and scheduler)."
)
@click.option("--pod-network-cidr", metavar="CIDR", help="Addresses of pods (default 10.244.0.0/16, or the next free one).")
@click.option("--service-cidr", metavar="CIDR", help="Addresses of services (default 10.96.0.0/16, or the next free one).")
@click.option("--api-port", type=click.IntRange(1, 65535), help="Port of the API server on 127.0.0.1 (default 6443, or a free one).")
@click.option("--kubernetes-version", metavar="VERSION", help="The API to serve, 1.25 to 1.37 (default 1.37).")
@click.option(
    "--kube-apiserver-arg", multiple=True, metavar="NAME=VALUE", help="A flag of kube-apiserver, such as runtime-config=api/beta=true."
)
def up(
    name: str,
    nodes: int | None,
    pod_network_cidr: str | None,
    service_cidr: str | None,
    api_port: int | None,
    kubernetes_version: str | None,
    kube_apiserver_arg: tuple[str, ...],
) -> None:
    """Create the cluster NAME, or start it again, and make it kubectl's current context."""
    from proa.cluster.lifecycle import bring_up
    from proa.cluster.request import Request

    request = Request(name, nodes, pod_network_cidr, service_cidr, api_port, kubernetes_version, kube_apiserver_arg)
    with Progress() as progress:
        settings = bring_up(request, progress.step)
    click.echo(f'Cluster "{name}" is up with {count_nodes(settings.nodes)}; the context of kubectl is "{settings.context}".')
    click.echo("Try: kubectl get nodes" if settings.nodes else "Try: kubectl get namespaces")


def count_nodes(nodes: "Sequence[NodeSettings]") -> str:
    off = sum(not node.powered for node in nodes)
    return f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}" + (f" ({off} powered off)" if off else "")
