"""A pod's volumes on this machine: made before its containers, kept up to date while it runs, and gone before it is.

Layout below the root directory, as upstream has it: pods/UID/volumes/kubernetes.io~TYPE/NAME, pods/UID/volume-subpaths/....
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.api.quantity import parse
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.resources import pod_limits
from proa.kubelet.volumes import mounts
from proa.kubelet.volumes.atomic_writer import write_payload
from proa.kubelet.volumes.host_path import prepare_host_path
from proa.kubelet.volumes.issuers import Issuers
from proa.kubelet.volumes.objects import Reference, WatchedObjects
from proa.kubelet.volumes.ownership import fs_group, give_to_group, token_owner
from proa.kubelet.volumes.payload import PayloadError, PayloadSources, volume_payload

_DIRECTORIES = {
    "emptyDir": "kubernetes.io~empty-dir", "configMap": "kubernetes.io~configmap", "secret": "kubernetes.io~secret",
    "projected": "kubernetes.io~projected", "downwardAPI": "kubernetes.io~downward-api",
}  # fmt: skip
_IN_MEMORY = ("secret", "projected")


class MountFailure(Exception):
    """A volume can't be made; the message is the FailedMount event's."""

    def __init__(self, volume: str, why: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {why}')


class VolumeManager:
    """`allocatable()` is what the node has, for the downward API and the size of tmpfs."""

    def __init__(
        self,
        configuration: KubeletConfiguration,
        objects: WatchedObjects,
        issuers: Issuers,
        allocatable: Callable[[], Mapping[str, str]],
    ) -> None:
        self._configuration, self._objects, self._issuers, self._allocatable = configuration, objects, issuers, allocatable

    async def set_up(self, pod: Object) -> dict[str, Path]:
        """Volume name -> path on this machine. Idempotent: called again it brings the contents up to date. Raises MountFailure."""
        volumes = pod["spec"].get("volumes") or []
        if not volumes:
            return {}
        objects = await self._read_objects(pod)
        paths = await asyncio.gather(*(self._set_up(pod, volume, objects) for volume in volumes))
        return {volume["name"]: path for volume, path in zip(volumes, paths, strict=True)}

    async def _read_objects(self, pod: Object) -> dict[Reference, Object | None]:
        try:
            return await self._objects.read_all(pod)
        except (ApiError, OSError) as error:
            raise MountFailure((pod["spec"]["volumes"][0])["name"], str(error)) from error

    async def _set_up(self, pod: Object, volume: Object, objects: Mapping[Reference, Object | None]) -> Path:
        try:
            if source := volume.get("hostPath"):
                return prepare_host_path(source)
            if (source := volume.get("emptyDir")) is not None:
                return await asyncio.to_thread(self._empty_dir, pod, volume["name"], source)
            return await self._files(pod, volume, objects)
        except (PayloadError, ApiError, OSError) as error:
            raise MountFailure(volume["name"], str(error)) from error

    async def _files(self, pod: Object, volume: Object, objects: Mapping[Reference, Object | None]) -> Path:
        group = fs_group(pod)
        sources = PayloadSources(
            objects=lambda kind, name: objects.get((kind, meta.namespace(pod), name)),
            issued=await self._issuers.files(pod, volume),
            allocatable=self._allocatable(),
            token_owner=token_owner(pod),
            has_group=group is not None,
        )
        payload = volume_payload(pod, volume, sources)
        kind = next(kind for kind in _DIRECTORIES if kind in volume)
        path = self._directory(pod, kind, volume["name"])
        if kind in _IN_MEMORY and not mounts.is_mount_point(path):
            mounts.mount_tmpfs(str(path), self._memory_limit(pod))
            path.chmod(0o755)
        write_payload(path, payload, group)
        return path

    def _empty_dir(self, pod: Object, name: str, source: Object) -> Path:
        path = self._configuration.pod_directory(meta.uid(pod)) / "volumes" / _DIRECTORIES["emptyDir"] / name
        in_memory = source.get("medium") == "Memory"
        if path.exists() and (not in_memory or mounts.is_mount_point(path)):
            return path
        self._directory(pod, "emptyDir", name)
        if in_memory:
            limit, wanted = self._memory_limit(pod), parse(source.get("sizeLimit") or "0").value
            mounts.mount_tmpfs(str(path), min(each for each in (limit, wanted or limit) if each) if limit or wanted else 0)
        # Any user may write to it.
        path.chmod(0o777)
        if (group := fs_group(pod)) is not None:
            give_to_group(path, group)
        return path

    def _memory_limit(self, pod: Object) -> int:
        limit = pod_limits(pod).get("memory")
        return limit.value if limit else parse(self._allocatable().get("memory", "0")).value

    def _directory(self, pod: Object, kind: str, name: str) -> Path:
        path = self._configuration.pod_directory(meta.uid(pod)) / "volumes" / _DIRECTORIES[kind] / name
        path.mkdir(parents=True, exist_ok=True, mode=0o750)
        return path

    def sub_path_place(self, uid: str, volume: str, container: str, index: int) -> Path:
        return self._configuration.pod_directory(uid) / "volume-subpaths" / volume / container / str(index)

    async def tear_down(self, uid: str) -> None:
        """Raises OSError while something is still mounted: nothing is removed then."""
        self._issuers.forget(uid)
        self._objects.unregister(uid)
        directory = self._configuration.pod_directory(uid)
        if directory.exists():
            await asyncio.to_thread(_remove, directory)


def _remove(directory: Path) -> None:
    mounts.unmount_below(directory)
    if left := mounts.mounted_below(directory):
        raise OSError(f"still mounted: {', '.join(left)}")
    shutil.rmtree(directory, ignore_errors=True)
