"""`proa list`: the clusters of this machine."""

from collections.abc import Sequence

import click


@click.command("list")
def list_clusters() -> None:
    """List the clusters of this machine."""
    from proa.cluster.paths import home
    from proa.cluster.settings import cluster_names

    print_columns([("NAME", "STATUS", "NODES", "API", "CONTEXT"), *(_row(name) for name in cluster_names(home()))])


def _row(name: str) -> tuple[str, ...]:
    from proa.cluster.access import is_running
    from proa.cluster.paths import ClusterPaths, home
    from proa.cluster.settings import load_readable

    paths = ClusterPaths(home(), name)
    if (settings := load_readable(paths.settings)) is None:
        return (name, "Unreadable", "?", "?", "?")
    running = "Running" if is_running(paths) else "Stopped"
    return (name, running, str(len(settings.nodes)), f"https://127.0.0.1:{settings.api_port}", settings.context)


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """As kubectl aligns: every column as wide as its widest cell, three blanks between."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
