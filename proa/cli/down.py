"""`proa down`: remove a cluster, or all."""

import click

from proa.cli.cluster_name import complete_cluster
from proa.cli.progress import Progress


@click.command()
@click.argument("name", required=False, shell_complete=complete_cluster)
@click.option("--all", "every", is_flag=True, help="Every cluster of this home.")
def down(name: str | None, every: bool) -> None:
    """Stop the cluster NAME (default "proa") and remove its processes, networks, mounts, files and kubectl context."""
    from proa.cluster.lifecycle import tear_down
    from proa.cluster.paths import home
    from proa.cluster.settings import DEFAULT_NAME, cluster_names

    if name and every:
        raise click.UsageError("NAME and --all exclude each other.")
    progress = Progress()
    for each in cluster_names(home()) if every else [name or DEFAULT_NAME]:
        if tear_down(each, progress.step):
            click.echo(f'Cluster "{each}" is gone.')
        else:
            click.echo(f'There is no cluster "{each}".')
