"""The command line as a user has it: arguments in, output and exit code out, over a home of its own."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from proa.cli import main as command_line
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings, NodeSettings, save


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Proa = Callable[..., Outcome]
Make = Callable[..., ClusterPaths]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody is root here, so that no command touches the machine."""
    monkeypatch.setenv("PROA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path / "home"


@pytest.fixture
def proa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Proa:
    """Runs `proa ARGUMENTS...` in this process, errors and exit code included."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["proa", *arguments])
        code: object = 0
        try:
            command_line.main()
        except SystemExit as ended:
            code = ended.code
        captured = capsys.readouterr()
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def stopped(home: Path) -> Make:
    """Makes a cluster that has settings and no process, under names that no real cluster has."""

    def make(name: str, *nodes: NodeSettings) -> ClusterPaths:
        paths = ClusterPaths(home, name)
        paths.data.mkdir(parents=True)
        save(ClusterSettings(name, 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37", nodes), paths.settings)
        return paths

    return make
