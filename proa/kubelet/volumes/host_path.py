"""hostPath volumes: the checks that their `type` asks for."""

import stat
from pathlib import Path

from proa.api.meta import Object
from proa.kubelet.volumes.payload import PayloadError

_CHECKS = {
    "Directory": (stat.S_ISDIR, "directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "directory"),
    "File": (stat.S_ISREG, "file"),
    "FileOrCreate": (stat.S_ISREG, "file"),
    "Socket": (stat.S_ISSOCK, "socket file"),
    "CharDevice": (stat.S_ISCHR, "character device"),
    "BlockDevice": (stat.S_ISBLK, "block device"),
}


def prepare_host_path(source: Object) -> Path:
    """Create where the type says so; raises PayloadError where the path is not what it says."""
    path, kind = Path(source["path"]), source.get("type") or ""
    if kind not in _CHECKS:
        return path
    if kind == "DirectoryOrCreate" and not path.exists():
        path.mkdir(mode=0o755, parents=True)
    elif kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    check, noun = _CHECKS[kind]
    if not path.exists() or not check(path.stat().st_mode):
        raise PayloadError(f"hostPath type check failed: {path} is not a {noun}")
    return path
