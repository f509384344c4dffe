"""Kills a writer again and again, and looks at what it left: `python crash_rounds.py DATABASE ROUNDS`.

A round forks a writer (nothing is imported again, so a round takes some 30 ms), takes down what it is told to be durable, and kills it
with SIGKILL at a random moment: while it opens the file, in the middle of commits, of compactions. Then the log must have every
acknowledged write as it was, no gap in its revisions, no value that is torn, and a newest state that is the sum of its changes. Prints
what it has seen.
"""

import asyncio
import hashlib
import itertools
import os
import random
import select
import signal
import sqlite3
import sys
import time
from pathlib import Path

from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import Change

WRITERS = 8
LONGEST_LIFE = 0.06


def value(key: str, number: int) -> bytes:
    """A value that shows whether it is whole."""
    body = f"{key} {number} ".encode() + b"x" * (number * 37 % 6000)
    return hashlib.sha1(body).digest() + body


def is_whole(key: str, stored: bytes) -> bool:
    return hashlib.sha1(stored[20:]).digest() == stored[:20] and stored[20:].startswith(key.encode() + b" ")


async def write_until_killed(path: Path, answers: int, round_: int) -> None:
    backend = SqliteBackend(path)
    await backend.start()
    start = await backend.current_revision()

    async def write(writer: int) -> None:
        for number in itertools.count():
            key = f"/{round_}/{writer}/{number}"
            created = await backend.create(key, value(key, number))
            os.write(answers, f"put {created} {key} {number}\n".encode())
            updated = await backend.update(key, value(key, number + 1), expected_revision=created)
            os.write(answers, f"put {updated} {key} {number + 1}\n".encode())
            if number % 2:
                deleted = await backend.delete(key, expected_revision=updated)
                os.write(answers, f"delete {deleted} {key} {number + 1}\n".encode())

    await asyncio.gather(backend.compact(start), *(write(writer) for writer in range(WRITERS)))


def one_life(path: Path, round_: int) -> list[str]:
    """What a writer was told before it was killed; a last line that it had not written to its end does not count."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        asyncio.run(write_until_killed(path, writing, round_))
        os._exit(1)
    os.close(writing)
    told, end = b"", time.monotonic() + random.uniform(0, LONGEST_LIFE)
    while (left := end - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            told += os.read(reading, 65536)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the writer ended by itself: {status}"
    while piece := os.read(reading, 65536):
        told += piece
    os.close(reading)
    return told.decode().split("\n")[:-1]


async def examine(path: Path, state: dict[str, bytes], after: int, told: list[str]) -> int:
    """Apply the round's changes to `state`; the revision that was found."""
    backend = SqliteBackend(path)
    await backend.start()
    newest = await backend.current_revision()
    changes = {change.revision: change async for change in backend.history("", after_revision=after, until_revision=newest)}
    assert list(changes) == list(range(after + 1, newest + 1)), "a revision is missing"
    for line in told:
        type_, revision, key, number = line.split()
        change = changes.get(int(revision))
        found = change and (change.type, change.record.key, change.record.value)
        assert found == (type_, key, value(key, int(number))), f"lost: {line}"
    for change in changes.values():
        _replay(change, state)
    listed = {record.key: record.value for record in (await backend.list("")).records}
    assert listed == state, "the newest state is not the sum of the changes"
    await backend.stop()
    return newest


def _replay(change: Change, state: dict[str, bytes]) -> None:
    assert is_whole(change.record.key, change.record.value), f"torn: {change}"
    if change.type == "put":
        state[change.record.key] = change.record.value
    else:
        del state[change.record.key]


def main(path: Path, rounds: int) -> None:
    state: dict[str, bytes] = {}
    revision, acknowledged, idle = 1, 0, 0
    for round_ in range(rounds):
        told = one_life(path, round_)
        revision = asyncio.run(examine(path, state, revision, told))
        acknowledged += len(told)
        idle += not told
    (integrity,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    print(f"kills={rounds} acknowledged={acknowledged} revisions={revision - 1} before_first_answer={idle} integrity={integrity}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
