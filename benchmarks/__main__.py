"""`python -m benchmarks [--peer URL,TOKEN] [NAME...]`: the named benchmarks, or all of them, as lines while they run and then as a table.

Loads go to 127.0.0.1 only and end by themselves. With --peer, only the comparison runs.
"""

import argparse
import importlib
import os
import platform
import sys
import time
from collections.abc import Iterable

from benchmarks import figures
from benchmarks.figures import Figure

NAMES = {
    "start": "start of the API server alone, its memory",
    "api": "creates, GET, apply and patch by wrk over TLS",
    "lists": "LIST of 30,000 Pods, memory with them",
    "watches": "fan-out to 100 watchers",
    "latency": "GET while a LIST runs every second",
    "definitions": "1,000 CustomResourceDefinitions: start, memory; creates of custom resources",
    "control_plane": "proa up --nodes 0: start, memory, creates with everything at work",
    "nodes": "proa up --nodes 2: an application by DNS name, pod starts, a Service to rules (root)",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{name}: {text}" for name, text in NAMES.items()))
    parser.add_argument("--peer", metavar="URL,TOKEN", help="another API server, measured in alternation; its certificate is not checked")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(NAMES)):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(machine(), flush=True)
    if arguments.peer:
        from benchmarks import peer

        found, failed = _run("peer", lambda: peer.measure(peer.parse(arguments.peer)))
    else:
        found, failed = run(arguments.names or NAMES)
    print(f"\n{machine()}\n\n{figures.table(found)}")
    return 1 if failed else 0


def run(names: Iterable[str]) -> tuple[list[Figure], bool]:
    found: list[Figure] = []
    failed = False
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        some, wrong = _run(name, module.measure)
        found += some
        failed = failed or wrong
    return found, failed


def _run(name: str, measure: "figures.Measure") -> tuple[list[Figure], bool]:
    """One that fails says so and does not keep the others from running."""
    print(f"{name}:", flush=True)
    started = time.monotonic()
    try:
        some = measure()
    except Exception as error:
        print(f"  failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return [], True
    for figure in some:
        print(figures.line(figure), flush=True)
    print(f"  ({time.monotonic() - started:.0f} s)", flush=True)
    return some, False


def machine() -> str:
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python {platform.python_version()}, load {load}"


if __name__ == "__main__":
    sys.exit(main())
