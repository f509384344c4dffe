"""`make fuzz`: our decoders and patch engines under atheris, then the published API under schemathesis, within a budget of time.

`python -m fuzz.run [--seconds SECONDS] [--work FOLDER] [TARGET ...]`. Each target is a process of its own, one after the other, with an
equal share; naming targets leaves out all others. What was found is listed at the end and lies in FOLDER/TARGET; the exit status is 1 if
there is anything.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from fuzz.judge import FUZZ, NAMES

OPENAPI = "openapi"
OPENAPI_SHARE = 0.3
"""Of the budget; the targets divide the rest."""
GRACE = 120
"""Seconds beyond its share after which a process is ended."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz proa's decoders, its patch engines and its API.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join((*NAMES, OPENAPI))}; all by default")
    parser.add_argument("--seconds", type=int, default=1800, help="altogether (default: 1800)")
    parser.add_argument("--work", type=Path, default=Path(".cache/fuzz"), help="what is found and what corpora have grown to")
    options = parser.parse_args()
    if unknown := set(options.targets) - {*NAMES, OPENAPI}:
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    faults = []
    for name, seconds in shares(options.targets or [*NAMES, OPENAPI], options.seconds):
        faults += explore(name, seconds, options.work / name)
    print(f"\n{len(faults)} findings" + "".join(f"\n  {fault}" for fault in faults))
    return 1 if faults else 0


def shares(names: list[str], seconds: int) -> list[tuple[str, int]]:
    """(target, its seconds)"""
    guided = [name for name in names if name != OPENAPI]
    rest = seconds * (1 - OPENAPI_SHARE) if OPENAPI in names and guided else seconds
    planned = [(name, max(1, int(rest / len(guided)))) for name in guided]
    return planned + ([(OPENAPI, max(1, int(seconds - (rest if guided else 0))))] if OPENAPI in names else [])


def explore(name: str, seconds: int, work: Path) -> list[str]:
    """What is wrong, one line each."""
    print(f"\n=== {name}: {seconds} s", flush=True)
    if name == OPENAPI:
        arguments = ["fuzz.openapi", str(seconds)]
    else:
        shutil.rmtree(work / "findings", ignore_errors=True)
        for former in (*work.glob("timeout-*"), *work.glob("oom-*"), *work.glob("crash-*")):
            former.unlink()
        arguments = ["fuzz.guided", name, str(seconds), str(work)]
    try:
        status = subprocess.run([sys.executable, "-m", *arguments], cwd=FUZZ.parent, timeout=seconds + GRACE, check=False).returncode
    except subprocess.TimeoutExpired:
        return [f"{name}: was ended {GRACE} s after its time"]
    left = [*work.glob("findings/*"), *work.glob("timeout-*"), *work.glob("oom-*"), *work.glob("crash-*")]
    return [f"{name}: {path}" for path in sorted(left)] or ([f"{name}: ended with status {status}"] if status else [])


if __name__ == "__main__":
    sys.exit(main())
