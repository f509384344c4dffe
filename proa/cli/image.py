"""`proa image`: images into and from the nodes, without a registry."""

from pathlib import Path

import click

from proa.cli.cluster_name import cluster_option


@click.group()
def image() -> None:
    """Load and list container images."""


@image.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@cluster_option
def load(files: tuple[Path, ...], cluster: str) -> None:
    """Import image archives (OCI layout or `docker save`, FILE.tar) into every node."""
    from proa.cluster.node_images import load_images

    for name in load_images(cluster, files):
        click.echo(f"Loaded {name}")


@image.command("list")
@cluster_option
def list_images(cluster: str) -> None:
    """List the images of every node."""
    from proa.cli.list_clusters import print_columns
    from proa.cluster.node_images import images_by_node

    rows = [("NODE", "IMAGE")]
    rows += [(node, name) for node, names in images_by_node(cluster).items() for name in names]
    print_columns(rows)
