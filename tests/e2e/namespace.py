"""A namespace of its own for a test: `kubectl` in it, and what tests ask most often."""

import fcntl
import itertools
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.e2e.real_cluster import RealCluster, kubectl_binary, wait_for

IMAGE = "example.com/shop:v1"
PATIENCE = "--timeout=60s"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Namespace:
    """`run` gives the finished process, `out` the text of a command that must succeed, `fails` the error text of one that must not."""

    cluster: RealCluster
    name: str
    binary: str = ""

    def command(self, *arguments: str) -> list[str]:
        """`--` ends kubectl's own options, so the namespace goes in front."""
        return [self.binary or kubectl_binary(), "-n", self.name, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.cluster.environment | (environment or {}),
            capture_output=True,
            text=True,
            input=stdin,
            timeout=90,
        )

    def out(self, *arguments: str, stdin: str | None = None, **environment: str) -> str:
        done = self.run(*arguments, stdin=stdin, environment=environment)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, code: int = 1, stdin: str | None = None) -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == code, f"kubectl {' '.join(arguments)}: exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stderr

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """A command that goes on; its output is a pipe."""
        return subprocess.Popen(
            self.command(*arguments), env=self.cluster.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )

    def get(self, *arguments: str) -> Any:
        return json.loads(self.out("get", *arguments, "-o", "json"))

    def apply(self, *objects: dict[str, Any]) -> str:
        return self.out("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def ready(self, *pods: str) -> None:
        for pod in pods:
            self.out("wait", "--for=condition=Ready", f"pod/{pod}", PATIENCE)

    def shell(self, pod: str, script: str, container: str = "") -> str:
        return self.out("exec", pod, *(("-c", container) if container else ()), "--", "sh", "-c", script)

    def events_of(self, name: str) -> list[tuple[str, str]]:
        found = self.get("events", f"--field-selector=involvedObject.name={name}")["items"]
        return [(each["reason"], each["message"]) for each in found]

    def wait_for_event(self, name: str, reason: str) -> str:
        """Its message."""
        found = wait_for(
            lambda: [message for known, message in self.events_of(name) if known == reason], f"no event {reason} of {name}", interval=0.2
        )
        return str(found[0])

    def status_of(self, pod: str, container: str, field: str = "containerStatuses") -> dict[str, Any]:
        found = self.get("pod", pod)["status"].get(field) or []
        return next((dict(each) for each in found if each["name"] == container), {})


def container(script: str = "sleep inf & wait", name: str = "main", image: str = IMAGE, **fields: Any) -> dict[str, Any]:
    """A shell that ends at once when it is told to."""
    return {"name": name, "image": image, "command": ["sh", "-c", f"trap 'exit 0' TERM; {script}"]} | fields


def pod(name: str, *containers: dict[str, Any], labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": list(containers or [container()])} | spec,
    }


def deployment(name: str, replicas: int = 1, script: str = "sleep inf & wait", image: str = IMAGE) -> dict[str, Any]:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container(script, image=image)]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def fresh_name(prefix: str) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', prefix.lower()).strip('-')[:40]}-{next(_numbers)}".strip("-")


def columns(table: str) -> list[list[str]]:
    """The cells of a printed table: columns lie at least three blanks apart."""
    return [re.split(r" {2,}", line.strip()) for line in table.splitlines()]


class Terminal:
    """A command on a pseudo-terminal, as a person at a keyboard has it."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.resize(24, 80)
        # The terminal must be the command's own: only then does a new size reach it as a signal.
        self.process = subprocess.Popen(["setsid", "--ctty", *command], env=environment, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.text = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, wanted: str, patience: float = 30.0) -> str:
        deadline = time.monotonic() + patience
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.text!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self._master, 65536).decode(errors="replace")
                except OSError:
                    break
        assert wanted in self.text, self.text
        return self.text

    def resize(self, rows: int, width: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, width, 0, 0))

    def end(self, patience: float = 30.0) -> int:
        """The exit code, once all output is read."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running: {self.text!r}"
            self._drain()
        self._drain()
        os.close(self._master)
        return self.process.returncode

    def _drain(self) -> None:
        if select.select([self._master], [], [], 0.1)[0]:
            try:
                self.text += os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                time.sleep(0.02)
