"""`python -m proa.scheduler --config FILE.json`: the scheduler as a process of its own, optionally one of several replicas."""

import argparse
import asyncio
import logging
import os
import signal
import socket
from pathlib import Path

from proa.client.interface import Client
from proa.runtime.leader_election import LeaderElector
from proa.scheduler.config import SchedulerConfig, load
from proa.scheduler.run import GROUPS, USER
from proa.scheduler.run import run as run_scheduler


def client(config: SchedulerConfig) -> Client:
    if config.socket:
        from proa.client.unix import UnixClient

        return UnixClient(config.socket, USER, GROUPS)
    from proa.client.rest import RestClient

    return RestClient.from_kubeconfig(config.kubeconfig, user_agent="kube-scheduler")


async def run(config: SchedulerConfig) -> None:
    if not config.leader_elect:
        await run_scheduler(client(config), name=config.scheduler_name)
        return
    elector = LeaderElector(client(config), "kube-scheduler", f"{socket.gethostname()}_{os.getpid()}")
    await elector.run(lambda: run_scheduler(client(config), name=config.scheduler_name))


async def run_until_signal(config: SchedulerConfig) -> None:
    """SIGTERM and SIGINT end it in order: work stops, the Lease is released."""
    working = asyncio.ensure_future(run(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("stopped")


def main() -> None:
    parser = argparse.ArgumentParser(prog="proa.scheduler", description="Run the scheduler against an API server.")
    parser.add_argument("--config", type=Path, required=True)
    config = load(parser.parse_args().config)
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    import uvloop

    uvloop.run(run_until_signal(config))


if __name__ == "__main__":
    main()
