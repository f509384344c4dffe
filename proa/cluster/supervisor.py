"""The one process that keeps a cluster running: it starts every part, and starts again what dies.

It holds no threads and no event loop: it waits for signals (SIGCHLD: something ended; SIGHUP: the settings changed; SIGTERM: stop).
Parts are forked from it with their code already loaded, so a restart takes milliseconds and the parts share that memory.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from proa.cluster import cgroup
from proa.cluster.errors import ClusterError
from proa.lib.dataclass import dataclass

SIGNALS = {signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT}
STABLE_AFTER = 5.0
LONGEST_DELAY = 5.0
STOP_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One part: `run` is called in the forked child and its return ends the child. Specs with equal names are the same part.

    `group` is the cgroup that holds it, "" without root.
    """

    name: str
    group: str
    log: Path
    run: Callable[[], None] = field(compare=False)
    kill_group: str = ""
    """Where set, stopping this part means to kill this whole cgroup: how a node loses its power."""
    modules: tuple[str, ...] = ()
    """Imported here before the fork: shared by all children, and loaded already when the part must be restarted."""
    niceness: int = 0
    """From -20 (first) to 19; without the right to go before others a part runs as they do."""


@dataclass(slots=True)
class Part:
    """A part as it runs: pid 0 while it waits for its restart at `due`."""

    spec: ProcessSpec
    pid: int = 0
    started: float = 0.0
    restarts: int = 0
    delay: float = 0.0
    due: float = 0.0


def restart_delay(ran: float, previous: float) -> float:
    """At once after a stable run, else 0.1 s doubling to 5 s."""
    return 0.0 if ran >= STABLE_AFTER else min(LONGEST_DELAY, max(0.1, previous * 2))


def changes(wanted: Mapping[str, ProcessSpec], parts: Mapping[str, Part]) -> tuple[list[ProcessSpec], list[Part]]:
    """(what to start, what to stop) to come from the running parts to the wanted ones; a part that is now another is in both."""
    start = [spec for name, spec in wanted.items() if name not in parts or parts[name].spec != spec]
    stop = [part for name, part in parts.items() if wanted.get(name) != part.spec]
    return start, stop


class Supervisor:
    """`plan()` reads the settings and says what should run. `ahead` are modules of parts that are still to come: they are loaded once the
    first parts run and nothing else is to be done.
    """

    def __init__(self, plan: Callable[[], Sequence[ProcessSpec]], state: Path, ahead: Sequence[str] = ()) -> None:
        self._plan = plan
        self._state = state
        self._ahead = list(ahead)
        self._parts: dict[str, Part] = {}

    def run(self) -> None:
        """Until SIGTERM; then stop every part and return."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._converge()
        while True:
            received = signal.sigtimedwait(SIGNALS, self._next_due())
            if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
                break
            if received is not None and received.si_signo == signal.SIGHUP:
                self._converge()
            self._reap()
            self._start_due()
            if received is None and self._ahead and self._parts:
                importlib.import_module(self._ahead.pop(0))
        self._stop(list(self._parts.values()))

    def _next_due(self) -> float:
        if self._ahead and self._parts:
            return 0.0
        waiting = [part.due for part in self._parts.values() if not part.pid]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else 3600.0

    def _converge(self) -> None:
        try:
            wanted = {spec.name: spec for spec in self._plan()}
        except ClusterError as error:
            _say(f"all stays as it is: {error}")
            return
        start, stop = changes(wanted, self._parts)
        self._stop(stop)
        for name, part in self._parts.items():
            part.spec = wanted[name]  # its next start is by the settings of now
        for spec in start:
            self._parts[spec.name] = part = Part(spec)
            self._spawn(part)
        self._write_state()

    def _spawn(self, part: Part) -> None:
        for module in part.spec.modules:
            importlib.import_module(module)
        gc.freeze()
        part.started = time.monotonic()
        part.pid = os.fork()
        if part.pid == 0:
            _become(part.spec)

    def _reap(self) -> None:
        by_pid = {part.pid: part for part in self._parts.values() if part.pid}
        reaped = False
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if part := by_pid.get(ended[0]):
                    self._note_end(part, ended[1])
                    reaped = True
        if reaped:
            self._start_due()
            self._write_state()

    def _note_end(self, part: Part, status: int) -> None:
        ran = time.monotonic() - part.started
        part.pid, part.restarts = 0, part.restarts + 1
        part.delay = restart_delay(ran, part.delay)
        part.due = time.monotonic() + part.delay
        _say(f"{part.spec.name} ended with {os.waitstatus_to_exitcode(status)} after {ran:.1f} s, again in {part.delay:.1f} s")

    def _start_due(self) -> None:
        started = False
        for part in self._parts.values():
            if not part.pid and part.due <= time.monotonic():
                self._spawn(part)
                started = True
        if started:
            self._write_state()

    def _stop(self, parts: Sequence[Part]) -> None:
        for part in parts:
            if part.spec.kill_group:
                cgroup.kill(part.spec.kill_group)
            if part.pid:  # a part with a group may not have joined it yet
                os.kill(part.pid, signal.SIGKILL if part.spec.kill_group else signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        for part in parts:
            self._wait_for(part, deadline)
            self._parts.pop(part.spec.name, None)
        self._write_state()

    def _wait_for(self, part: Part, deadline: float) -> None:
        while part.pid:
            with suppress(ChildProcessError):
                if not os.waitpid(part.pid, os.WNOHANG)[0]:
                    if time.monotonic() > deadline:
                        os.kill(part.pid, signal.SIGKILL)
                    time.sleep(0.01)
                    continue
            part.pid = 0

    def _write_state(self) -> None:
        state = {name: {"pid": part.pid, "restarts": part.restarts} for name, part in self._parts.items()}
        temporary = self._state.with_suffix(".new")
        with suppress(OSError):
            temporary.write_text(json.dumps(state))
            temporary.replace(self._state)


def _say(line: str) -> None:
    """Into the log. A full disk must not end the one process that keeps the others."""
    with suppress(OSError):
        print(line, flush=True)


def _become(spec: ProcessSpec) -> None:
    """The child's whole life; never returns to the supervisor's code."""
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.setsid()
        _die_with_parent()
        if spec.group:
            cgroup.join(spec.group)
        if spec.niceness:
            set_niceness(spec.niceness)
        _redirect(spec.log)
        spec.run()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except KeyboardInterrupt:
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def set_niceness(niceness: int) -> None:
    """Of this process, which leads its session, and of the session: where sessions are scheduled as groups (sched(7), "The autogroup
    feature"), a process's own value counts only within it."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        Path("/proc/self/autogroup").write_text(str(niceness))


def _die_with_parent() -> None:
    """A part that nobody supervises would stand in the way of the next supervisor (PR_SET_PDEATHSIG, which outlives exec)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _redirect(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open("/dev/null", os.O_RDONLY)
    for source, descriptor in ((empty, 0), (target, 1), (target, 2)):
        os.dup2(source, descriptor)
    os.close(target)
    os.close(empty)
