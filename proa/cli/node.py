"""`proa node`: nodes as machines that can be added, removed, powered off and started."""

import click

from proa.cli.cluster_name import cluster_option, complete_node
from proa.cli.progress import Progress

node_name = click.argument("name", shell_complete=complete_node)


@click.group()
def node() -> None:
    """Add, remove, power off and start nodes."""


@node.command()
@click.argument("name", required=False, default="")
@cluster_option
def add(name: str, cluster: str) -> None:
    """Add a node; its name is CLUSTER-node-N unless given."""
    from proa.cluster.nodes import add_node

    with Progress() as progress:
        added = add_node(cluster, name, progress.step)
    click.echo(f'Node "{added}" is added.')


@node.command()
@node_name
@cluster_option
def remove(name: str, cluster: str) -> None:
    """Power a node off and remove it with everything on it."""
    from proa.cluster.nodes import remove_node

    remove_node(cluster, name, Progress().step)
    click.echo(f'Node "{name}" is removed.')


@node.command()
@node_name
@cluster_option
def stop(name: str, cluster: str) -> None:
    """Power a node off: everything on it dies at once, its disk stays."""
    from proa.cluster.nodes import stop_node

    was_on = stop_node(cluster, name, Progress().step)
    click.echo(f'Node "{name}" is off.' if was_on else f'Node "{name}" was off already.')


@node.command()
@node_name
@cluster_option
def start(name: str, cluster: str) -> None:
    """Start a node that was powered off."""
    from proa.cluster.nodes import start_node

    with Progress() as progress:
        start_node(cluster, name, progress.step)
    click.echo(f'Node "{name}" is on.')
