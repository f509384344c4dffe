"""mount(2) and umount2(2), and what is mounted below a directory. Through the C library: a mount(8) process costs more than the mount."""

import ctypes
import os
import re
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8
_OCTAL = re.compile(r"\\([0-7]{3})")
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, filesystem: str, flags: int, options: str = "") -> None:
    """Raises OSError."""
    done = _libc.mount(source.encode(), target.encode(), filesystem.encode() or None, ctypes.c_ulong(flags), options.encode() or None)
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def mount_tmpfs(target: str, size: int = 0) -> None:
    mount("tmpfs", target, "tmpfs", 0, f"size={size}" if size else "")


def bind(source: str, target: str) -> None:
    mount(source, target, "", MS_BIND | MS_REC)


def unmount(target: str) -> None:
    """Detaches, so that a file that is still open somewhere does not hold the pod. Raises OSError."""
    if _libc.umount2(target.encode(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def mounted_below(directory: Path) -> list[str]:
    """Mount points in or below `directory`, the last mounted first."""
    root = str(directory)
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), line.split()[4])
        if point == root or point.startswith(f"{root}/"):
            found.append(point)
    return found[::-1]


def is_mount_point(path: Path) -> bool:
    return str(path) in mounted_below(path)


def unmount_below(directory: Path) -> None:
    """Raises OSError for what stays; files may be removed only after this returned."""
    for point in mounted_below(directory):
        unmount(point)
