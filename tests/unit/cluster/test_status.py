"""What `proa status` reports, and the search for a supervisor that runs."""

import json
import os
from pathlib import Path

import pytest

from proa.cluster import status, supervisor_process
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings, save

SETTINGS = ClusterSettings("unit", 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37")


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterPaths:
    monkeypatch.setenv("PROA_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    made = ClusterPaths(tmp_path, "unit")
    made.run.mkdir(parents=True)
    save(SETTINGS, made.settings)
    return made


def test_without_a_supervisor_nothing_runs_whatever_the_last_one_wrote(paths: ClusterPaths) -> None:
    paths.state.write_text(json.dumps({"apiserver": {"pid": 1, "restarts": 0}}))
    assert status.describe("unit") == status.ClusterStatus(SETTINGS, False, ())


def test_each_part_has_its_process_and_its_share_of_memory(paths: ClusterPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_process, "pid", lambda found: 7 if found == paths else 0)
    monkeypatch.setattr(status, "proportional_set_size", lambda pid: pid * 1.5)
    paths.state.write_text(json.dumps({"apiserver": {"pid": 8, "restarts": 0}, "n-1/agent": {"pid": 0, "restarts": 3}}))
    assert status.describe("unit") == status.ClusterStatus(
        SETTINGS,
        True,
        (
            status.PartStatus("supervisor", 7, 0, 10.5),
            status.PartStatus("apiserver", 8, 0, 12.0),
            status.PartStatus("n-1/agent", 0, 3, 0.0),
        ),
    )


def test_memory_is_that_of_a_process_and_none_for_one_that_is_gone() -> None:
    assert 1 < status.proportional_set_size(os.getpid()) < 10_000
    assert status.proportional_set_size(0) == 0.0


@pytest.mark.parametrize("text", [None, "", "x", "999999999"])
def test_no_supervisor_runs_where_the_file_names_none(paths: ClusterPaths, text: str | None) -> None:
    if text is not None:
        paths.supervisor_pid.write_text(text)
    assert supervisor_process.pid(paths) == 0


def test_a_pid_that_another_program_has_got_since_is_no_supervisor(paths: ClusterPaths) -> None:
    paths.supervisor_pid.write_text(str(os.getpid()))
    assert supervisor_process.pid(paths) == 0
