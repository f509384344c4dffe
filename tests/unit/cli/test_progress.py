"""Progress on a pipe: one plain line per step, when it is over."""

import re

import pytest

from proa.cli.progress import Progress


def _plain(text: str) -> str:
    return re.sub(r"\d+\.\d+ s", "T", text)


def test_each_step_and_the_whole_have_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        with progress.step("One"):
            pass
        with progress.step("Two"):
            pass
    captured = capsys.readouterr()
    assert (captured.out, _plain(captured.err)) == ("", " ✓ One (T)\n ✓ Two (T)\nDone in T\n")


def test_a_step_that_fails_is_marked_and_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), Progress() as progress, progress.step("One"):
        raise RuntimeError
    assert capsys.readouterr().err == " ✗ One\n"


def test_a_terminal_sees_the_step_while_it_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress().step("One"):
        assert capsys.readouterr().err == " • One …"
    assert _plain(capsys.readouterr().err) == "\r ✓ One (T)\n"
