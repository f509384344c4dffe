"""The supervisor starts what is wanted, starts again what dies, stops what is no longer wanted."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
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


def test_a_part_goes_before_others_with_its_session(tmp_path: Path) -> None:
    found = tmp_path / "found"

    def look() -> None:
        session = Path("/proc/self/autogroup")
        told = session.read_text().split()[-1] if session.exists() else "5"
        found.with_suffix(".new").write_text(f"{os.getpriority(os.PRIO_PROCESS, 0)} {told}")
        found.with_suffix(".new").rename(found)
        time.sleep(60)

    child = os.fork()
    if child == 0:
        Supervisor(lambda: [replace(_spec("nice", look, tmp_path), niceness=5)], tmp_path / "state.json").run()
        os._exit(0)
    try:
        _until(found.exists)
    finally:
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] == 0
    assert found.read_text() == "5 5"


def test_modules_of_later_parts_are_loaded_once_the_first_parts_run(tmp_path: Path) -> None:
    (tmp_path / "module_of_a_later_part.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'w')\n")
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(tmp_path))
        plan = lambda: [_spec("first", lambda: time.sleep(60), tmp_path)] if (tmp_path / "go").exists() else []  # noqa: E731
        Supervisor(plan, tmp_path / "state.json", ["module_of_a_later_part"]).run()
        os._exit(0)
    try:
        _until((tmp_path / "state.json").exists)
        assert not (tmp_path / "loaded").exists()
        (tmp_path / "go").touch()
        os.kill(child, signal.SIGHUP)
        _until((tmp_path / "loaded").exists)
    finally:
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] == 0


def test_a_part_that_is_now_another_is_stopped_and_started() -> None:
    part = Part(_spec("kept"))
    moved = ProcessSpec("kept", "proa/other", Path("/nonexistent/kept.log"), lambda: None)
    assert changes({"kept": moved}, {"kept": part}) == ([moved], [part])
