"""Keeps container logs bounded: a log that has grown too large is renamed, the runtime opens a new one, older ones are compressed.

The first file is always the one that the runtime writes to; `kubectl logs` reads that one alone, as upstream.
"""

import asyncio
import gzip
import logging
import os
import shutil
from datetime import datetime
from pathlib import Path

from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import RuntimeService
from proa.lib.clock import Clock

_log = logging.getLogger(__name__)


def rotated_files(log: Path) -> list[Path]:
    """The older files of a log, oldest first: their names end in the time of rotation."""
    return sorted(path for path in log.parent.glob(f"{log.name}.*") if not path.name.endswith(".tmp"))


def files_to_remove(rotated: list[Path], maximum: int) -> list[Path]:
    """So that with the present log and the one to be rotated at most `maximum` are there."""
    keep = max(maximum - 2, 0)
    return rotated[: len(rotated) - keep] if len(rotated) > keep else []


class LogRotation:
    """The loop."""

    def __init__(self, configuration: KubeletConfiguration, runtime: RuntimeService, clock: Clock) -> None:
        self._configuration, self._runtime, self._clock = configuration, runtime, clock

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self._configuration.container_log_monitor_period)
            try:
                await self.rotate_all()
            except (RuntimeFailure, OSError) as error:
                _log.warning("logs not rotated: %s", error)

    async def rotate_all(self) -> None:
        for container in await self._runtime.list_containers():
            if container.is_running:
                status = await self._runtime.container_status(container.id)
                if status.log_path and _size(status.log_path) > self._configuration.container_log_max_size:
                    await self._rotate(container.id, Path(status.log_path))

    async def _rotate(self, container_id: str, log: Path) -> None:
        await asyncio.to_thread(_make_room, log, self._configuration.container_log_max_files)
        rotated = Path(f"{log}.{_stamp(self._clock.now())}")
        os.rename(log, rotated)
        try:
            await self._runtime.reopen_container_log(container_id)
        except RuntimeFailure:
            # Without a new file the container would write where nobody looks.
            os.rename(rotated, log)
            raise


def _make_room(log: Path, maximum: int) -> None:
    older = rotated_files(log)
    gone = files_to_remove(older, maximum)
    for path in gone:
        path.unlink(missing_ok=True)
    for path in older:
        if path not in gone and path.suffix != ".gz":
            _compress(path)


def _compress(path: Path) -> None:
    partial = path.with_name(f"{path.name}.tmp")
    with path.open("rb") as source, gzip.open(partial, "wb") as target:
        shutil.copyfileobj(source, target)
    partial.rename(path.with_name(f"{path.name}.gz"))
    path.unlink()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d-%H%M%S")
