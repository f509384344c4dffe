"""Progress of a long command: a live line on a terminal, plain lines elsewhere, each with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import click


class Progress:
    """`with progress.step("Starting the API server"): ...` prints the step while it runs and its seconds when it is done."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._begun = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            click.echo(f"Done in {time.monotonic() - self._begun:.1f} s", err=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        begun = time.monotonic()
        back, erase = ("\r", "  ") if self._live else ("", "")
        if self._live:
            click.echo(f" • {text} …", nl=False, err=True)
        try:
            yield
        except BaseException:
            click.echo(f"{back} ✗ {text}{erase}", err=True)
            raise
        click.echo(f"{back} ✓ {text} ({time.monotonic() - begun:.2f} s)", err=True)
