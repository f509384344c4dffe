"""Looks at machine and runtime for the node's status."""

import asyncio
from collections.abc import Callable

from proa.kubelet import machine
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure, describe
from proa.kubelet.cri.runtime import Image, ImageService, RuntimeService, RuntimeStatus, Version
from proa.kubelet.node_object import NodeObservation, Pressure, allocatable


class NodeObserver:
    """`pressure()` is the eviction manager's present view."""

    def __init__(
        self, configuration: KubeletConfiguration, runtime: RuntimeService, images: ImageService, pressure: Callable[[], Pressure]
    ) -> None:
        self._configuration, self._runtime, self._images, self._pressure = configuration, runtime, images, pressure
        self._version: Version | None = None

    async def observe(self) -> NodeObservation:
        status, error, images = await self._ask_runtime()
        capacity = self.capacity()
        return NodeObservation(
            capacity=capacity,
            allocatable=allocatable(capacity, self._configuration),
            node_info=self._node_info(),
            addresses=[("InternalIP", self.node_ip()), ("Hostname", self._configuration.node_name)],
            images=images,
            pressure=self._pressure(),
            runtime=status,
            runtime_error=error,
        )

    def node_ip(self) -> str:
        return self._configuration.node_ip or machine.default_address()

    async def _ask_runtime(self) -> tuple[RuntimeStatus | None, str, list[Image]]:
        try:
            if self._version is None:
                self._version = await self._runtime.version()
            status, images = await asyncio.gather(self._runtime.status(), self._images.list_images())
        except RuntimeFailure as failure:
            return None, describe(failure), []
        return status, "", images

    def capacity(self) -> dict[str, str]:
        disk = machine.filesystem(self._configuration.root_directory)
        found = {
            "cpu": str(machine.cpus()),
            "ephemeral-storage": f"{disk.size // 1024}Ki",
            **{name: str(size) if size == 0 else f"{size // 1024}Ki" for name, size in machine.huge_pages().items()},
            "memory": f"{machine.memory_info()['MemTotal'] // 1024}Ki",
            "pods": str(self._configuration.max_pods),
        }
        return found | self._configuration.capacity

    def _node_info(self) -> dict[str, object]:
        version = self._version
        info: dict[str, object] = {
            "architecture": machine.architecture(),
            "bootID": machine.boot_id(),
            "containerRuntimeVersion": f"{version.name}://{version.version}" if version else "",
            "kernelVersion": machine.kernel_version(),
            "kubeProxyVersion": "",
            "kubeletVersion": f"v{self._configuration.kubernetes_version}.0",
            "machineID": machine.machine_id(),
            "operatingSystem": "linux",
            "osImage": machine.operating_system(),
            "systemUUID": machine.system_uuid(),
        }
        if swap := machine.swap_total():
            info["swap"] = {"capacity": swap}
        return info
