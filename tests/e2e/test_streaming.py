"""What streams, with real clients and containers: exec, attach, cp, logs, port-forward and the proxies, by every protocol."""

import hashlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proa.cluster.oci_image import RunDefaults, archive, busybox_content
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
    - mkdir /www; echo '<a href="/x">hello</a>' > /www/index.html; echo first; echo second; exec httpd -f -p 8080 -h /www
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
    assert pod.kubectl("logs", "streaming", "-c", "web").stdout.splitlines() == ["first", "second"]
    assert pod.kubectl("logs", "streaming", "-c", "web", "--tail=1", "--limit-bytes=2").stdout == "se"
    stamp, _, text = pod.kubectl("logs", "streaming", "-c", "web", "--tail=1", "--timestamps").stdout.partition(" ")
    assert (len(stamp), text) == (len("2026-01-01T00:00:00.000000000Z"), "second\n")


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
def forwarding(cluster: RealCluster, target: str) -> Iterator[str]:
    command = [kubectl_binary(), "port-forward", target, ":8080"]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split(":")[1].split()[0]
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


def test_port_forward_carries_many_connections(pod: RealCluster, protocol: str) -> None:
    with forwarding(pod, "pod/streaming") as url:
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
