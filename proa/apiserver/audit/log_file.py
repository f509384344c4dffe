"""The audit log as a file: one line an event, written to the operating system before the request is answered.

A full file is renamed with the time in its name, as upstream's logs are; old ones go by number and by age. Mode 0600: a log of requests
holds what Secrets hold. Upstream's default mode for the log is `blocking`, and ours: a log that may lack its last lines after a crash is
no audit log.
"""

import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from proa.apiserver.audit.event import legacy_line
from proa.lib.clock import Clock

MEGABYTE = 1024 * 1024
STANDARD_OUTPUT = "-"
DEFAULT_SIZE = 100
_TIME = "%Y-%m-%dT%H-%M-%S"


class LogFile:
    """`max_size` in megabytes (0: 100), `max_age` in days and `max_backups` in files (0: all are kept)."""

    def __init__(
        self, path: Path, clock: Clock, max_size: int = 0, max_age: int = 0, max_backups: int = 0, *, compress: bool = False
    ) -> None:
        self._path, self._clock = path, clock
        self._limit = (max_size or DEFAULT_SIZE) * MEGABYTE
        self._max_age, self._max_backups, self._compress = max_age, max_backups, compress
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = self._open()
        self._size = os.fstat(self._descriptor).st_size

    def write(self, data: bytes) -> None:
        """Raises OSError."""
        if self._size + len(data) > self._limit and self._size:
            self._rotate()
        written = os.write(self._descriptor, data)
        while written < len(data):
            written += os.write(self._descriptor, data[written:])
        self._size += len(data)

    def close(self) -> None:
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        now = self._clock.now().astimezone(UTC)
        stamp = f"{now.strftime(_TIME)}.{now.microsecond // 1000:03d}"
        backup = self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")
        os.close(self._descriptor)
        os.rename(self._path, backup)
        self._descriptor, self._size = self._open(), 0
        for old in outdated(self._backups(), now, self._max_age, self._max_backups):
            old.unlink(missing_ok=True)
        if self._compress and backup.exists():
            _compress(backup)

    def _backups(self) -> dict[Path, datetime]:
        pattern = re.compile(
            re.escape(self._path.stem) + r"-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)\.\d{3}" + re.escape(self._path.suffix) + r"(\.gz)?"
        )  # fmt: skip
        found = ((each, pattern.fullmatch(each.name)) for each in self._path.parent.iterdir())
        return {each: datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) for each, match in found if match}


def outdated(backups: dict[Path, datetime], now: datetime, max_age: int, max_backups: int) -> list[Path]:
    """Which backups go: those that are too many, the oldest first, and those that are too old."""
    newest_first = sorted(backups, key=lambda each: each.name, reverse=True)
    gone = newest_first[max_backups:] if max_backups else []
    if max_age:
        gone += [each for each in newest_first if now - backups[each] > timedelta(days=max_age) and each not in gone]
    return gone


def _compress(path: Path) -> None:
    import gzip

    target = path.with_name(path.name + ".gz")
    with path.open("rb") as source, _private(target) as file, gzip.GzipFile(fileobj=file, mode="wb") as packed:
        while piece := source.read(MEGABYTE):
            packed.write(piece)
    path.unlink()


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


class _Output:
    """Standard output."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        return None


class LogTarget:
    """The `Target` of the log backend, in one of its two formats."""

    name = "log"
    immediate = True

    def __init__(self, file: LogFile | None, *, legacy: bool = False) -> None:
        """Without a file: standard output."""
        self._file: LogFile | _Output = file or _Output()
        self._legacy = legacy

    def encode(self, event: dict[str, Any]) -> bytes:
        return legacy_line(event).encode() + b"\n" if self._legacy else orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)

    def deliver(self, events: Sequence[bytes]) -> None:
        self._file.write(events[0] if len(events) == 1 else b"".join(events))

    async def close(self) -> None:
        self._file.close()
