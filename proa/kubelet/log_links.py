"""The links POD_NAMESPACE_CONTAINER-ID.log in one flat directory, in which log collectors expect to find every container's log."""

import os
from contextlib import suppress
from pathlib import Path

from proa.api import meta
from proa.api.meta import Object


def link_log(directory: str, pod: Object, container: str, container_id: str, log_path: str) -> None:
    """Without a directory nothing is done. A log that can't be linked is still a log: failures are not the container's."""
    if not directory:
        return
    with suppress(OSError):
        Path(directory).mkdir(parents=True, exist_ok=True)
        os.symlink(log_path, Path(directory, f"{meta.name(pod)}_{meta.namespace(pod)}_{container}-{container_id}.log"))


def remove_dead_links(directory: str) -> None:
    """Links whose log is gone."""
    if not directory:
        return
    with suppress(OSError):
        for link in Path(directory).glob("*.log"):
            if link.is_symlink() and not link.exists():
                link.unlink(missing_ok=True)
