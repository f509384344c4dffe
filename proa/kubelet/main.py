"""Runs a node agent until it is cancelled: the way in for the cluster's node process and for `python -m proa.kubelet`."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from proa.client.interface import Client
from proa.kubelet.config import KubeletConfiguration

if TYPE_CHECKING:
    from proa.kubelet.agent import Agent

_log = logging.getLogger(__name__)


async def run(configuration: KubeletConfiguration, client: Client, *, started: Callable[[], None] = lambda: None) -> None:
    """`started` is called once the node is registered and its pods are known. Cancelled, it leaves all containers running."""
    # gRPC is 30 MB and half a second: only a process that runs a node pays for it.
    from proa.kubelet.agent import Agent
    from proa.kubelet.cri.containerd import ContainerdRuntime

    runtime = ContainerdRuntime(configuration.containerd_socket)
    agent = Agent(configuration, client, runtime, runtime)
    try:
        async with asyncio.TaskGroup() as tasks:
            if configuration.tls_cert_file:
                tasks.create_task(_serve(agent))
            await agent.start()
            started()
            await asyncio.Event().wait()
    finally:
        await agent.stop()
        await runtime.close()


async def _serve(agent: "Agent") -> None:
    try:
        from proa.kubelet.server.server import KubeletServer
    except ModuleNotFoundError:
        _log.error("the kubelet server is not part of this build: logs, exec and port-forward do not work")
        return
    await KubeletServer(agent.configuration, agent, agent.client).run()
