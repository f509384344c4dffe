"""`python -m proa.controllers --config FILE.json`: the controllers as a process of their own, optionally one of several replicas."""

import os
import socket
from collections.abc import Callable

from proa.client.interface import Client
from proa.controllers import manager
from proa.controllers.config import ManagerConfig, load
from proa.controllers.identity import SHARED_INFORMERS, unix_clients
from proa.runtime.leader_election import LeaderElector
from proa.runtime.standalone import run_standalone


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


def main() -> None:
    run_standalone("python -m proa.controllers", "Run the controllers against an API server.", load, run)


if __name__ == "__main__":
    main()
