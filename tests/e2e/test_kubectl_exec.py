"""Commands in containers, files in and out, ports and terminals: everything that streams."""

import hashlib
import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.namespace import Namespace, Terminal, container, deployment, pod

WEB = "mkdir -p /tmp/www && hostname > /tmp/www/index.html && httpd -f -p 8080 -h /tmp/www & wait"


def _terminal(space: Namespace, *arguments: str) -> Terminal:
    return Terminal(space.command(*arguments), space.cluster.environment | {"TERM": "xterm"})


def _started(space: Namespace, name: str = "p", script: str = "sleep inf & wait") -> None:
    space.apply(pod(name, container(script)))
    space.ready(name)


def test_exec_keeps_outputs_apart_and_hands_on_the_exit_code(space: Namespace) -> None:
    _started(space)
    done = space.run("exec", "p", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\ncommand terminated with exit code 7\n")
    missing = space.run("exec", "p", "--", "no-such-program")
    assert missing.returncode != 0
    assert "no-such-program" in missing.stderr
    assert 'container not found ("other")' in space.run("exec", "p", "-c", "other", "--", "true").stderr or (
        "container other is not valid for pod p" in space.run("exec", "p", "-c", "other", "--", "true").stderr
    )
    assert space.fails("exec", "nobody", "--", "true") == 'Error from server (NotFound): pods "nobody" not found\n'


def test_exec_hands_on_standard_input_to_its_end(space: Namespace) -> None:
    _started(space)
    assert space.out("exec", "-i", "p", "--", "cat", stdin="x\n") == "x\n"
    big = os.urandom(3_000_000).hex()
    assert space.out("exec", "-i", "p", "--", "sha256sum", stdin=big).split()[0] == hashlib.sha256(big.encode()).hexdigest()
    many = space.out("exec", "p", "--", "sh", "-c", "seq 1 200000")
    assert many == "".join(f"{i}\n" for i in range(1, 200001))


def test_a_shell_on_a_terminal_answers_to_keys_and_knows_its_size(space: Namespace) -> None:
    _started(space)
    terminal = _terminal(space, "exec", "-it", "p", "--", "sh")
    terminal.wait_for("# ")
    terminal.resize(33, 101)
    terminal.type("sleep 0.3; echo size $(stty size)\r")
    terminal.wait_for("size 33 101")
    terminal.type("echo busy $((6*7)); sleep 100\r")
    terminal.wait_for("busy 42")
    terminal.type("\x03")
    terminal.type("echo tty=$(tty)\r")
    terminal.wait_for("tty=/dev/pts/")
    terminal.type("exit 5\r")
    assert terminal.end() == 5


def test_twenty_commands_run_at_once(space: Namespace) -> None:
    _started(space)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda number: space.out("exec", "p", "--", "sh", "-c", f"sleep 0.2; echo {number}"), range(20)))
    assert answers == [f"{number}\n" for number in range(20)]


def test_files_are_copied_both_ways(space: Namespace, tmp_path: Path) -> None:
    _started(space)
    source, back = tmp_path / "source", tmp_path / "back"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "big").write_bytes(os.urandom(4_000_000))
    (source / "small").write_text("hello\n")
    space.out("cp", str(source), "p:/tmp/target")
    digest = hashlib.sha256((source / "deep/big").read_bytes()).hexdigest()
    assert space.shell("p", "sha256sum < /tmp/target/deep/big").split()[0] == digest
    space.out("cp", f"{space.name}/p:/tmp/target", str(back), "-c", "main")
    assert (back / "deep/big").read_bytes() == (source / "deep/big").read_bytes()
    assert (back / "small").read_text() == "hello\n"


def test_run_starts_a_pod_and_with_rm_takes_it_away(space: Namespace) -> None:
    assert space.out("run", "plain", "--image=example.com/shop:v1", "--command", "--", "sleep", "inf") == "pod/plain created\n"
    space.ready("plain")
    space.out("delete", "pod", "plain", "--grace-period=0", "--force")
    once = space.run(
        "run", "once", "--rm", "-i", "--restart=Never", "--image=example.com/shop:v1", "--command", "--", "cat", stdin="through\n"
    )
    assert once.returncode == 0, once.stderr
    assert "through" in once.stdout
    assert 'pod "once" deleted' in once.stdout
    terminal = _terminal(space, "run", "shell", "--rm", "-it", "--restart=Never", "--image=example.com/shop:v1", "--command", "--", "sh")
    terminal.wait_for("# ")
    terminal.type("echo sum $((40+2))\r")
    terminal.wait_for("sum 42")
    terminal.type("exit\r")
    assert terminal.end() == 0
    assert 'pod "shell" deleted' in terminal.text
    assert space.get("pods")["items"] == []


def test_attach_joins_the_main_process(space: Namespace) -> None:
    space.apply(pod("p", container("while read line; do echo got $line; done", stdin=True, stdinOnce=True), restartPolicy="Never"))
    space.ready("p")
    attached = space.run("attach", "-i", "p", stdin="one\ntwo\n")
    assert "got two" in attached.stdout, attached
    space.out("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/p", "--timeout=30s")


@contextmanager
def _forwarded(space: Namespace, target: str, port: int) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """The local port, and the process."""
    with space.start("port-forward", target, f":{port}", "--address=127.0.0.1") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+", line)
        assert found, line + (process.stdout.read() if process.poll() is not None else "")
        try:
            yield int(found[1]), process
        finally:
            process.terminate()


def _fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return str(answer.read().decode().strip())


def test_ports_are_forwarded_to_pods_services_and_deployments(space: Namespace) -> None:
    space.apply(deployment("web", 1, WEB))
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    space.out("expose", "deployment", "web", "--port=80", "--target-port=8080")
    name = space.get("pods")["items"][0]["metadata"]["name"]
    for target, port in ((f"pod/{name}", 8080), ("service/web", 80), ("deployment/web", 8080)):
        with _forwarded(space, target, port) as (local, _), ThreadPoolExecutor(10) as threads:
            assert list(threads.map(_fetch, [local] * 30)) == [name] * 30


def test_a_forwarded_port_without_a_listener_ends_the_forwarding_with_the_reason(space: Namespace) -> None:
    _started(space)
    with _forwarded(space, "pod/p", 9999) as (local, process):
        with socket.create_connection(("127.0.0.1", local), 5) as refused:
            assert refused.recv(10) == b""
        told = process.communicate(timeout=20)[0]
    assert "an error occurred forwarding" in told
    assert re.search(r"(connection refused|Connection refused)", told), told
    assert told.endswith("error: lost connection to pod\n")
    assert process.returncode == 1
