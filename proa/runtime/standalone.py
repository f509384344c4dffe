"""A component as a process of its own: reads its configuration, works until SIGTERM or SIGINT, then ends in order."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class Configuration(Protocol):
    @property
    def log_level(self) -> str: ...


AnyConfiguration = TypeVar("AnyConfiguration", bound=Configuration)


async def run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """A signal cancels the work, whose clean-up is waited for; a failure of the work is raised."""
    working = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    await asyncio.wait([working])
    if not working.cancelled():
        working.result()


def run_standalone(
    prog: str, description: str, load: Callable[[Path], AnyConfiguration], run: Callable[[AnyConfiguration], Coroutine[Any, Any, None]]
) -> None:
    """`prog --config FILE`."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the settings")
    config = load(parser.parse_args().config)
    logging.basicConfig(level=config.log_level, format=LOG_FORMAT)
    import uvloop

    uvloop.run(run_until_signal(run(config)))
