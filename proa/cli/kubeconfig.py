"""`proa kubeconfig`: for pipes and for `KUBECONFIG`."""

import click

from proa.cli.cluster_name import cluster_name


@click.command()
@cluster_name
def kubeconfig(name: str) -> None:
    """Print the administrator's kubeconfig of the cluster NAME."""
    from proa.cluster.access import existing

    paths, _ = existing(name)
    click.echo(paths.admin_kubeconfig.read_text(), nl=False)
