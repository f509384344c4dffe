"""`python -m proa.scheduler --config FILE.json`: the scheduler as a process of its own, optionally one of several replicas."""

import os
import socket

from proa.client.interface import Client
from proa.runtime.leader_election import LeaderElector
from proa.runtime.standalone import run_standalone
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


def main() -> None:
    run_standalone("python -m proa.scheduler", "Run the scheduler against an API server.", load, run)


if __name__ == "__main__":
    main()
