"""Named network namespaces, as `ip netns` keeps them (/run/netns/NAME), and code that runs inside one.

`setns` and `unshare` change one thread only. So every visit is a thread of its own that ends with the visit: no thread that anyone else
uses, the event loop's least of all, ever stands in a foreign namespace. What the visitor opens (sockets, netlink, an nftables context)
stays in that namespace and may be used from any thread afterwards. Inside, look at /proc/thread-self/net: /proc/self/net is the main
thread's. The mount of a name needs the mount namespace of the process: a process in a private one sees only the names that it was given.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 0x1000, 0x4000, 0x100000
_MNT_DETACH = 2

T = TypeVar("T")
DIRECTORY = Path("/run/netns")


class NetworkNamespace:
    """A name under `directory`; nothing exists before `create`."""

    def __init__(self, name: str, directory: Path = DIRECTORY) -> None:
        self.name = name
        self.path = directory / name

    def exists(self) -> bool:
        return os.path.ismount(self.path) or _is_namespace_file(self.path)

    def create(self) -> None:
        """A new namespace with lo up. Raises FileExistsError if the name is taken."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _share(self.path.parent)
        os.close(os.open(self.path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0))
        try:
            in_own_thread(self._unshare_and_pin)
        except BaseException:
            self.delete()
            raise

    def delete(self) -> None:
        """Give up the name; the kernel removes the namespace after its last process and socket. Not an error if absent."""
        with suppress(OSError):
            _call("umount2", str(self.path).encode(), _MNT_DETACH)
        self.path.unlink(missing_ok=True)

    def run_inside(self, function: Callable[[], T]) -> T:
        """Call `function` in a thread inside, and return or raise what it does."""

        def visit() -> T:
            enter(self.path)
            return function()

        return in_own_thread(visit)

    def _unshare_and_pin(self) -> None:
        from proa.lib.netlink.network import Network

        _call("unshare", _CLONE_NEWNET)
        _call("mount", b"/proc/thread-self/ns/net", str(self.path).encode(), b"none", _MS_BIND, None)
        with Network() as network:
            network.set_up("lo")


def enter(path: Path | str) -> None:
    """Move the calling thread for good: for a child process right after its start, or a thread that ends here."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", descriptor, _CLONE_NEWNET)
    finally:
        os.close(descriptor)


def in_own_thread(function: Callable[[], T]) -> T:
    """Call `function` in a new thread, wait, and return or raise what it does."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="network-namespace")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _share(directory: Path) -> None:
    """Make names and their removal visible in other mount namespaces, as iproute2 does; else a copy there keeps a deleted one alive."""
    path = str(directory).encode()
    try:
        _call("mount", b"", path, b"none", _MS_SHARED | _MS_REC, None)
    except OSError:
        _call("mount", path, path, b"none", _MS_BIND | _MS_REC, None)
        _call("mount", b"", path, b"none", _MS_SHARED | _MS_REC, None)


def _is_namespace_file(path: Path) -> bool:
    """nsfs has the device number of no file system in /run; a bind-mounted file is not always a mount point to `ismount`."""
    try:
        return path.stat().st_dev == os.stat("/proc/self/ns/net").st_dev
    except OSError:
        return False


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
