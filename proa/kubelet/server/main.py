"""Starts the kubelet API beside a node agent."""

from typing import TYPE_CHECKING

from proa.kubelet.server.server import KubeletServer

if TYPE_CHECKING:
    from proa.kubelet.agent import Agent


async def serve(agent: "Agent") -> None:
    """Until cancelled."""
    await KubeletServer(agent.configuration, agent, agent.client).run()
