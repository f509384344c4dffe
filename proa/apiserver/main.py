"""`python -m proa.apiserver --config FILE.json [--FLAG=VALUE...]`: the API server alone in a process; flags are upstream's (`flags.py`).

SIGTERM and SIGINT drain it.
"""

import argparse
import asyncio
import gc
import json
import logging
import signal
import typing
from pathlib import Path
from typing import Any

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.flags import with_flags


def load_config(text: str) -> ApiServerConfig:
    """From JSON whose members are those of `ApiServerConfig`; raises ValueError for a member that it has not."""
    values: dict[str, Any] = json.loads(text)
    types = typing.get_type_hints(ApiServerConfig)
    if unknown := set(values) - set(types):
        raise ValueError(f"unknown settings of the API server: {', '.join(sorted(unknown))}")
    values["listen"] = [(host, port) for host, port in values.get("listen", ())]
    return ApiServerConfig(**{name: _typed(value, types[name]) for name, value in values.items()})


def _typed(value: Any, wanted: Any) -> Any:
    """JSON has neither paths nor tuples."""
    if value is not None and Path in (wanted, *typing.get_args(wanted)):
        return tuple(map(Path, value)) if isinstance(value, list) else Path(value)
    return tuple(value) if isinstance(value, list) else value


async def run(config: ApiServerConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    from proa.apiserver.server import build

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        server = await build(config)
    except ValueError as error:
        raise SystemExit(f"the API server can't start: {error}") from None
    await server.start()
    # What lives until the end is not worth a look at each collection.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    logging.getLogger(__name__).info("serving on %s", ", ".join(f"{host}:{port}" for host, port in config.listen))
    await stopping.wait()
    await server.stop()


def main() -> None:
    gc.disable()  # until the server runs: what is imported and built stays, and looks for garbage among it are a tenth of a start
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m proa.apiserver", description="The Kubernetes API server of proa.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the settings")
    parser.add_argument("--log-level", default="INFO")
    arguments, flags = parser.parse_known_args()
    logging.basicConfig(level=arguments.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = with_flags(load_config(arguments.config.read_text()), flags)
    except ValueError as error:
        parser.error(str(error))
    uvloop.run(run(config))
