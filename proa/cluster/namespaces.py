"""Entering namespaces from a process that is still single-threaded, as the kernel demands for mount namespaces."""

import ctypes
import os
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWNET = 0x40000000


def enter(network: Path | None = None, uts: Path | None = None, mount: Path | None = None) -> None:
    """Move this process into the namespaces pinned at those paths. All are opened first, as the last step changes the root."""
    steps = [(network, _CLONE_NEWNET), (uts, _CLONE_NEWUTS), (mount, _CLONE_NEWNS)]
    opened = [(os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind) for path, kind in steps if path is not None]
    for descriptor, kind in opened:
        _setns(descriptor, kind)
        os.close(descriptor)
    if mount is not None:
        os.chdir("/")


def _setns(descriptor: int, kind: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, kind) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")
