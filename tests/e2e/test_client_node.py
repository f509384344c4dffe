"""The client library of Node.js programs: informer, exec, forwarded port, log, patch."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import REPOSITORY

FOLDER = REPOSITORY / ".cache/client-node"
SCENARIO = REPOSITORY / "tests/testdata/client_node/scenario.mjs"
SERVER = "echo started; mkdir /tmp/www; echo forwarded > /tmp/www/index.html; httpd -f -p 8080 -h /tmp/www & wait"


@pytest.fixture
def scenario() -> str:
    """The program beside its library, where Node.js looks for it."""
    made = subprocess.run(["sh", str(REPOSITORY / "scripts/client_node"), str(FOLDER.parent)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no @kubernetes/client-node to be had: {made.stderr.strip()[-200:]}")
    return str(shutil.copy(SCENARIO, FOLDER / "scenario.mjs"))


def test_a_node_js_program_follows_enters_and_forwards(space: Namespace, scenario: str) -> None:
    manifest = pod("web", container(SERVER, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1}), labels={"stage": "new"})
    done = subprocess.run(
        ["node", scenario, space.name, json.dumps(manifest)], env=space.cluster.environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    events = seen.pop("events")
    assert (events[0], events[-1]) == ("add web new", "delete web patched")
    assert "update web patched" in events
    assert seen == {
        "exec": ["THROUGH\n", "trouble\n", 3],
        "log": "started\n",
        "forwarded": "forwarded\n",
        "refused": [404, 'pods "nobody" not found'],
    }
