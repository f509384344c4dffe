"""Every input that is kept in `fuzz/corpus` goes through its target once more: what once was a finding stays mended."""

import time
from pathlib import Path

import pytest

from fuzz.judge import CORPUS, MOST_WORK, NAMES, kept, load

INPUTS = [(name, path) for name in NAMES for path in kept(name)]


@pytest.mark.parametrize(("name", "path"), INPUTS, ids=[f"{name}/{path.name}" for name, path in INPUTS])
def test_an_input_that_is_kept_shows_no_fault(name: str, path: Path) -> None:
    one, data = load(name), path.read_bytes()
    start = time.process_time()
    one(data)
    assert time.process_time() - start < MOST_WORK


def test_every_target_has_inputs_and_every_input_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(NAMES)
    assert {name for name, _ in INPUTS} == set(NAMES)


def test_inputs_are_few_and_small() -> None:
    assert max(path.stat().st_size for _, path in INPUTS) <= 64 * 1024
    assert len(INPUTS) < 400
