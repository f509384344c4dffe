"""One input through one target, and what is wrong with what came of it: an exception that nobody declared, or too much work."""

import hashlib
import importlib
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from proa.lib.dataclass import dataclass

FUZZ = Path(__file__).parent
CORPUS = FUZZ / "corpus"
MOST_WORK = 2.0
"""Seconds of CPU for one input, none of which is longer than a few kilobytes."""
One = Callable[[bytes], None]
NAMES = tuple(sorted(path.stem for path in (FUZZ / "targets").glob("[a-z]*.py")))


@dataclass(frozen=True, slots=True)
class Finding:
    """`signature` is the same for all inputs that show the same fault."""

    signature: str
    told: str


def load(name: str) -> One:
    one: One = importlib.import_module(f"fuzz.targets.{name}").one
    return one


def kept(name: str) -> list[Path]:
    """The inputs in the repository: what once was a finding, and what leads a fuzzer deep."""
    return sorted((CORPUS / name).glob("*"))


def judge(one: One, data: bytes) -> Finding | None:
    start = time.process_time()
    try:
        one(data)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/proa/" in frame.filename] or frames
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        told = "".join(traceback.format_exception(error, limit=-12))
        return Finding(f"{type(error).__name__} at {place}", told[-4000:])
    spent = time.process_time() - start
    if spent > MOST_WORK:
        return Finding("too much work", f"{spent:.1f} s of CPU")
    return None


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
