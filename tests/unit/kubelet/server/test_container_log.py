"""CRI logs read back: formats, limits, tails, following through rotation."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proa.api.errors import BadRequest
from proa.kubelet.server.container_log import fixed_time, nanoseconds, read_log, tail_offset
from proa.kubelet.server.log_options import LogOptions, logged_container_id, parse_log_options
from proa.lib.clock import VirtualClock
from tests.unit.kubelet.objects import pod

LOG = b"""2026-01-01T00:00:00.1Z stdout F first
2026-01-01T00:00:01.000000002Z stderr F oops
2026-01-01T00:00:02Z stdout P long
2026-01-01T00:00:02Z stdout P er
2026-01-01T00:00:02Z stdout F  line
not a log entry
2026-01-01T00:00:03Z stdout F\x20
2026-01-01T00:00:04Z stdout F last
"""
SECOND_TWO = 1_767_225_602 * 10**9


def read(path: Path, options: LogOptions) -> bytes:
    async def main() -> bytes:
        async def is_running() -> bool:
            raise AssertionError("nobody follows")

        return b"".join([piece async for piece in read_log(str(path), options, VirtualClock(), is_running)])

    return asyncio.run(main())


CASES = [
    (LogOptions(), b"first\noops\nlonger line\n\nlast\n"),
    (LogOptions(stream="stderr"), b"oops\n"),
    (LogOptions(stream="stdout", limit_bytes=8), b"first\nlo"),
    (LogOptions(limit_bytes=6), b"first\n"),
    (LogOptions(tail_lines=1), b"last\n"),
    (LogOptions(tail_lines=0), b""),
    (LogOptions(tail_lines=100), b"first\noops\nlonger line\n\nlast\n"),
    (LogOptions(since=SECOND_TWO), b"longer line\n\nlast\n"),
    (LogOptions(since=SECOND_TWO, tail_lines=2), b"\nlast\n"),
    (
        LogOptions(timestamps=True, limit_bytes=200, since=SECOND_TWO - 10**9),
        b"2026-01-01T00:00:01.000000002Z oops\n2026-01-01T00:00:02.000000000Z longer line\n"
        b"2026-01-01T00:00:03.000000000Z \n2026-01-01T00:00:04.000000000Z last\n",
    ),
]


@pytest.mark.parametrize(("options", "text"), CASES)
def test_a_log_as_it_was_written(tmp_path: Path, options: LogOptions, text: bytes) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(LOG)
    assert read(log, options) == text


def test_an_entry_without_its_end_counts_when_nobody_follows(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(LOG.rstrip(b"\n"))
    assert read(log, LogOptions(tail_lines=1)) == b"last\n"


@pytest.mark.parametrize("lines", [1, 2, 999, 5000, 20_000])
def test_the_tail_of_a_log_longer_than_a_block(tmp_path: Path, lines: int) -> None:
    log = tmp_path / "0.log"
    entries = [b"2026-01-01T00:00:00Z stdout F %d\n" % number for number in range(10_000)]
    log.write_bytes(b"".join(entries))
    with log.open("rb") as file:
        assert log.read_bytes()[tail_offset(file, lines) :] == b"".join(entries[-lines:])


def test_following_survives_rotation_and_ends_with_the_container(tmp_path: Path) -> None:
    """The old file is read to its end although a new one is there; the last words are read although nothing runs any more."""
    log = tmp_path / "0.log"
    log.write_bytes(b"2026-01-01T00:00:00Z stdout F one\n")

    async def main() -> None:
        clock, runs, received = VirtualClock(), [True], bytearray()

        async def is_running() -> bool:
            return runs[0]

        async def follow() -> None:
            async for piece in read_log(str(log), LogOptions(follow=True), clock, is_running):
                received.extend(piece)

        following = asyncio.create_task(follow())
        await clock.advance(1)
        assert received == b"one\n"
        with log.open("ab") as file:
            file.write(b"2026-01-01T00:00:01Z stdout F two\n2026-01-01T00:00:01Z stdout F half ")
            file.flush()
            await clock.advance(1)
            assert received == b"one\ntwo\n"
            file.write(b"a line\n")
        log.rename(tmp_path / "0.log.20260101-000002")
        log.write_bytes(b"2026-01-01T00:00:02Z stdout F three\n")
        await clock.advance(1)
        assert received == b"one\ntwo\nhalf a line\nthree\n"
        runs[0] = False
        with log.open("ab") as file:
            file.write(b"2026-01-01T00:00:03Z stdout F bye\n")
        await clock.advance(2)
        await asyncio.wait_for(following, 1)
        assert received.endswith(b"three\nbye\n")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"2026-01-01T00:00:02Z", SECOND_TWO),
        (b"2026-01-01T00:00:02.000000001Z", SECOND_TWO + 1),
        (b"2026-01-01T01:00:02.5+01:00", SECOND_TWO + 5 * 10**8),
        (b"yesterday", 0),
    ],
)
def test_times_in_nanoseconds(text: bytes, value: int) -> None:
    assert nanoseconds(text) == value


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        (b"2026-01-01T00:00:02Z", b"2026-01-01T00:00:02.000000000Z"),
        (b"2026-01-01T01:00:02.5+01:00", b"2026-01-01T01:00:02.500000000+01:00"),
    ],
)
def test_times_have_nine_digits(text: bytes, fixed: bytes) -> None:
    assert fixed_time(text) == fixed


NOW = datetime(2026, 1, 1, 0, 0, 12, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({}, LogOptions()),
        ({"follow": ["true"], "previous": ["false"], "timestamps": ["1"]}, LogOptions(follow=True, timestamps=True)),
        ({"sinceSeconds": ["10"]}, LogOptions(since=SECOND_TWO)),
        ({"sinceTime": ["2026-01-01T00:00:02Z"], "tailLines": ["5"]}, LogOptions(since=SECOND_TWO, tail_lines=5)),
        ({"limitBytes": ["7"], "stream": ["Stderr"]}, LogOptions(limit_bytes=7, stream="stderr")),
        ({"stream": ["All"]}, LogOptions()),
    ],
)
def test_options_of_a_query(query: dict[str, list[str]], options: LogOptions) -> None:
    assert parse_log_options(query, NOW) == options


@pytest.mark.parametrize("query", [{"tailLines": ["x"]}, {"sinceTime": ["x"]}])
def test_options_that_are_none(query: dict[str, list[str]]) -> None:
    with pytest.raises(BadRequest):
        parse_log_options(query, NOW)


ENDED = {"terminated": {"containerID": "containerd://old"}}
FOUND = [
    ({"state": {"running": {}}, "containerID": "containerd://now"}, False, "now"),
    ({"state": {"running": {}}, "containerID": "containerd://now", "lastState": ENDED}, True, "old"),
    ({"state": {"terminated": {"containerID": "containerd://end"}}}, False, "end"),
    ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED}, False, "old"),
    ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED}, True, "old"),
]


@pytest.mark.parametrize(("status", "previous", "identifier"), FOUND)
def test_which_attempt_is_meant(status: dict[str, object], previous: bool, identifier: str) -> None:
    made = pod(status={"containerStatuses": [{"name": "c", **status}]})
    assert logged_container_id(made, "c", previous=previous) == identifier


MISSING = [
    ({"state": {"waiting": {"reason": "ContainerCreating"}}}, False, 'container "c" in pod "p" is waiting to start: ContainerCreating'),
    ({"state": {"waiting": {"reason": "ErrImagePull"}}}, False, 'container "c" in pod "p" is waiting to start: image can\'t be pulled'),
    (
        {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
        False,
        'container "c" in pod "p" is waiting to start: trying and failing to pull image',
    ),
    ({}, False, 'container "c" in pod "p" is waiting to start - no logs yet'),
    ({"state": {"terminated": {"exitCode": 1}}}, False, 'container "c" in pod "p" is terminated'),
    ({"state": {"running": {}}}, True, 'previous terminated container "c" in pod "p" not found'),
    (None, False, 'container "c" in pod "p" is not available'),
]


@pytest.mark.parametrize(("status", "previous", "message"), MISSING)
def test_why_there_is_no_log(status: dict[str, object] | None, previous: bool, message: str) -> None:
    statuses = [] if status is None else [{"name": "c", **status}]
    with pytest.raises(BadRequest) as caught:
        logged_container_id(pod(status={"containerStatuses": statuses, "phase": "Pending"}), "c", previous=previous)
    assert caught.value.message == message
