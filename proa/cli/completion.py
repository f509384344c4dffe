"""`proa completion SHELL`."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell, for example: source <(proa completion bash)."""
    from click.shell_completion import get_completion_class

    from proa.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "proa", "_PROA_COMPLETE").source())
