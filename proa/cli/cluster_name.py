"""The NAME argument that most commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from proa.cluster.settings import DEFAULT_NAME

Command = TypeVar("Command", bound=Callable[..., Any])


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from proa.cluster.paths import home
    from proa.cluster.settings import load_all

    return [settings.name for settings in load_all(home()) if settings.name.startswith(incomplete)]


def cluster_name(command: Command) -> Command:
    """`[NAME]`, default "proa"."""
    return click.argument("name", default=DEFAULT_NAME, shell_complete=_complete)(command)


def cluster_option(command: Command) -> Command:
    """`--cluster NAME` where the arguments name something else."""
    return click.option("--cluster", "cluster", default=DEFAULT_NAME, show_default=True, help="The cluster.", shell_complete=_complete)(
        command
    )
