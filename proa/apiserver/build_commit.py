"""The commit that this server was made from: `gitCommit` of /version, which tells one build from another.

A wheel carries it in a file that the build hook writes. A checkout, and an editable install of one, has it in git's own files, which are
read without git. Where neither is, nothing is claimed. Source: gitrepository-layout(5) for HEAD, refs, packed-refs and `commondir`.
"""

import functools
from pathlib import Path

RECORD = "build_commit.txt"
_PACKAGE = Path(__file__).resolve().parents[1]


@functools.cache
def build_commit() -> str:
    """Its hexadecimal name, or "". Read once: what runs doesn't change when the checkout does."""
    return checkout_commit(_PACKAGE.parent) or _text(_PACKAGE / RECORD)


def checkout_commit(root: Path) -> str:
    """The commit that the checkout at `root` stands at, "" where there is no checkout or no commit yet."""
    folder = _git_folder(root)
    head = _text(folder / "HEAD")
    if not head.startswith("ref: "):
        return head
    reference = head.removeprefix("ref: ")
    common = folder / (_text(folder / "commondir") or ".")
    return _text(folder / reference) or _text(common / reference) or _packed(common, reference)


def _git_folder(root: Path) -> Path:
    """A linked worktree has a file there, which names the folder."""
    place = root / ".git"
    return root / _text(place).removeprefix("gitdir: ") if place.is_file() else place


def _packed(common: Path, reference: str) -> str:
    lines = (line.split() for line in _text(common / "packed-refs").splitlines())
    return next((line[0] for line in lines if line[1:] == [reference]), "")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
