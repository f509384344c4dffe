"""Control groups over a tree of plain files that looks like version 2: the kernel's part is played by nobody."""

import os
import signal
from pathlib import Path

import pytest

from proa.cluster import cgroup


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    return tmp_path


def _group(root: Path, name: str, *pids: int) -> Path:
    path = root / name
    path.mkdir(parents=True)
    (path / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return path


def test_version_2_is_one_hierarchy(root: Path) -> None:
    assert cgroup.hierarchies() == [root]


def test_in_the_hybrid_layout_the_unified_tree_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    trees = [tmp_path / name for name in ("cpu", "systemd", "unified", "memory")]
    for tree in trees:
        tree.mkdir()
    mounts = "".join(f"cgroup {tree} {'cgroup2' if tree.name == 'unified' else 'cgroup'} rw 0 0\n" for tree in trees)
    monkeypatch.setattr(Path, "read_text", lambda path: f"proc /proc proc rw 0 0\n{mounts}" if str(path) == "/proc/mounts" else "")
    assert [path.name for path in cgroup.hierarchies()] == ["unified", "systemd", "cpu", "memory"]


def test_this_process_joins_a_group_that_is_made_for_it(root: Path) -> None:
    cgroup.join("proa/a/n/system")
    assert (root / "proa/a/n/system/cgroup.procs").read_text() == str(os.getpid())


def test_processes_are_those_of_all_groups_below(root: Path) -> None:
    _group(root, "proa/a/n", 1)
    _group(root, "proa/a/n/kubepods/pod1", 2, 3)
    _group(root, "proa/a/other", 4)
    assert cgroup.processes("proa/a/n") == {1, 2, 3}
    assert cgroup.processes("proa/gone") == set()


def test_kill_goes_on_until_nobody_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = _group(root, "proa/a/n", 11, 12)
    sent: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        sent.append((pid, number))
        left = [each for each in (11, 12) if (each, signal.SIGKILL) not in sent]
        (group / "cgroup.procs").write_text("".join(f"{each}\n" for each in left))

    monkeypatch.setattr(os, "kill", kill)
    cgroup.kill("proa/a/n")
    assert sorted(sent) == [(11, signal.SIGKILL), (12, signal.SIGKILL)]


def test_removal_takes_what_is_below_first(root: Path) -> None:
    (root / "proa/a/n/kubepods/pod1").mkdir(parents=True)
    (root / "proa/b").mkdir()
    cgroup.remove("proa/a")
    cgroup.remove_if_empty("proa")
    assert sorted(path.name for path in (root / "proa").iterdir()) == ["b"]
    cgroup.remove("proa/b")
    cgroup.remove_if_empty("proa")
    assert not (root / "proa").exists()
