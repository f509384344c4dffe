"""The NAME argument that most commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from proa.cluster.settings import DEFAULT_NAME

Command = TypeVar("Command", bound=Callable[..., Any])


def complete_cluster(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The clusters of this home."""
    from proa.cluster.paths import home
    from proa.cluster.settings import cluster_names

    return [name for name in cluster_names(home()) if name.startswith(incomplete)]


def complete_node(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The nodes of the cluster that the command line has named so far."""
    from proa.cluster.paths import ClusterPaths, home
    from proa.cluster.settings import load_readable

    settings = load_readable(ClusterPaths(home(), context.params.get("cluster") or DEFAULT_NAME).settings)
    return [node.name for node in settings.nodes if node.name.startswith(incomplete)] if settings else []


def cluster_name(command: Command) -> Command:
    """`[NAME]`, default "proa"."""
    return click.argument("name", default=DEFAULT_NAME, shell_complete=complete_cluster)(command)


def cluster_option(command: Command) -> Command:
    """`--cluster NAME` where the arguments name something else."""
    option = click.option("--cluster", default=DEFAULT_NAME, show_default=True, help="The cluster.", shell_complete=complete_cluster)
    return option(command)
