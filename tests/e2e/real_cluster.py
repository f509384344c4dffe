"""A real cluster as a test sees it: the `proa` and `kubectl` commands, nothing of the inside."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


def kubectl_binary() -> str:
    """The one that `make test` provides, else the machine's."""
    provided = REPOSITORY / ".cache/bin/kubectl"
    return str(provided) if provided.exists() else shutil.which("kubectl") or "kubectl"


def wait_for(condition: Callable[[], Any], message: str, patience: float = 60.0, interval: float = 0.1) -> Any:
    """The first true value of `condition`; fails with `message` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"after {patience:.0f} s: {message}"
        time.sleep(interval)
    return value


@dataclass(frozen=True, slots=True)
class RealCluster:
    """`home` is its $PROA_HOME; its kubeconfig lies there too."""

    name: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PROA_HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home.with_name("user"))}

    @property
    def kubeconfig(self) -> Path:
        return self.home.with_name(self.home.name + ".kubeconfig")

    def proa(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "proa.cli.main", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=180)
        assert not check or done.returncode == 0, f"proa {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def kubectl(
        self, *arguments: str, check: bool = True, stdin: str | None = None, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        command = [kubectl_binary(), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, input=stdin, timeout=timeout)
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def apply(self, manifest: str) -> None:
        self.kubectl("apply", "-f", "-", stdin=manifest)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def execute(self, pod: str, *command: str, namespace: str = "default", check: bool = True) -> str:
        return self.kubectl("exec", "-n", namespace, pod, "--", *command, check=check).stdout

    def node_names(self) -> list[str]:
        return [node["metadata"]["name"] for node in self.get("nodes")["items"]]

    def address_of_node(self, name: str) -> str:
        addresses = self.get("node", name)["status"]["addresses"]
        return str(next(each["address"] for each in addresses if each["type"] == "InternalIP"))

    def wait_for_rollout(self, workload: str, namespace: str = "default") -> None:
        self.kubectl("rollout", "status", workload, "-n", namespace, "--timeout=90s")

    def load_image(self, archive: bytes) -> None:
        file = self.home.with_name(self.home.name + ".image.tar")
        file.write_bytes(archive)
        try:
            self.proa("image", "load", str(file), "--cluster", self.name)
        finally:
            file.unlink()


def busybox_pod(
    name: str, *, node: str = "", namespace: str = "default", labels: str = "app: tool", command: Sequence[str] = ("sleep", "inf")
) -> str:
    """The manifest of a pod that waits for `exec`."""
    placed = f"\n  nodeName: {node}" if node else ""
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
  labels: {{{labels}}}
spec:{placed}
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: example.com/shop:v1
      command: {json.dumps(list(command))}
"""
