"""`python -m proa.apiserver --config FILE.json`: the API server alone in a process. SIGTERM and SIGINT drain it."""

import argparse
import asyncio
import dataclasses
import gc
import json
import logging
import signal
from pathlib import Path
from typing import Any

from proa.apiserver.config import ApiServerConfig

_PATHS = frozenset(
    {
        "data_directory", "unix_socket", "certificate", "private_key", "client_ca", "service_account_key", "kubelet_client_certificate",
        "kubelet_client_key",
    }
)  # fmt: skip


def load_config(text: str) -> ApiServerConfig:
    """From JSON whose members are those of `ApiServerConfig`; raises ValueError for a member that it has not."""
    values: dict[str, Any] = json.loads(text)
    unknown = set(values) - {field.name for field in dataclasses.fields(ApiServerConfig)}
    if unknown:
        raise ValueError(f"unknown settings of the API server: {', '.join(sorted(unknown))}")
    for name in _PATHS & set(values):
        values[name] = Path(values[name]) if values[name] is not None else None
    values["listen"] = tuple((host, port) for host, port in values.get("listen", ()))
    for name in ("node_port_range", "api_audiences"):
        if name in values:
            values[name] = tuple(values[name])
    return ApiServerConfig(**values)


async def run(config: ApiServerConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    from proa.apiserver.server import build

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await build(config)
    await server.start()
    # What lives until the end is not worth a look at each collection.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    logging.getLogger(__name__).info("serving on %s", ", ".join(f"{host}:{port}" for host, port in config.listen))
    await stopping.wait()
    await server.stop()


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m proa.apiserver", description="The Kubernetes API server of proa.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the settings")
    parser.add_argument("--log-level", default="INFO")
    arguments = parser.parse_args()
    logging.basicConfig(level=arguments.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = load_config(arguments.config.read_text())
    uvloop.run(run(config))
