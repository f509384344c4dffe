"""The command line: one table of commands, each loaded only when it is called, so that every command starts in milliseconds."""

import importlib
import os
import signal
import sys
from types import FrameType

import click

COMMANDS = {
    "up": ("proa.cli.up:up", "Create or start a cluster on this machine."),
    "down": ("proa.cli.down:down", "Stop a cluster and remove everything of it."),
    "list": ("proa.cli.list_clusters:list_clusters", "List the clusters of this machine."),
    "status": ("proa.cli.status:status", "Show what a cluster consists of and whether it is well."),
    "kubeconfig": ("proa.cli.kubeconfig:kubeconfig", "Print the administrator's kubeconfig."),
    "image": ("proa.cli.image:image", "Load and list container images."),
    "node": ("proa.cli.node:node", "Add, remove, power off and start nodes."),
    "version": ("proa.cli.version:version", "Print versions."),
    "completion": ("proa.cli.completion:completion", "Print the shell completion script."),
}


class LazyGroup(click.Group):
    """A group whose commands are named in a table and imported on use."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.invoke(LazyGroup().get_command(context, "version"))  # type: ignore[arg-type]
        context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print versions and exit.")
def cli() -> None:
    """A whole Kubernetes cluster, in Python."""


def main() -> None:
    """Run a command; a ClusterError, or what the machine refuses, is one sentence on stderr and exit code 1."""
    from proa.cluster.errors import ClusterError, explain

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        cli(prog_name="proa")
    except SystemExit as ended:
        if not _interruptions:
            raise
        # An interruption that came while a module made its dataclasses counts as unhandled for CPython, whatever becomes of it: it
        # would end as if killed.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    except ClusterError as error:
        _fail(str(error))
    except OSError as error:
        _fail(explain(error))


_interruptions: list[int] = []


def _interrupt(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C does: what was half made is removed before the end."""
    _interruptions.append(number)
    raise KeyboardInterrupt


def _fail(sentence: str) -> None:
    click.echo(f"proa: {sentence}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
