"""Our API server alone in a process of its own, over an empty store in a directory of its own, with TLS as in a cluster."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.target import Target, cluster_admin_token, wait_until_ready
from proa.apiserver.config import ApiServerConfig
from proa.cluster import credentials
from proa.cluster.control_plane import api_server_config
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings

PATIENCE = 30.0


class Installation:
    """Certificates and a configuration file; `start` can be called again and again."""

    def __init__(self, directory: Path) -> None:
        self.paths = ClusterPaths(directory, "benchmark")
        self.port = free_port()
        settings = ClusterSettings("benchmark", self.port, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37")
        self.paths.data.mkdir(parents=True)
        credentials.create_for_cluster(self.paths, settings)
        config = dataclasses.replace(api_server_config(self.paths, settings), unix_socket=directory / "api.sock")
        self.config = directory / "config.json"
        self.config.write_text(_as_json(config))
        self.log = directory / "api.log"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "proa.apiserver", "--config", str(self.config), "--log-level", "WARNING"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""})

    @contextmanager
    def running(self) -> Iterator[Target]:
        process = self.start()
        try:
            wait_until_ready(self.url, time.monotonic() + PATIENCE)
            admin = self.paths.pki / "admin.crt", self.paths.pki / "admin.key"
            yield Target("proa", self.url, cluster_admin_token(self.url, admin), process.pid)
        finally:
            stop(process)


@contextmanager
def installation() -> Iterator[Installation]:
    with TemporaryDirectory(prefix="proa-benchmark-") as directory:
        yield Installation(Path(directory))


@contextmanager
def api_server() -> Iterator[Target]:
    """A new, empty one."""
    with installation() as installed, installed.running() as target:
        yield target


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _as_json(config: ApiServerConfig) -> str:
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return json.dumps(values, default=os.fspath)
