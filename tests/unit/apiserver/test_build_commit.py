"""The commit of a checkout is what git says, wherever git keeps it."""

import subprocess
from pathlib import Path

import pytest

from proa.apiserver.build_commit import checkout_commit


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
    return subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=first")
    return folder


@pytest.mark.parametrize(
    "change", [[], ["pack-refs", "--all"], ["checkout", "--quiet", "--detach"], ["checkout", "--quiet", "-b", "some/branch"]]
)
def test_the_commit_is_the_one_that_git_says(checkout: Path, change: list[str]) -> None:
    if change:
        git(checkout, *change)
    assert checkout_commit(checkout) == git(checkout, "rev-parse", "HEAD")


@pytest.mark.parametrize("packed", [False, True])
def test_a_linked_worktree_has_its_own_commit(checkout: Path, packed: bool) -> None:
    linked = checkout.parent / "linked"
    git(checkout, "worktree", "add", "--quiet", "-b", "other", str(linked))
    git(linked, "commit", "--quiet", "--allow-empty", "--message=second")
    if packed:
        git(checkout, "pack-refs", "--all")
    assert checkout_commit(linked) == git(linked, "rev-parse", "HEAD") != checkout_commit(checkout)


def test_without_a_checkout_or_a_commit_nothing_is_claimed(tmp_path: Path) -> None:
    assert checkout_commit(tmp_path) == ""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    assert checkout_commit(tmp_path) == ""
