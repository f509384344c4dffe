"""Runs a node agent until it is cancelled: the way in for the cluster's node process and for `python -m proa.kubelet`."""

import asyncio
from collections.abc import Callable

from proa.client.interface import Client
from proa.kubelet.config import KubeletConfiguration


async def run(configuration: KubeletConfiguration, client: Client, *, started: Callable[[], None] = lambda: None) -> None:
    """`started` is called once the node is registered and its pods are known. Cancelled, it leaves all containers running."""
    # gRPC is 30 MB and half a second: only a process that runs a node pays for it.
    from proa.kubelet.agent import Agent
    from proa.kubelet.cri.containerd import ContainerdRuntime
    from proa.kubelet.server.main import serve

    runtime = ContainerdRuntime(configuration.containerd_socket)
    agent = Agent(configuration, client, runtime, runtime)
    try:
        async with asyncio.TaskGroup() as tasks:
            if configuration.tls_cert_file:
                tasks.create_task(serve(agent))
            await agent.start()
            started()
            await asyncio.Event().wait()
    finally:
        await agent.stop()
        await runtime.close()
