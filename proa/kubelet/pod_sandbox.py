"""Makes and removes a pod's sandbox."""

import asyncio
import functools
import os
from pathlib import Path

from proa.api.errors import ApiError
from proa.api.kinds import RUNTIME_CLASSES
from proa.api.meta import Object
from proa.kubelet.cri.errors import RuntimeFailure, describe
from proa.kubelet.cri.runtime import Config, Sandbox
from proa.kubelet.dns_config import Resolver, build_dns_config, parse_resolv_conf
from proa.kubelet.node_context import NodeContext
from proa.kubelet.pod_runtime import PodRuntime
from proa.kubelet.sandbox_config import build_sandbox_config


class SandboxFailure(Exception):
    """The sandbox could not be made; the message is the event's."""


def sandbox_config(context: NodeContext, pod: Object, attempt: int, *, warn: bool = False) -> Config:
    """The same for the same attempt: containers have to be given the one that their sandbox was made with."""
    configuration = context.configuration
    host = host_resolver(configuration.resolv_conf)
    dns, warnings = build_dns_config(pod, host, configuration.cluster_dns, configuration.cluster_domain)
    for message in warnings if warn else ():
        reason = "DNSConfigForming" if "limits were exceeded" in message else "MissingClusterDNS"
        context.recorder.event(pod, "Warning", reason, message)
    return build_sandbox_config(pod, attempt, dns, configuration)


def host_resolver(path: str) -> Resolver:
    try:
        return _parsed(path, Path(path).stat().st_mtime_ns)
    except OSError:
        return Resolver()


@functools.lru_cache(8)
def _parsed(path: str, _changed: int) -> Resolver:
    return parse_resolv_conf(Path(path).read_text())


async def create_sandbox(context: NodeContext, pod: Object, attempt: int) -> Sandbox:
    """Raises SandboxFailure."""
    config = sandbox_config(context, pod, attempt, warn=True)
    os.makedirs(config["log_directory"], exist_ok=True)
    try:
        handler = await _runtime_handler(context, pod)
        sandbox_id = await context.runtime.run_pod_sandbox(config, handler)
        return await context.runtime.pod_sandbox_status(sandbox_id)
    except RuntimeFailure as failure:
        raise SandboxFailure(f"Failed to create pod sandbox: {describe(failure)}") from failure
    except (ApiError, OSError) as error:
        raise SandboxFailure(f"Failed to create pod sandbox: {error}") from error


async def _runtime_handler(context: NodeContext, pod: Object) -> str:
    name = pod["spec"].get("runtimeClassName")
    if not name:
        return ""
    runtime_class = await context.client.get(RUNTIME_CLASSES, name)
    return str(runtime_class.get("handler", ""))


async def stop_sandboxes(context: NodeContext, runtime: PodRuntime) -> None:
    """Gives the addresses back, also of those that are not ready any more. Raises RuntimeFailure."""
    await asyncio.gather(*(context.runtime.stop_pod_sandbox(each.id) for each in runtime.sandboxes))


async def remove_everything(context: NodeContext, runtime: PodRuntime) -> None:
    """Containers, then sandboxes: nothing of the pod stays in the runtime. Raises RuntimeFailure."""
    await asyncio.gather(*(context.runtime.remove_container(each.id) for each in runtime.containers))
    await asyncio.gather(*(context.runtime.remove_pod_sandbox(each.id) for each in runtime.sandboxes))
