"""One session of some 150 commands with an old, a middle-aged and the newest kubectl, every answer checked."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.kubectl_session import Step, read_session
from tests.e2e.namespace import Namespace, fresh_name
from tests.e2e.real_cluster import REPOSITORY, RealCluster, kubectl_binary

SESSION = REPOSITORY / "tests/testdata/kubectl_session.txt"
PATIENCE = 30
CACHE = REPOSITORY / ".cache"
CLIENTS = {"oldest": ("kubectl_1_20", "kubectl-1.20"), "usual": ("kubectl", ""), "newest": ("helm", "kubectl-1.37")}


def _client(cluster: RealCluster, role: str) -> Namespace:
    """In a namespace of its own. Skips where its kubectl is not to be had."""
    script, name = CLIENTS[role]
    made = subprocess.run(["sh", str(REPOSITORY / "scripts" / script), str(CACHE)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"the {role} kubectl is not to be had: {made.stderr.strip()[-200:]}")
    space = Namespace(cluster, fresh_name(f"session-{role}"), binary=str(CACHE / "bin" / name) if name else kubectl_binary())
    cluster.kubectl("create", "namespace", space.name)
    return space


def _minor_version(client: Namespace) -> int:
    version = json.loads(client.out("version", "--client", "-o", "json"))["clientVersion"]["gitVersion"]
    return int(version.split(".")[1])


def _answer(client: Namespace, step: Step) -> str:
    """What was answered where it does not fit. kubectl says some things on stderr, before or after the rest."""
    done = client.run(*step.words, stdin=step.stdin)
    lines, errors = done.stdout.splitlines(), done.stderr.splitlines()
    if step.fits(done.returncode, [*lines, *errors]) or step.fits(done.returncode, [*errors, *lines]):
        return ""
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def _last_answer(client: Namespace, step: Step) -> str:
    """Asked until it fits, where the step says so."""
    deadline = time.monotonic() + (PATIENCE if step.again else 0)
    while (wrong := _answer(client, step)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return wrong


def _faults(client: Namespace) -> list[str]:
    """Of one whole session."""
    version = _minor_version(client)
    steps = (step for step in read_session(SESSION.read_text(), client.name) if step.first <= version <= step.last)
    return [
        f"(v1.{version}) $ kubectl {' '.join(step.words)}\n{answer}\nwanted (exit {step.code}):\n" + "\n".join(step.answer)
        for step in steps
        if (answer := _last_answer(client, step))
    ]


def test_a_session_is_answered_as_by_any_other_cluster(cluster: RealCluster) -> None:
    """All clients at once: each is on its own most of the time, waiting."""
    clients = [_client(cluster, role) for role in CLIENTS]
    with ThreadPoolExecutor(len(clients)) as threads:
        wrong = [fault for faults in threads.map(_faults, clients) for fault in faults]
    for client in clients:
        cluster.kubectl("delete", "namespace", client.name, "--wait=false")
    assert not wrong, "\n\n".join(wrong)
