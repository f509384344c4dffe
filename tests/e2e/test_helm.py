"""Real Helm: a chart with a custom resource, hooks, a test and a lookup through its whole life. Helm 4 applies on the server's side."""

import json
import subprocess
from typing import Any

import pytest

from tests.e2e.namespace import Namespace
from tests.e2e.real_cluster import REPOSITORY, wait_for

CHART = str(REPOSITORY / "tests/testdata/chart")
HELM = REPOSITORY / ".cache/bin/helm"
LEFT = "-o=custom-columns=KIND:.kind,NAME:.metadata.name,DELETED:.metadata.deletionTimestamp,FINALIZERS:.metadata.finalizers"


class Helm:
    """`helm` in a namespace."""

    def __init__(self, space: Namespace) -> None:
        self._space = space

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(HELM), "--namespace", self._space.name, *arguments]
        return subprocess.run(command, env=self._space.cluster.environment, capture_output=True, text=True, timeout=120)

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}\n{self._left()}"
        return done.stdout

    def _left(self) -> str:
        """What a wait may have been for."""
        return self._space.out("get", "deployments,replicasets,pods", LEFT)

    def history(self) -> list[tuple[int, str]]:
        found: list[dict[str, Any]] = json.loads(self("history", "web", "-o", "json"))
        return [(each["revision"], each["status"]) for each in found]


@pytest.fixture
def helm(space: Namespace) -> Helm:
    made = subprocess.run(["sh", str(REPOSITORY / "scripts/helm"), str(HELM.parents[1])], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no helm to be had: {made.stderr.strip()[-200:]}")
    return Helm(space)


def test_a_release_is_installed_upgraded_rolled_back_and_removed(space: Namespace, helm: Helm) -> None:
    helm("install", "web", CHART, "--wait", "--timeout", "60s")
    assert space.get("deployment", "web")["status"]["readyReplicas"] == 1
    assert space.out("logs", "web-before") == "before 1\n"
    assert space.get("greetings", "web")["spec"] == {"text": "hello"}
    assert "Phase:          Succeeded" in helm("test", "web", "--timeout", "60s")

    assert "has been upgraded" in helm("upgrade", "web", CHART, "--set", "greeting=welcome,replicas=2", "--wait", "--timeout", "60s")
    assert space.get("configmap", "web")["data"] == {"index.html": "welcome", "known": "yes"}
    assert space.get("deployment", "web")["status"]["readyReplicas"] == 2
    managers = {
        each["manager"]: each["operation"] for each in space.get("configmap", "web", "--show-managed-fields")["metadata"]["managedFields"]
    }
    assert managers == {"helm": "Apply"}

    helm("rollback", "web", "1", "--wait", "--timeout", "60s")
    assert helm.history() == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    assert space.get("greetings", "web")["spec"] == {"text": "hello"}
    assert space.get("deployment", "web")["spec"]["replicas"] == 1

    assert helm("uninstall", "web", "--wait", "--cascade", "foreground", "--timeout", "60s") == 'release "web" uninstalled\n'
    wait_for(lambda: not space.get("deployments,services,greetings")["items"], "the release's objects are still there")
    assert helm("list", "-q") == ""


def test_what_is_not_the_release_s_own_is_left_alone(space: Namespace, helm: Helm) -> None:
    space.out("create", "configmap", "web", "--from-literal=mine=1")
    refused = helm.run("install", "web", CHART)
    assert refused.returncode == 1
    assert 'ConfigMap "web"' in refused.stderr
    assert "invalid ownership metadata" in refused.stderr
    assert space.get("configmap", "web")["data"] == {"mine": "1"}
    assert not space.get("deployments")["items"]


def test_a_release_that_is_wrong_says_why(space: Namespace, helm: Helm) -> None:
    dry = helm("install", "web", CHART, "--dry-run=server", "--set", "custom=false")
    assert 'known: "no"' in dry
    assert not space.get("services")["items"]
    refused = helm.run("install", "web", CHART, "--set", "replicas=-1")
    assert refused.returncode == 1
    assert 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0' in refused.stderr
