"""`proa kubeconfig`: for pipes and for `KUBECONFIG`."""

import click

from proa.cli.cluster_name import cluster_name


@click.command()
@cluster_name
def kubeconfig(name: str) -> None:
    """Print the administrator's kubeconfig of the cluster NAME."""
    from proa.cluster.access import existing
    from proa.cluster.errors import ClusterError

    paths, _ = existing(name)
    if not paths.admin_kubeconfig.exists():
        raise ClusterError(f"cluster {name!r} is not complete; finish it with `proa up {name}`, or remove it with `proa down {name}`")
    click.echo(paths.admin_kubeconfig.read_text(), nl=False)
