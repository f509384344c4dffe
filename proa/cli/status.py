"""`proa status`: the parts of a cluster, their processes and memory."""

import sys

import click

from proa.cli.cluster_name import cluster_name


@click.command()
@cluster_name
def status(name: str) -> None:
    """Show the parts of the cluster NAME; exit code 1 if it is not running."""
    from proa.cli.list_clusters import print_columns
    from proa.cluster.status import describe

    report = describe(name)
    click.echo(f"Cluster {report.settings.name}: {'running' if report.running else 'stopped'}")
    click.echo(f"API     https://127.0.0.1:{report.settings.api_port} (Kubernetes {report.settings.kubernetes_version})")
    click.echo(
        f"Pods    {report.settings.pod_network_cidr}   Services {report.settings.service_cidr}   Nodes {report.settings.node_network}"
    )
    if report.parts:
        rows = [("PART", "PID", "RESTARTS", "MEMORY (PSS)")]
        rows += [(part.name, str(part.pid or "-"), str(part.restarts), f"{part.memory_megabytes:.0f} MB") for part in report.parts]
        print_columns(rows)
    if not report.running:
        sys.exit(1)
