"""Removes what has ended and nobody needs: old attempts of containers and sandboxes; images when the disk fills up. Decisions are pure."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import Container, Image, ImageService, RuntimeService, Sandbox
from proa.kubelet.log_links import remove_dead_links
from proa.kubelet.machine import Filesystem, filesystem
from proa.lib.clock import Clock

_log = logging.getLogger(__name__)

KEPT_PER_CONTAINER = 1


def containers_to_remove(containers: Iterable[Container]) -> list[Container]:
    """Ended attempts but the last one of each container, whose logs and exit are still asked for."""
    attempts: dict[tuple[str, str], list[Container]] = defaultdict(list)
    for container in containers:
        if container.is_exited:
            attempts[container.pod_uid, container.name].append(container)
    found = []
    for ended in attempts.values():
        ended.sort(key=lambda each: (each.created_at, each.attempt))
        found += ended[:-KEPT_PER_CONTAINER]
    return found


def sandboxes_to_remove(sandboxes: Iterable[Sandbox], containers: Iterable[Container]) -> list[Sandbox]:
    """Sandboxes that are not ready, not the newest of their pod, and hold no container."""
    used = {each.sandbox_id for each in containers}
    by_pod: dict[str, list[Sandbox]] = defaultdict(list)
    for sandbox in sandboxes:
        by_pod[sandbox.uid].append(sandbox)
    found = []
    for own in by_pod.values():
        own.sort(key=lambda each: (each.created_at, each.attempt))
        found += [each for each in own[:-1] if not each.ready and each.id not in used]
    return found


def images_to_remove(
    images: Sequence[Image], in_use: set[str], last_used: Mapping[str, float], now: float, minimum_age: float, excess: int
) -> list[Image]:
    """The longest unused images until `excess` bytes are free; never those in use, pinned, or known for less than the minimum age."""
    candidates = [
        each
        for each in images
        if not each.pinned and each.id not in in_use and now - last_used.get(each.id, now) >= minimum_age
    ]  # fmt: skip
    candidates.sort(key=lambda each: last_used.get(each.id, now))
    found, freed = [], 0
    for image in candidates:
        if freed >= excess:
            break
        found.append(image)
        freed += image.size
    return found


def excess_bytes(disk: Filesystem, high: int, low: int) -> int:
    """How much to free so that usage falls from above `high` percent to `low`; 0 below `high`."""
    used = disk.size - disk.available
    return max(used - disk.size * low // 100, 0) if disk.size and used * 100 >= disk.size * high else 0


class GarbageCollector:
    """Both loops."""

    def __init__(self, configuration: KubeletConfiguration, runtime: RuntimeService, images: ImageService, clock: Clock) -> None:
        self._configuration, self._runtime, self._images, self._clock = configuration, runtime, images, clock
        self._last_used: dict[str, float] = {}

    async def collect_containers_forever(self) -> None:
        while True:
            await self._clock.sleep(self._configuration.container_gc_period)
            try:
                await self.collect_containers()
            except RuntimeFailure as failure:
                _log.warning("containers not collected: %s", failure)

    async def collect_containers(self) -> None:
        for container in containers_to_remove(await self._runtime.list_containers()):
            await self._runtime.remove_container(container.id)
        sandboxes, containers = await self._runtime.list_pod_sandboxes(), await self._runtime.list_containers()
        for sandbox in sandboxes_to_remove(sandboxes, containers):
            await self._runtime.remove_pod_sandbox(sandbox.id)
        remove_dead_links(self._configuration.container_log_directory)

    async def collect_images_forever(self) -> None:
        while True:
            await self._clock.sleep(self._configuration.image_gc_period)
            try:
                await self.collect_images()
            except RuntimeFailure as failure:
                _log.warning("images not collected: %s", failure)

    async def collect_images(self) -> None:
        configuration, now = self._configuration, self._clock.monotonic()
        images, containers = await self._images.list_images(), await self._runtime.list_containers()
        names = {each.image for each in containers} | {each.image_ref for each in containers}
        in_use = {each.id for each in images if names & {each.id, *each.tags, *each.digests}}
        self._last_used = {each.id: now if each.id in in_use else self._last_used.get(each.id, now) for each in images}
        disk = filesystem(configuration.container_runtime_root)
        excess = excess_bytes(disk, configuration.image_gc_high_threshold_percent, configuration.image_gc_low_threshold_percent)
        for image in images_to_remove(images, in_use, self._last_used, now, configuration.image_minimum_gc_age, excess):
            _log.info("removing image %s to free %d bytes", image.tags or image.id, image.size)
            await self._images.remove_image(image.id)
