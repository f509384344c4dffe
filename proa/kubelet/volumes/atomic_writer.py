"""Writes a volume's files so that a container sees all of the old ones or all of the new ones.

Files lie in a directory named by time; `..data` is a link to it that is replaced by rename, and each visible name links through `..data`.
A reader that opens `..data` sees one consistent set, and inotify on it tells of changes: the layout that programs rely on.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from proa.lib.dataclass import dataclass

DATA = "..data"


@dataclass(frozen=True, slots=True)
class File:
    """`owner` None leaves the file with root."""

    content: bytes
    mode: int = 0o644
    owner: int | None = None


Payload = Mapping[str, File]
"""Relative path -> file."""


def write_payload(directory: Path, payload: Payload, group: int | None = None) -> bool:
    """Make `directory` hold exactly `payload`; with a group the files belong to it and it may read. Returns whether anything changed."""
    current = _current(directory)
    if current is not None and _same(current, payload, group):
        return False
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=directory))
    fresh.chmod(0o755)
    for name, file in payload.items():
        _write(fresh, name, file, group)
    _own(fresh, None, group)
    _swap(directory, fresh.name)
    _link_names(directory, payload)
    if current is not None:
        shutil.rmtree(current, ignore_errors=True)
    return True


def _current(directory: Path) -> Path | None:
    try:
        return directory / os.readlink(directory / DATA)
    except OSError:
        return None


def _same(current: Path, payload: Payload, group: int | None) -> bool:
    present = {str(path.relative_to(current)): path for path in current.rglob("*") if path.is_file()}
    if set(present) != set(payload):
        return False
    return all(
        present[name].read_bytes() == file.content and present[name].stat().st_mode & 0o7777 == _mode(file, group)
        for name, file in payload.items()
    )


def _mode(file: File, group: int | None) -> int:
    return file.mode | 0o440 if group is not None else file.mode


def _write(root: Path, name: str, file: File, group: int | None) -> None:
    path = root / name
    for parent in [each for each in path.parents if each != root and root in each.parents][::-1]:
        if not parent.exists():
            parent.mkdir(mode=0o755)
            _own(parent, None, group)
    path.write_bytes(file.content)
    # chown clears set-id bits, so the mode comes last.
    _own(path, file.owner, group)
    path.chmod(_mode(file, group))


def _own(path: Path, owner: int | None, group: int | None) -> None:
    if owner is not None or group is not None:
        os.chown(path, -1 if owner is None else owner, -1 if group is None else group)


def _swap(directory: Path, target: str) -> None:
    temporary = directory / f"{DATA}_tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.rename(directory / DATA)


def _link_names(directory: Path, payload: Payload) -> None:
    wanted = {name.partition("/")[0] for name in payload}
    for name in wanted:
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(f"{DATA}/{name}")
    for entry in directory.iterdir():
        if entry.is_symlink() and entry.name not in wanted and not entry.name.startswith(".."):
            entry.unlink()
