"""Starting, finding and signalling a cluster's supervisor, which runs detached from any terminal."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths

START_PATIENCE = 15.0


def pid(paths: ClusterPaths) -> int:
    """The supervisor's pid, 0 if none runs. A pid file of an earlier boot is told by the process's command line."""
    try:
        found = int(paths.supervisor_pid.read_text())
        command = Path(f"/proc/{found}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return 0
    return found if b"proa.cluster" in command and paths.name.encode() in command else 0


def leftovers(paths: ClusterPaths) -> list[int]:
    """Processes of this cluster's supervisor and of parts forked from it, whether it is known by its pid file or not."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if command[1:4] == [b"-m", b"proa.cluster", paths.name.encode()] and _home(folder) == os.fsencode(paths.home):
                found.append(int(folder.name))
    return found


def _home(process: Path) -> bytes:
    variables = (process / "environ").read_bytes().split(b"\0")
    return next((line.removeprefix(b"PROA_HOME=") for line in variables if line.startswith(b"PROA_HOME=")), b"")


def end_leftovers(paths: ClusterPaths, patience: float = 10.0) -> None:
    """Wait for parts whose supervisor is gone, which has told them to end; then end them."""
    deadline = time.monotonic() + patience
    chosen = signal.SIGTERM
    while alive := leftovers(paths):
        for pid_ in alive:
            with suppress(ProcessLookupError):
                os.kill(pid_, chosen)
        if time.monotonic() > deadline:
            chosen = signal.SIGKILL
        time.sleep(0.02)


def launch(paths: ClusterPaths) -> subprocess.Popen[bytes] | None:
    """Start the supervisor, and return while it still loads its code; None if it runs."""
    if pid(paths):
        return None
    end_leftovers(paths)
    paths.supervisor_pid.unlink(missing_ok=True)
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = os.open(paths.logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    command = [sys.executable, "-m", "proa.cluster", paths.name]
    environment = os.environ | {"PROA_HOME": str(paths.home)}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment, cwd="/")
    os.close(log)
    return child


def wait_launched(paths: ClusterPaths, child: subprocess.Popen[bytes] | None) -> None:
    """Return once it takes signals."""
    deadline = time.monotonic() + START_PATIENCE
    while child is not None and not pid(paths):
        if child.poll() is not None or time.monotonic() > deadline:
            raise ClusterError(f"the supervisor did not start: {last_words(paths.logs / 'supervisor.log')}")
        time.sleep(0.005)
    if child is not None:
        child.returncode = 0  # it outlives us: nothing to wait for, nothing to warn about


def reload(paths: ClusterPaths) -> None:
    """Have the supervisor read the settings again."""
    if running := pid(paths):
        os.kill(running, signal.SIGHUP)


def stop(paths: ClusterPaths, patience: float = 20.0) -> None:
    """End the supervisor and with it all of its parts."""
    running = pid(paths)
    if not running:
        end_leftovers(paths)
        return
    os.kill(running, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while pid(paths) == running:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(running, signal.SIGKILL)
        time.sleep(0.01)
    end_leftovers(paths)


def last_words(log: Path) -> str:
    """The end of a log, as a cluster that could not be made is removed with its logs."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return "it never started"
    return lines[-1] if lines else "its log is empty"
