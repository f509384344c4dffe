"""`proa down`: remove a cluster, or all."""

import click

from proa.cli.cluster_name import cluster_name


@click.command()
@cluster_name
@click.option("--all", "every", is_flag=True, help="Every cluster of this machine.")
def down(name: str, every: bool) -> None:
    """Stop the cluster NAME and remove its processes, networks, mounts, files and kubectl context."""
    from proa.cluster.lifecycle import tear_down
    from proa.cluster.paths import home
    from proa.cluster.settings import load_all

    names = [settings.name for settings in load_all(home())] if every else [name]
    for each in names:
        if tear_down(each):
            click.echo(f'Cluster "{each}" is gone.')
        else:
            click.echo(f'There is no cluster "{each}".')
