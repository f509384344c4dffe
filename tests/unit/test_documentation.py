"""Documentation that can be trusted: every path that it names exists, and the map knows every package and command."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proa.cli.main import COMMANDS

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("proa", "tests", "docs", "examples", "benchmarks", "fuzz", "scripts")
DOCUMENTS = sorted([
    *REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("proa/**/*.md"), *REPOSITORY.glob("benchmarks/**/*.md"),
    *REPOSITORY.glob("examples/**/*.md"),
])  # fmt: skip
MAP = REPOSITORY / "docs/map.md"


def quoted(text: str) -> Iterator[str]:
    """What stands in backticks, outside of blocks of code."""
    return iter(re.findall(r"`([^`\n]+)`", re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.DOTALL | re.MULTILINE)))


def named_paths(text: str) -> Iterator[str]:
    """Paths of the repository, in backticks. Words in capitals stand for something else (proa/CLUSTER/NODE)."""
    for each in quoted(text):
        if re.fullmatch(r"[a-z0-9_./-]+", each) and each.partition("/")[0] in FOLDERS and "/" in each:
            yield each


def links(text: str) -> Iterator[str]:
    return (target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target and target[0] != "#")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_path_in_a_document_exists(document: Path) -> None:
    text = document.read_text()
    absent = [each for each in named_paths(text) if not (REPOSITORY / each).exists()]
    absent += [each for each in links(text) if not (document.parent / each).exists()]
    assert absent == []


def test_the_map_knows_every_package() -> None:
    packages = {str(path.parent.relative_to(REPOSITORY)) for path in REPOSITORY.glob("proa/**/__init__.py")} - {"proa"}
    assert packages - set(quoted(MAP.read_text())) == set()


def test_the_map_is_in_the_order_of_the_layers() -> None:
    listed = re.findall(r"^\| `proa/(\w+)` \|", MAP.read_text(), flags=re.MULTILINE)
    layers = re.search(r"^layers =\n((?:    .*\n)+)", (REPOSITORY / ".importlinter").read_text(), flags=re.MULTILINE)
    assert layers is not None
    order = [line.strip() for line in layers[1].splitlines()]
    ranks = [next(rank for rank, line in enumerate(order) if package in re.split(r"\W+", line)) for package in listed]
    assert ranks == sorted(ranks)


def test_the_readme_tells_of_every_command() -> None:
    commands = set(re.findall(r"`proa (\w+)", (REPOSITORY / "README.md").read_text()))
    assert set(COMMANDS) - commands == set()


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE))
    told = {each for document in DOCUMENTS for each in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", "\n".join(quoted(document.read_text())))}
    assert told - targets == set()


@pytest.mark.parametrize("module", ["proa.apiserver", "proa.controllers", "proa.scheduler", "proa.kubelet"])
def test_a_part_that_runs_alone_explains_itself(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.returncode, "--config" in done.stdout) == (0, True)
