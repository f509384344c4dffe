"""What the embedded store promises when things go wrong: an acknowledged write is never lost, none is torn, and each is flushed before
its answer.

SIGKILL shows the first two. It can't show a missing flush, as the kernel still has what a killed process wrote: a trace of system calls
does.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KILLS = 200


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def test_a_writer_killed_200_times_loses_and_tears_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "crash_rounds.py"), str(tmp_path / "store.db"), str(KILLS)]
    result = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=250, check=False)
    assert result.returncode == 0, result.stderr
    seen = dict(pair.split("=") for pair in result.stdout.split())
    assert (seen["kills"], seen["integrity"]) == (str(KILLS), "ok")
    assert int(seen["acknowledged"]) > KILLS
    assert int(seen["before_first_answer"]) < KILLS


MARK = re.compile(r'write\(1<[^>]*>, "(ask|answer) (\d+);"')
LOG_WRITE = re.compile(r"pwrite64\(\d+<[^>]*-wal>")
FLUSH_BEGINS = re.compile(r"(?:fdatasync|fsync)\(\d+<[^>]*-wal>")
FLUSH_RESUMED = re.compile(r"<\.\.\. (?:fdatasync|fsync) resumed>\)\s*= 0")


def flushed_before_answer(trace: str) -> dict[int, bool]:
    """For each write of the trace: was the log written and then flushed, start to end, between its question and its answer?"""
    stage: dict[int, int] = {}
    flushed: dict[int, bool] = {}
    under_way: dict[str, set[int]] = {}
    for line in trace.splitlines():
        thread = line.split()[0]
        if mark := MARK.search(line):
            number = int(mark[2])
            if mark[1] == "ask":
                stage[number] = 0
            else:
                flushed[number] = stage[number] == 2
        elif LOG_WRITE.search(line):
            stage = {number: max(each, 1) for number, each in stage.items()}
        elif FLUSH_BEGINS.search(line):
            under_way[thread] = {number for number, each in stage.items() if each == 1}
            if re.search(r"\)\s*= 0", line):
                stage |= dict.fromkeys(under_way.pop(thread), 2)
        elif FLUSH_RESUMED.search(line):
            stage |= dict.fromkeys(under_way.pop(thread, ()), 2)
    return flushed


@pytest.mark.parametrize("manner", ["one-by-one", "together"])
def test_the_log_is_flushed_between_each_write_and_its_answer(tmp_path: Path, manner: str) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    traced = [strace, "-f", "-y", "-o", str(trace), "-e", "trace=fdatasync,fsync,write,pwrite64"]
    command = [*traced, sys.executable, str(HERE / "traced_writer.py"), str(tmp_path / "store.db"), manner]
    result = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=100, check=False)
    if "PTRACE" in result.stderr or "ptrace" in result.stderr:
        pytest.skip(f"tracing is not permitted here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    assert flushed_before_answer(trace.read_text()) == dict.fromkeys(range(20), True)


ASK, ANSWER = '7 write(1</dev/null>, "ask 0;", 6) = 6', '7 write(1</dev/null>, "answer 0;", 9) = 9'
WRITE, FLUSH = '8 pwrite64(5</s.db-wal>, "x", 1, 0) = 1', "8 fdatasync(5</s.db-wal>) = 0"
BEGIN, RESUME = "8 fdatasync(5</s.db-wal> <unfinished ...>", "8 <... fdatasync resumed>) = 0"


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([ASK, WRITE, FLUSH, ANSWER], True),
        ([ASK, WRITE, BEGIN, RESUME, ANSWER], True),
        ([ASK, WRITE, BEGIN, ANSWER, RESUME], False),
        ([ASK, WRITE, ANSWER, FLUSH], False),
        ([ASK, FLUSH, WRITE, ANSWER], False),
        ([WRITE, ASK, FLUSH, ANSWER], False),
        ([ASK, BEGIN, WRITE, RESUME, ANSWER], False),
    ],
)
def test_the_reading_of_traces_knows_a_missing_flush(lines: list[str], verdict: bool) -> None:
    assert flushed_before_answer("\n".join(lines)) == {0: verdict}
