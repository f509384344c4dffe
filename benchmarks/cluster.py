"""A whole cluster as a user starts it, in a home of its own: `proa up`, and `proa down` whatever happened."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import descendants
from benchmarks.target import Target, cluster_admin_token
from proa.cluster import settings
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings

NAME = "benchmark"


@dataclass(frozen=True, slots=True)
class Cluster:
    """`seconds` is what `proa up` took."""

    paths: ClusterPaths
    settings: ClusterSettings
    environment: dict[str, str]
    seconds: float

    def proa(self, *arguments: str) -> str:
        return _proa(self.environment, *arguments)

    def target(self) -> Target:
        """Its API server, with a token of a cluster administrator."""
        url = f"https://127.0.0.1:{self.settings.api_port}"
        token = cluster_admin_token(url, (self.paths.pki / "admin.crt", self.paths.pki / "admin.key"))
        return Target("proa", url, token, self.parts()["apiserver"])

    def parts(self) -> dict[str, int]:
        """The pid of each process that the supervisor runs, and its own."""
        found = {"supervisor": int(self.paths.supervisor_pid.read_text())}
        return found | {name: part["pid"] for name, part in json.loads(self.paths.state.read_text()).items()}

    def processes(self) -> list[int]:
        return descendants(self.parts()["supervisor"])


@contextmanager
def cluster(nodes: int) -> Iterator[Cluster]:
    """Raises RuntimeError with what `proa` said if it does not start."""
    with TemporaryDirectory(prefix="proa-benchmark-") as directory:
        home = Path(directory) / "home"
        environment = os.environ | {"PROA_HOME": str(home), "KUBECONFIG": f"{directory}/kubeconfig"}
        started = time.monotonic()
        try:
            _proa(environment, "up", NAME, "--nodes", str(nodes))
            seconds = time.monotonic() - started
            paths = ClusterPaths(home, NAME)
            found = settings.load(paths.settings)
            assert found is not None
            yield Cluster(paths, found, environment, seconds)
        finally:
            _proa(environment, "down", NAME)


def _proa(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "proa.cli.main", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    if done.returncode:
        raise RuntimeError(f"proa {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
