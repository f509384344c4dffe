"""`python -m proa.controllers --config FILE.json`: the controllers as a process of their own, optionally one of several replicas."""

import argparse
import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from proa.client.interface import Client
from proa.controllers import manager
from proa.controllers.config import ManagerConfig, load
from proa.controllers.identity import SHARED_INFORMERS, unix_clients
from proa.runtime.leader_election import LeaderElector


def clients(config: ManagerConfig) -> Callable[[str], Client]:
    if config.socket:
        return unix_clients(config.socket)
    from proa.client.rest import RestClient

    return lambda name: RestClient.from_kubeconfig(config.kubeconfig, user_agent=f"kube-controller-manager/{name}")


async def run(config: ManagerConfig) -> None:
    client_for, options = clients(config), config.options()
    if not config.leader_elect:
        await manager.run(client_for, options)
        return
    identity = f"{socket.gethostname()}_{os.getpid()}"
    elector = LeaderElector(client_for(SHARED_INFORMERS), "kube-controller-manager", identity)
    await elector.run(lambda: manager.run(client_for, options))


async def run_until_signal(config: ManagerConfig) -> None:
    """SIGTERM and SIGINT end it in order: work stops, the Lease is released."""
    working = asyncio.ensure_future(run(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("stopped")


def main() -> None:
    parser = argparse.ArgumentParser(prog="proa.controllers", description="Run the controllers against an API server.")
    parser.add_argument("--config", type=Path, required=True)
    config = load(parser.parse_args().config)
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    import uvloop

    uvloop.run(run_until_signal(config))


if __name__ == "__main__":
    main()
