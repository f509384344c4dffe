"""The supervisor starts what is wanted, starts again what dies, stops what is no longer wanted."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from proa.cluster.supervisor import Part, ProcessSpec, Supervisor, changes, restart_delay


def _spec(name: str, run: Callable[[], None] = lambda: None, folder: Path = Path("/nonexistent")) -> ProcessSpec:
    return ProcessSpec(name, "", folder / f"{name}.log", run)


def test_changes_start_what_is_missing_and_stop_what_is_too_much() -> None:
    kept, gone, new = Part(_spec("kept")), Part(_spec("gone")), _spec("new")
    assert changes({"kept": kept.spec, "new": new}, {"kept": kept, "gone": gone}) == ([new], [gone])


@pytest.mark.parametrize(
    ("ran", "previous", "delay"),
    [(60.0, 5.0, 0.0), (0.1, 0.0, 0.1), (0.1, 0.1, 0.2), (0.1, 4.0, 5.0)],
    ids=["stable", "first", "doubles", "bound"],
)
def test_restart_delays(ran: float, previous: float, delay: float) -> None:
    assert restart_delay(ran, previous) == delay


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_killed_part_comes_back_and_a_stopped_supervisor_leaves_nothing(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted"
    wanted.write_text("one two")
    state = tmp_path / "state.json"

    def parts() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = json.loads(state.read_text()) if state.exists() else {}
        return found

    child = os.fork()
    if child == 0:
        plan = lambda: [_spec(name, lambda: time.sleep(60), tmp_path) for name in wanted.read_text().split()]  # noqa: E731
        Supervisor(plan, state).run()
        os._exit(0)
    try:
        _until(lambda: len(parts()) == 2)
        first = parts()["one"]["pid"]
        os.kill(first, signal.SIGKILL)
        _until(lambda: parts()["one"]["restarts"] == 1 and parts()["one"]["pid"] not in (0, first))
        wanted.write_text("one")
        os.kill(child, signal.SIGHUP)
        _until(lambda: list(parts()) == ["one"])
        last = parts()["one"]["pid"]
    finally:
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] == 0
    assert parts() == {}
    assert not Path(f"/proc/{last}").exists()
