"""Controllers, scheduler, load balancer and this machine's network together in one event loop over the API server's Unix socket."""

import asyncio

from proa.client.unix import UnixClient
from proa.cloud.load_balancer import controller as load_balancer
from proa.cluster import dns_service
from proa.cluster.api_open import wait_until_open
from proa.cluster.host_network import HostNetwork
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings
from proa.controllers import manager
from proa.controllers.context import ControllerContext
from proa.controllers.identity import unix_clients
from proa.controllers.options import ControllerOptions
from proa.runtime.manager import Runnable, Together
from proa.runtime.standalone import run_until_signal
from proa.scheduler import run as scheduler


async def run(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Until SIGTERM."""
    await run_until_signal(_work(paths, settings))


async def _work(paths: ClusterPaths, settings: ClusterSettings) -> None:
    await wait_until_open(paths.api_socket)
    if settings.nodes:
        administrator = UnixClient(paths.api_socket, "system:root", ("system:masters",))
        await dns_service.ensure(administrator, settings)
        await administrator.close()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_run_controllers(paths, settings))
        tasks.create_task(scheduler.run(UnixClient(paths.api_socket, scheduler.USER, scheduler.GROUPS)))


async def _run_controllers(paths: ClusterPaths, settings: ClusterSettings) -> None:
    pool = (settings.load_balancer_pool,) if settings.nodes else ()
    options = ControllerOptions(
        cluster_cidr=settings.pod_network_cidr,
        root_ca=(paths.pki / "ca.crt").read_text(),
        service_account_key=str(paths.pki / "service-account.key"),
        signing_certificate=paths.pki / "ca.crt",
        signing_key=paths.pki / "ca.key",
        load_balancer_pool=pool,
        cluster_name=settings.name,
    )

    def build_service_controller(context: ControllerContext) -> Runnable:
        balancer = load_balancer.build(context)
        if not settings.nodes:
            return balancer
        return Together(balancer, HostNetwork(settings, context.informers, context.recorder))

    await manager.run(unix_clients(paths.api_socket), options, more={"service-controller": build_service_controller})
