"""An operator of others at work on an API server without nodes: finalizers, timers, status, owned objects, admission webhooks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proa.lib.pki import create_authority
from tests.e2e.real_cluster import RealCluster, wait_for

OPERATOR = Path(__file__).with_name("kopf_operator.py")
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gardens.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gardens, kind: Garden}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1}
              color: {type: string}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """The control plane alone, which needs no root."""
    made = RealCluster("operators", tmp_path_factory.mktemp("op") / "home")
    try:
        made.proa("up", "operators", "--nodes", "0")
        yield made
    finally:
        made.proa("down", "operators", check=False)


@contextmanager
def operator(cluster: RealCluster, directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    authority = create_authority("operator")
    certificate, key = authority.issue("webhook", ip_addresses=["127.0.0.1"], server=True)
    files = {"CA": authority.certificate, "CERTIFICATE": certificate, "KEY": key}
    for name, content in files.items():
        (directory / name).write_bytes(content)
    environment = cluster.environment | {name: str(directory / name) for name in files}
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", "default", str(OPERATOR)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if os.environ.get("PROA_KEEP"):
            print((directory / "log").read_text())


def garden(name: str, size: int) -> str:
    return f"apiVersion: example.com/v1\nkind: Garden\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n"


def test_a_kopf_operator(cluster: RealCluster, tmp_path: Path) -> None:
    cluster.apply(DEFINITION)
    cluster.kubectl("wait", "--for=condition=Established", "crd/gardens.example.com", "--timeout=20s")
    cluster.apply(garden("early", 1))

    def status(name: str) -> Any:
        return cluster.get("garden", name).get("status") or {}

    with operator(cluster, tmp_path) as process:
        wait_for(lambda: status("early").get("plant"), "the garden that was there before the operator is planted")
        hooks = cluster.get("validatingwebhookconfiguration", "gardener.example.com")["webhooks"]
        assert hooks[0]["clientConfig"]["url"].startswith("https://127.0.0.1:")

        refused = cluster.kubectl("apply", "-f", "-", stdin=garden("huge", 6), check=False)
        assert "denied the request: gardens have at most five beds" in refused.stderr
        made = cluster.kubectl("apply", "-f", "-", stdin=garden("rose", 5))
        assert "Warning: this is a large garden" in made.stderr
        assert cluster.get("garden", "rose")["spec"] == {"size": 5, "color": "green"}

        assert wait_for(lambda: status("rose").get("plant"), "the garden is planted") == {"planted": 5}
        owner = cluster.get("configmap", "rose-bed")["metadata"]["ownerReferences"][0]
        assert (owner["kind"], owner["name"]) == ("Garden", "rose")
        wait_for(lambda: status("rose").get("ticks", 0) > 2, "the timer ticks")
        cluster.kubectl("patch", "garden", "rose", "--type=merge", "-p", '{"spec": {"size": 3}}')
        wait_for(lambda: status("rose").get("grown") == "5 to 3", "the change is seen")
        assert cluster.get("garden", "rose")["metadata"]["finalizers"] == ["example.com/gardener"]

        cluster.kubectl("delete", "garden", "rose", "--timeout=30s")
        assert cluster.get("configmap", "rose-harvest")["metadata"]["name"] == "rose-harvest"
        gone = lambda: cluster.kubectl("get", "configmap", "rose-bed", check=False).returncode  # noqa: E731
        wait_for(gone, "what the garden owned is collected")
        assert process.poll() is None
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log, log
