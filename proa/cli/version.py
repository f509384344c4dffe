"""`proa version`."""

import click


@click.command()
def version() -> None:
    """Print the versions of proa and of the Kubernetes API that it serves by default."""
    from importlib.metadata import version as installed

    from proa.cluster.request import DEFAULT_KUBERNETES_VERSION

    click.echo(f"proa {installed('proa')} (Kubernetes v{DEFAULT_KUBERNETES_VERSION})")
