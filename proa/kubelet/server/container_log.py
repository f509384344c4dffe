"""Container logs as the runtime writes them (CRI log format), turned back into what the container wrote.

A line is `TIME STREAM TAG CONTENT`; the tag P marks a part of a line that goes on in the next entry. The log is read piece by piece at the
reader's pace. Following survives rotation: the old file is read to its end before the new one is opened.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import BinaryIO

from proa.kubelet.server.log_options import LogOptions
from proa.lib.clock import Clock

PIECE = 64 * 1024
POLL_SECONDS = 0.1
STATE_SECONDS = 0.5
"""How often the runtime is asked whether a silent container still runs."""


class LogFormat:
    """Entries in, text out. Pure but for its memory of a line's beginning and of the bytes that may still come."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit_bytes
        self._at_line_start = True

    @property
    def is_full(self) -> bool:
        return self._left is not None and self._left <= 0

    def text(self, entries: list[bytes]) -> bytes:
        """Of whole entries, each with or without its line end."""
        text = b"".join(map(self._entry, entries))
        if self._left is not None:
            text = text[: max(self._left, 0)]
            self._left -= len(text)
        return text

    def _entry(self, entry: bytes) -> bytes:
        parts = entry.rstrip(b"\n").split(b" ", 3)
        if len(parts) < 3 or parts[1] not in (b"stdout", b"stderr"):
            return b""
        time, stream, tag = parts[:3]
        options = self._options
        if (options.stream and stream.decode() != options.stream) or (options.since is not None and nanoseconds(time) < options.since):
            return b""
        content = parts[3] if len(parts) == 4 else b""
        prefix = fixed_time(time) + b" " if options.timestamps and self._at_line_start else b""
        self._at_line_start = tag.partition(b":")[0] != b"P"
        return prefix + content + (b"\n" if self._at_line_start else b"")


def nanoseconds(time: bytes) -> int:
    """An RFC 3339 time with up to nine digits of fraction; 0 if it is none."""
    text = time.decode("ascii", "replace")
    head, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
    seconds, _, fraction = head.partition(".")
    try:
        return int(datetime.fromisoformat(seconds + zone).timestamp()) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError:
        return 0


def fixed_time(time: bytes) -> bytes:
    """With all nine digits, as clients have always seen it; runtimes leave zeros away at the end."""
    zone_start = len(time) - 1 if time.endswith(b"Z") else len(time) - 6
    head, _, fraction = time[:zone_start].partition(b".")
    return head + b"." + fraction.ljust(9, b"0") + time[zone_start:]


def tail_offset(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` entries begin; an entry without its line end at the end of the file counts."""
    end = position = file.seek(0, os.SEEK_END)
    if lines <= 0:
        return end
    seen = 0
    while position > 0:
        start = max(position - PIECE, 0)
        file.seek(start)
        block = file.read(position - start)
        if position == end and not block.endswith(b"\n"):
            seen += 1
        found = len(block)
        while (found := block.rfind(b"\n", 0, found)) >= 0:
            seen += 1
            if seen > lines:
                return start + found + 1
        position = start
    return 0


async def read_log(path: str, options: LogOptions, clock: Clock, is_running: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    """Pieces of text. Raises FileNotFoundError before the first."""
    log = _OpenLog(path, options)
    output = LogFormat(options)
    try:
        runs, checked = options.follow, clock.monotonic()
        while not output.is_full:
            if entries := log.read():
                if text := output.text(entries):
                    yield text
            elif log.follow_rotation():
                continue
            elif not runs:
                if rest := output.text(log.rest()):
                    yield rest
                return
            elif clock.monotonic() - checked >= STATE_SECONDS:
                runs, checked = await is_running(), clock.monotonic()
            else:
                await clock.sleep(POLL_SECONDS)
    finally:
        log.close()


class _OpenLog:
    """The file being read and the entry that is not whole yet."""

    def __init__(self, path: str, options: LogOptions) -> None:
        self._path = path
        self._follow = options.follow
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - lives as long as the reader
        self._partial = b""
        if options.tail_lines is not None:
            self._file.seek(tail_offset(self._file, options.tail_lines))

    def read(self) -> list[bytes]:
        """The next whole entries, none at the end of what is there."""
        while data := self._file.read(PIECE):
            *entries, self._partial = (self._partial + data).split(b"\n")
            if entries:
                return entries
        return []

    def rest(self) -> list[bytes]:
        rest, self._partial = self._partial, b""
        return [rest] if rest else []

    def follow_rotation(self) -> bool:
        """At the end of a file: whether the runtime writes to another one by now, which is open then."""
        if not self._follow:
            return False
        try:
            if os.stat(self._path).st_ino == os.fstat(self._file.fileno()).st_ino:
                return False
        except FileNotFoundError:
            return False
        if self._file.peek(1):  # type: ignore[attr-defined]
            return True
        self._file.close()
        self._file, self._partial = open(self._path, "rb"), b""  # noqa: SIM115
        return True

    def close(self) -> None:
        self._file.close()
