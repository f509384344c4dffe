"""`proa list`: the clusters of this machine."""

from collections.abc import Sequence

import click


@click.command("list")
def list_clusters() -> None:
    """List the clusters of this machine."""
    from proa.cluster.access import is_running
    from proa.cluster.paths import ClusterPaths, home
    from proa.cluster.settings import load_all

    rows: list[tuple[str, ...]] = [("NAME", "STATUS", "NODES", "API", "CONTEXT")]
    for settings in load_all(home()):
        running = "Running" if is_running(ClusterPaths(home(), settings.name)) else "Stopped"
        rows.append((settings.name, running, str(len(settings.nodes)), f"https://127.0.0.1:{settings.api_port}", settings.context))
    print_columns(rows)


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """As kubectl aligns: every column as wide as its widest cell, three blanks between."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
