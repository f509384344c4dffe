"""How events leave: modes, batches, truncation, files and their rotation."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from proa.apiserver.audit.backend import BATCH, BLOCKING, STRICT, Backend, BatchOptions, Truncation, in_batches
from proa.apiserver.audit.log_file import LogFile, LogTarget, outdated
from proa.apiserver.audit.record import AuditFailed
from proa.lib.clock import VirtualClock
from proa.lib.http.server_output import TurnOutput

EVENT = {"level": "Request", "auditID": "1", "requestObject": {"data": "x" * 100}}


DEFAULT, OFF = BatchOptions(), Truncation()


class Target:
    name = "test"
    immediate = True

    def __init__(self, *, broken: bool = False) -> None:
        self.delivered: list[list[Any]] = []
        self.broken = broken

    def encode(self, event: dict[str, Any]) -> bytes:
        return orjson.dumps(event)

    def deliver(self, events: Sequence[bytes]) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.delivered.append([orjson.loads(event) for event in events])

    async def close(self) -> None: ...


class Stage:
    def __init__(self, mode: str, options: BatchOptions = DEFAULT, truncation: Truncation = OFF, **target: bool) -> None:
        self.clock, self.target, self.lost = VirtualClock(), Target(**target), dict[str, int]()
        self.backend = Backend(self.target, mode, self.clock, self._lose, options, truncation)

    def _lose(self, plugin: str, count: int) -> None:
        self.lost[plugin] = self.lost.get(plugin, 0) + count


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_blocking_overlooks_failures_and_strict_does_not() -> None:
    async def scenario() -> None:
        stage = Stage(BLOCKING, broken=True)
        assert stage.backend.take(EVENT) is None
        await asyncio.sleep(0)
        assert stage.lost == {"test": 1}

    play(scenario)
    stage = Stage(STRICT)
    assert stage.backend.take(EVENT) is None
    assert stage.target.delivered == [[EVENT]]
    with pytest.raises(AuditFailed, match="the disk is full"):
        Stage(STRICT, broken=True).backend.take(EVENT)


def test_the_events_of_a_turn_leave_together_ahead_of_its_answers() -> None:
    async def scenario() -> None:
        stage, sent = Stage(BLOCKING), list[int]()

        class Transport(asyncio.Transport):
            def is_closing(self) -> bool:
                return False

            def write(self, data: Any) -> None:
                sent.append(sum(map(len, stage.target.delivered)))

        output = TurnOutput(asyncio.get_running_loop(), Transport())
        for turn in range(2):
            stage.backend.take(EVENT)
            output.add(b"an answer")
            stage.backend.take(EVENT)
            assert len(stage.target.delivered) == turn
            await asyncio.sleep(0)
        assert stage.target.delivered == [[EVENT, EVENT]] * 2
        assert sent == [2, 4]
        stage.backend.take(EVENT)
        await stage.backend.stop()
        assert len(stage.target.delivered) == 3

    play(scenario)


def test_batches_are_full_or_old_enough() -> None:
    async def scenario() -> None:
        stage = Stage(BATCH, BatchOptions(buffer_size=5, max_size=2, max_wait=30, throttle=False))
        stage.backend.start()
        for number in range(3):
            stage.backend.take({"level": "Metadata", "auditID": str(number)})
        await stage.clock.advance(1)
        assert [[event["auditID"] for event in batch] for batch in stage.target.delivered] == [["0", "1"]]
        await stage.clock.advance(30)
        assert [event["auditID"] for event in stage.target.delivered[1]] == ["2"]
        stage.backend.take(EVENT)
        await stage.backend.stop()
        assert stage.target.delivered[2] == [EVENT], "what is in the buffer at the end is not lost"

    play(scenario)


def test_what_the_buffer_cannot_hold_is_counted() -> None:
    stage = Stage(BATCH, BatchOptions(buffer_size=2))
    for _ in range(5):
        stage.backend.take(EVENT)
    assert stage.lost == {"test": 3}


def test_batches_are_throttled() -> None:
    async def scenario() -> None:
        stage = Stage(BATCH, BatchOptions(max_size=1, throttle_qps=1, throttle_burst=2))
        stage.backend.start()
        for _ in range(5):
            stage.backend.take(EVENT)
        await stage.clock.advance(0.1)
        assert len(stage.target.delivered) == 2
        await stage.clock.advance(1)
        assert len(stage.target.delivered) == 3
        await stage.backend.stop()

    play(scenario)


def test_large_events_lose_their_objects_then_themselves() -> None:
    stage = Stage(STRICT, truncation=Truncation(enabled=True, max_event_size=120, max_batch_size=1000))
    stage.backend.take(EVENT)
    assert stage.target.delivered == [[{"level": "Request", "auditID": "1", "annotations": {"audit.k8s.io/truncated": "true"}}]]
    stage.backend.take({"level": "Metadata", "auditID": "2", "requestURI": "x" * 200})
    assert (len(stage.target.delivered), stage.lost) == (1, {"truncate": 1})


def test_large_batches_are_split() -> None:
    assert in_batches([b"aa", b"bb", b"c"], 4) == [[b"aa", b"bb"], [b"c"]]
    assert in_batches([b"aaaaaa", b"b"], 4) == [[b"aaaaaa"], [b"b"]]


def test_a_full_file_is_renamed_and_the_oldest_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock, path = VirtualClock(), tmp_path / "logs" / "audit.log"
        file = LogFile(path, clock, max_size=1, max_backups=2)
        for number in range(4):
            file.write(f"{number}".encode() * 600_000)
            await clock.advance(1)
        file.close()
        names = sorted(each.name for each in path.parent.iterdir())
        assert names == ["audit-2030-01-01T00-00-02.000.log", "audit-2030-01-01T00-00-03.000.log", "audit.log"]
        assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}
        assert path.read_bytes()[:1] == b"3"

    play(scenario)


def test_old_files_may_be_packed(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "audit.log", VirtualClock(), max_size=1, compress=True)
    file.write(b"a" * 1_000_000)
    file.write(b"b" * 1_000_000)
    file.close()
    packed = tmp_path / "audit-2030-01-01T00-00-00.000.log.gz"
    assert gzip.decompress(packed.read_bytes()) == b"a" * 1_000_000
    assert packed.stat().st_mode & 0o777 == 0o600


def test_age_and_number_of_old_files() -> None:
    backups = {Path(f"audit-{day}"): datetime(2030, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)}
    now = datetime(2030, 1, 5, 1, tzinfo=UTC)
    assert [str(each) for each in outdated(backups, now, 0, 3)] == ["audit-1"]
    assert [str(each) for each in outdated(backups, now, 2, 0)] == ["audit-3", "audit-2", "audit-1"]
    assert outdated(backups, now, 0, 0) == []


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for word in (b"one", b"two"):
        file = LogFile(path, VirtualClock())
        file.write(word)
        file.close()
    assert path.read_bytes() == b"onetwo"


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    target = LogTarget(None)
    target.deliver([target.encode({"kind": "Event"})])
    assert capfdbinary.readouterr().out == b'{"kind":"Event"}\n'
