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


def start(paths: ClusterPaths) -> int:
    """Start the supervisor unless it runs, and return once it takes signals."""
    if running := pid(paths):
        return running
    paths.supervisor_pid.unlink(missing_ok=True)
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = os.open(paths.logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    command = [sys.executable, "-m", "proa.cluster", paths.name]
    environment = os.environ | {"PROA_HOME": str(paths.home)}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment, cwd="/")
    os.close(log)
    deadline = time.monotonic() + START_PATIENCE
    while not pid(paths):
        if child.poll() is not None or time.monotonic() > deadline:
            raise ClusterError(f"the supervisor did not start; see {paths.logs / 'supervisor.log'}")
        time.sleep(0.005)
    child.returncode = 0  # it outlives us: nothing to wait for, nothing to warn about
    return child.pid


def reload(paths: ClusterPaths) -> None:
    """Have the supervisor read the settings again."""
    if running := pid(paths):
        os.kill(running, signal.SIGHUP)


def stop(paths: ClusterPaths, patience: float = 20.0) -> None:
    """End the supervisor and with it all of its parts."""
    running = pid(paths)
    if not running:
        return
    os.kill(running, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while pid(paths) == running:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(running, signal.SIGKILL)
        time.sleep(0.01)
