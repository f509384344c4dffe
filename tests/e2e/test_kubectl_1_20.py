"""An old kubectl: OpenAPI v2 as protobuf, and streams over SPDY alone."""

import dataclasses
import json
import subprocess

import pytest

from tests.e2e.namespace import Namespace, columns, container, pod
from tests.e2e.real_cluster import REPOSITORY, wait_for


@pytest.fixture(scope="module")
def old_kubectl() -> str:
    made = subprocess.run(["sh", str(REPOSITORY / "scripts/kubectl_1_20"), str(REPOSITORY / ".cache")], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no kubectl 1.20 to be had: {made.stderr.strip()[-200:]}")
    return str(REPOSITORY / ".cache/bin/kubectl-1.20")


def test_apply_get_logs_and_exec_work_with_kubectl_1_20(space: Namespace, old_kubectl: str) -> None:
    old = dataclasses.replace(space, binary=old_kubectl)
    assert '"v1.20' in old.out("version", "-o", "json")
    manifest = pod("p", container("echo hello; sleep inf & wait"))
    assert old.apply(manifest) == "pod/p created\n"
    assert old.apply(manifest) == "pod/p unchanged\n"
    old.ready("p")
    assert columns(old.out("get", "pods"))[1][:3] == ["p", "1/1", "Running"]
    assert old.out("logs", "p") == "hello\n"
    done = old.run("exec", "p", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 7\n"
    assert old.out("exec", "-i", "p", "--", "cat", stdin="through\n") == "through\n"
    assert old.out("apply", "-f", "-", "--dry-run=server", stdin=json.dumps(manifest)) == "pod/p unchanged (server dry run)\n"
    wrong = old.fails("apply", "-f", "-", stdin=json.dumps(pod("q", container(wrong="field"))))
    assert 'unknown field "wrong" in io.k8s.api.core.v1.Container' in wrong
    assert old.out("delete", "pod", "p") == 'pod "p" deleted\n'
    wait_for(lambda: not old.get("pods")["items"], "still there")
