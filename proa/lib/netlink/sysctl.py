"""Kernel switches of the network namespace that the calling thread is in."""

from pathlib import Path

_ROOT = Path("/proc/sys")


def write(name: str, value: str | int) -> None:
    """`net.ipv4.ip_forward`, with `/` instead of `.` where a link's name has a dot. Writes only what differs."""
    path = _path(name)
    if path.read_text().strip() != str(value):
        path.write_text(f"{value}\n")


def read(name: str) -> str:
    return _path(name).read_text().strip()


def _path(name: str) -> Path:
    return _ROOT / (name if "/" in name else name.replace(".", "/"))
