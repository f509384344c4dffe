"""subPath mounts. A container may change its volume at any time, so a path in it is never handed to the runtime by name.

The path is resolved, checked to be inside, opened step by step without following links, and the open file is bound to a place of ours.
"""

import os
import stat
from pathlib import Path

from proa.kubelet.environment import ConfigError
from proa.kubelet.volumes import mounts


def bind_sub_path(volume: Path, sub_path: str, place: Path, *, create: bool) -> Path:
    """The bound place: a file or directory like the source. Raises ConfigError."""
    if sub_path.startswith("/") or ".." in sub_path.split("/"):
        raise ConfigError(f"subPath {sub_path!r} must be a relative path inside of the volume")
    base = Path(os.path.realpath(volume))
    target = Path(os.path.realpath(base / sub_path))
    if base != target and base not in target.parents:
        raise ConfigError(f"subpath {str(target)!r} not within volume path {str(base)!r}")
    if create and not target.exists():
        _make_directories(base, target)
    handle = _open_inside(base, target)
    try:
        return _bind(handle, place)
    finally:
        os.close(handle)


def _open_inside(base: Path, target: Path) -> int:
    handle = os.open(base, os.O_PATH | os.O_DIRECTORY)
    for part in target.relative_to(base).parts:
        try:
            following = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=handle)
        except OSError as error:
            raise ConfigError(f"failed to open subpath {target}: {error.strerror}") from None
        finally:
            os.close(handle)
        handle = following
        if stat.S_ISLNK(os.fstat(handle).st_mode):
            os.close(handle)
            raise ConfigError(f"unexpected symlink found in subpath {target}")
    return handle


def _make_directories(base: Path, target: Path) -> None:
    """With the volume's own permissions, as the volume's user will want to write there."""
    status = base.stat()
    handle = os.open(base, os.O_PATH | os.O_DIRECTORY)
    try:
        for part in target.relative_to(base).parts:
            if not _exists(part, handle):
                os.mkdir(part, dir_fd=handle)
                os.chmod(f"/proc/self/fd/{handle}/{part}", status.st_mode & 0o7777)
                os.chown(part, status.st_uid, status.st_gid, dir_fd=handle, follow_symlinks=False)
            following = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=handle)
            os.close(handle)
            handle = following
    except OSError as error:
        raise ConfigError(f"failed to create subPath directory {target}: {error.strerror}") from None
    finally:
        os.close(handle)


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _bind(handle: int, place: Path) -> Path:
    if mounts.is_mount_point(place):
        mounts.unmount(str(place))
    place.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    mounts.bind(f"/proc/self/fd/{handle}", str(place))
    return place
