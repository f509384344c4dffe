"""What streams, with real clients and containers: exec, attach, cp, logs, port-forward and the proxies, by every protocol."""

import base64
import hashlib
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from proa.cluster.oci_image import RunDefaults, archive, busybox_content
from tests.e2e.access import Access
from tests.e2e.namespace import Namespace
from tests.e2e.real_cluster import RealCluster, kubectl_binary, wait_for

IMAGE = "docker.io/library/busybox:streaming"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: streaming, labels: {{app: streaming}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: {image}
    imagePullPolicy: Never
    command:
    - sh
    - -c
    - |
      mkdir /www; echo '<a href="/x">hello</a>' > /www/index.html
      echo first; echo second; echo aside >&2; exec httpd -f -p 8080 -h /www
    ports: [{{containerPort: 8080, name: http}}]
  - name: reader
    image: {image}
    imagePullPolicy: Never
    stdin: true
    command: [sh, -c, "while read line; do echo got $line; done; sleep 1000"]
"""
pytestmark = pytest.mark.e2e
PROTOCOLS = {"websocket": "true", "spdy": "false"}


@pytest.fixture(scope="module")
def pod(cluster: RealCluster) -> Iterator[RealCluster]:
    cluster.load_image(archive(IMAGE, busybox_content(), RunDefaults()))
    cluster.apply(POD.format(node=cluster.node_names()[0], image=IMAGE))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/streaming", "--timeout=60s")
    yield cluster
    cluster.kubectl("delete", "pod", "streaming", "--now")


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for variable in ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS"):
        monkeypatch.setenv(variable, PROTOCOLS[request.param])
    return str(request.param)


@pytest.fixture(scope="module")
def access(pod: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Access:
    return Access(Namespace(pod, "default"), tmp_path_factory.mktemp("access"))


SPOKEN = {
    "websocket": ("Sec-Websocket-Protocol: v5.channel.k8s.io", "Sec-Websocket-Protocol: SPDY/3.1+portforward.k8s.io"),
    "spdy": ("X-Stream-Protocol-Version: v4.channel.k8s.io", "X-Stream-Protocol-Version: portforward.k8s.io"),
}


def test_kubectl_speaks_the_protocol_that_it_is_told(pod: RealCluster, protocol: str) -> None:
    """As the answers' heads have it: neither falls back to the other."""
    upgrade = "Upgrade: websocket" if protocol == "websocket" else "Upgrade: SPDY/3.1"
    command, ports = SPOKEN[protocol]
    told = pod.kubectl("exec", "-v=8", "streaming", "-c", "web", "--", "true").stderr
    assert (upgrade in told, command in told, told.count(" 101 Switching Protocols")) == (True, True, 1)
    with forwarding(pod, "pod/streaming", "-v=8", stderr=subprocess.STDOUT) as lines:
        told = "".join(lines)
    assert (upgrade in told, ports in told, told.count(" 101 Switching Protocols")) == (True, True, 1)


SCRIPT = "read x; echo got $x; echo two >&2; cat > /dev/null; exit 7"
DIALECTS = {"v5.channel.k8s.io": True, "v4.channel.k8s.io": True, "v4.base64.channel.k8s.io": True, "channel.k8s.io": False,
            "base64.channel.k8s.io": False}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_commands_by_each_dialect_of_websockets(pod: RealCluster, access: Access, dialect: str) -> None:
    """Only v5 can say that standard input has ended; the others' command ends by itself."""
    is_text, closes = "base64" in dialect, dialect.startswith("v5")
    script = SCRIPT if closes else SCRIPT.replace("cat > /dev/null; ", "")
    query = urlencode({"container": "web", "stdin": 1, "stdout": 1, "stderr": 1, "command": ["sh", "-c", script]}, doseq=True)
    with access.websocket(f"/api/v1/namespaces/default/pods/streaming/exec?{query}", dialect) as socket:
        assert socket.protocol == dialect
        socket.send("0" + base64.b64encode(b"it\n").decode() if is_text else b"\x00it\n")
        if closes:
            socket.send(b"\xff\x00")
        received: dict[int, bytes] = {}
        for message in socket.everything():
            assert isinstance(message, str) == is_text
            number, data = (int(message[0]), base64.b64decode(message[1:])) if isinstance(message, str) else (message[0], message[1:])
            received[number] = received.get(number, b"") + data
    assert (received[1], received[2]) == (b"got it\n", b"two\n")
    message = f"command terminated with non-zero exit code: error executing command [sh -c {script}], exit code 7"
    details = {"causes": [{"reason": "ExitCode", "message": "7"}]}
    outcome = {"metadata": {}, "status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": details}
    assert (json.loads(received[3]) if DIALECTS[dialect] else received[3].decode()) == (outcome if DIALECTS[dialect] else message)


@pytest.mark.parametrize("dialect", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
def test_ports_by_websocket_channels(pod: RealCluster, access: Access, dialect: str) -> None:
    is_text = "base64" in dialect

    def unpacked(message: bytes | str) -> tuple[int, bytes]:
        return (int(message[0]), base64.b64decode(message[1:])) if isinstance(message, str) else (message[0], message[1:])

    with access.websocket("/api/v1/namespaces/default/pods/streaming/portforward?ports=8080", dialect) as socket:
        greetings = {unpacked(socket.receive() or b"") for _ in range(2)}
        assert greetings == {(0, b"\x90\x1f"), (1, b"\x90\x1f")}
        request = b"GET / HTTP/1.0\r\n\r\n"
        socket.send("0" + base64.b64encode(request).decode() if is_text else b"\0" + request)
        answer = b""
        while b"hello" not in answer and (message := socket.receive()) is not None:
            answer += unpacked(message)[1]
        assert answer.endswith(b'<a href="/x">hello</a>\n')


def test_exec_gives_both_outputs_and_the_exit_code(pod: RealCluster, protocol: str) -> None:
    done = pod.kubectl("exec", "streaming", "-c", "web", "--", "sh", "-c", "echo one; echo two >&2; exit 7", check=False)
    assert (done.stdout, done.returncode) == ("one\n", 7)
    assert done.stderr.splitlines() == ["two", "command terminated with exit code 7"]


def test_the_end_of_standard_input_reaches_the_command(pod: RealCluster, protocol: str) -> None:
    assert pod.kubectl("exec", "-i", "streaming", "-c", "web", "--", "cat", stdin="x\n", timeout=20).stdout == "x\n"


def test_large_input_and_output_arrive_whole(pod: RealCluster, protocol: str) -> None:
    text = os.urandom(1 << 20).hex() * 16
    echoed = pod.kubectl("exec", "-i", "streaming", "-c", "web", "--", "sh", "-c", "cat > /big; cat /big; rm /big", stdin=text).stdout
    assert hashlib.sha1(echoed.encode()).digest() == hashlib.sha1(text.encode()).digest()


def test_files_are_copied_both_ways(pod: RealCluster, protocol: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(os.urandom(1 << 20))
    pod.kubectl("cp", str(tmp_path / "there"), "streaming:/copied", "-c", "web")
    pod.kubectl("cp", "streaming:/copied", str(tmp_path / "back"), "-c", "web")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()


REFUSALS = [
    (("exec", "streaming", "-c", "none", "--", "true"), "Error from server (BadRequest): container none is not valid for pod streaming"),
    (("exec", "missing", "--", "true"), 'Error from server (NotFound): pods "missing" not found'),
    (
        ("logs", "streaming", "-c", "web", "-p"),
        'Error from server (BadRequest): previous terminated container "web" in pod "streaming" not found',
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSALS)
def test_refusals_read_as_upstream(pod: RealCluster, arguments: tuple[str, ...], message: str) -> None:
    assert pod.kubectl(*arguments, check=False).stderr.splitlines()[-1] == message


def test_attach_reaches_the_running_process(pod: RealCluster, protocol: str) -> None:
    command = [kubectl_binary(), "attach", "-i", "streaming", "-c", "reader"]
    with subprocess.Popen(command, env=pod.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as attached:
        assert attached.stdin is not None
        assert attached.stdout is not None
        attached.stdin.write(f"{protocol}\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == f"got {protocol}\n"
        attached.terminate()


def test_logs_are_selected_by_kubectls_flags(pod: RealCluster) -> None:
    assert sorted(pod.kubectl("logs", "streaming", "-c", "web").stdout.splitlines()) == ["aside", "first", "second"]
    assert pod.kubectl("logs", "streaming", "-c", "web", "--limit-bytes=2").stdout in ("fi", "as")
    stamp, _, text = pod.kubectl("logs", "streaming", "-c", "web", "--tail=1", "--timestamps").stdout.partition(" ")
    assert (len(stamp), text in ("second\n", "aside\n")) == (len("2026-01-01T00:00:00.000000000Z"), True)


def test_logs_are_selected_by_what_no_flag_says(pod: RealCluster, access: Access) -> None:
    log = "/api/v1/namespaces/default/pods/streaming/log?container=web"
    assert access.ask("GET", f"{log}&stream=Stdout").body == b"first\nsecond\n"
    assert access.ask("GET", f"{log}&stream=Stderr").body == b"aside\n"
    assert sorted(access.ask("GET", f"{log}&stream=All").body.split()) == [b"aside", b"first", b"second"]
    stamp = access.ask("GET", f"{log}&stream=Stdout&timestamps=true").body.split(b"\n")[1].split()[0].decode()
    assert access.ask("GET", f"{log}&stream=Stdout&sinceTime={stamp[:19]}Z").body.endswith(b"second\n")
    assert access.ask("GET", f"{log}&sinceTime=2100-01-01T00:00:00Z").body == b""


def test_following_a_log_ends_with_the_container(pod: RealCluster) -> None:
    pod.kubectl(
        "run", "short", f"--image={IMAGE}", "--image-pull-policy=Never", "--restart=Never",
        f'--overrides={{"spec":{{"nodeName":"{pod.node_names()[0]}"}}}}', "--", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done",
    )  # fmt: skip
    try:
        wait_for(lambda: pod.get("pod", "short")["status"]["phase"] in ("Running", "Succeeded"), "the pod never ran")
        assert pod.kubectl("logs", "-f", "short", timeout=20).stdout == "1\n2\n3\n"
    finally:
        pod.kubectl("delete", "pod", "short", "--now")


@contextmanager
def forwarding(cluster: RealCluster, *arguments: str, stderr: int | None = None) -> Iterator[list[str]]:
    """The lines that kubectl writes until it listens."""
    command = [kubectl_binary(), "port-forward", *arguments, ":8080"]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        assert process.stdout is not None
        lines = [""]
        while not lines[-1].startswith("Forwarding from 127.0.0.1:"):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        yield lines
        process.terminate()


def test_port_forward_carries_many_connections(pod: RealCluster, protocol: str) -> None:
    with forwarding(pod, "pod/streaming") as lines:
        url = f"http://127.0.0.1:{lines[-1].split(':')[1].split()[0]}/"
        answers = {urllib.request.urlopen(url, timeout=10).read() for _ in range(10)}
    assert answers == {b'<a href="/x">hello</a>\n'}


def test_the_proxies_keep_links_within_themselves(pod: RealCluster) -> None:
    base = "/api/v1/namespaces/default/pods/streaming:8080/proxy"
    assert pod.kubectl("get", "--raw", f"{base}/").stdout == f'<a href="{base}/x">hello</a>\n'
    assert pod.kubectl("get", "--raw", f"/api/v1/nodes/{pod.node_names()[0]}/proxy/healthz").stdout == "ok"


def test_statistics_name_the_pods_containers(pod: RealCluster) -> None:
    text = pod.kubectl("get", "--raw", f"/api/v1/nodes/{pod.node_names()[0]}/proxy/metrics/resource").stdout
    for container in ("web", "reader"):
        assert f'container_memory_working_set_bytes{{container="{container}",namespace="default",pod="streaming"}}' in text


def test_an_exec_costs_little_more_than_kubectl_itself(pod: RealCluster) -> None:
    def best() -> float:
        started = time.monotonic()
        pod.kubectl("exec", "streaming", "-c", "web", "--", "true")
        return time.monotonic() - started

    assert min(best() for _ in range(5)) < 1.0
