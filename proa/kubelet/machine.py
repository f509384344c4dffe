"""What this machine is: kernel, CPUs, memory, disks, ids, addresses. Reads only."""

import os
import platform
import socket
from pathlib import Path

from proa.lib.dataclass import dataclass

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True)
class Filesystem:
    """Sizes in bytes."""

    size: int
    available: int
    inodes: int
    inodes_free: int


def architecture() -> str:
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def memory_info() -> dict[str, int]:
    """/proc/meminfo in bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * (1024 if len(words) > 2 else 1) for words in lines}


def huge_pages() -> dict[str, int]:
    """`hugepages-2Mi` -> bytes, for each page size that the kernel has."""
    found = {}
    for directory in Path("/sys/kernel/mm/hugepages").glob("hugepages-*kB"):
        kilobytes = int(directory.name.removeprefix("hugepages-").removesuffix("kB"))
        size = f"{kilobytes >> 20}Gi" if kilobytes >= 1 << 20 else f"{kilobytes >> 10}Mi" if kilobytes >= 1 << 10 else f"{kilobytes}Ki"
        found[f"hugepages-{size}"] = int((directory / "nr_hugepages").read_text()) * kilobytes * 1024
    return found


def filesystem(path: str) -> Filesystem:
    """Of the nearest directory that exists."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    status = os.statvfs(place)
    return Filesystem(status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize, status.f_files, status.f_ffree)


def process_limit() -> tuple[int, int]:
    """(processes that may be, processes that are)."""
    limit = min(int(Path(f"/proc/sys/kernel/{name}").read_text()) for name in ("pid_max", "threads-max"))
    return limit, int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])


def operating_system() -> str:
    for line in _read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def machine_id() -> str:
    return _read("/etc/machine-id").strip()


def system_uuid() -> str:
    return _read("/sys/class/dmi/id/product_uuid").strip() or machine_id()


def boot_id() -> str:
    return _read("/proc/sys/kernel/random/boot_id").strip()


def kernel_version() -> str:
    return platform.release()


def swap_total() -> int:
    return memory_info().get("SwapTotal", 0)


def apparmor_enabled() -> bool:
    return _read("/sys/module/apparmor/parameters/enabled").strip() == "Y"


def default_address() -> str:
    """The address from which this machine would speak to the world; "" if it has no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
