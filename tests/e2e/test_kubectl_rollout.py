"""Deployments driven by kubectl: scale, expose, roll out, look back, go back."""

import threading
import time

from tests.e2e.namespace import Namespace, columns, container, deployment, pod
from tests.e2e.real_cluster import wait_for

DEPLOYMENT = "deployment/web"
V2 = "example.com/shop:v2"


def _rolled_out(space: Namespace) -> str:
    return space.out("rollout", "status", DEPLOYMENT, "--timeout=60s")


def _images(space: Namespace) -> set[str]:
    pods = space.get("pods", "-l", "app=web")["items"]
    return {each["spec"]["containers"][0]["image"] for each in pods if "deletionTimestamp" not in each["metadata"]}


def test_rollout_status_follows_until_the_end(space: Namespace) -> None:
    space.apply(deployment("web", 2))
    lines = _rolled_out(space).splitlines()
    assert lines[-1] == 'deployment "web" successfully rolled out'
    assert set(lines[:-1]) <= {
        "Waiting for deployment spec update to be observed...",
        'Waiting for deployment "web" rollout to finish: 0 out of 2 new replicas have been updated...',
        'Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...',
        'Waiting for deployment "web" rollout to finish: 0 of 2 updated replicas are available...',
        'Waiting for deployment "web" rollout to finish: 1 of 2 updated replicas are available...',
    }
    space.out("set", "image", DEPLOYMENT, "main=localhost:1/none:v1")
    assert "error: timed out waiting for the condition" in space.fails("rollout", "status", DEPLOYMENT, "--timeout=1s")


def test_set_image_history_and_undo(space: Namespace) -> None:
    space.apply(deployment("web"))
    space.out("annotate", DEPLOYMENT, "kubernetes.io/change-cause=first")
    _rolled_out(space)
    assert space.out("set", "image", DEPLOYMENT, f"main={V2}") == "deployment.apps/web image updated\n"
    space.out("annotate", DEPLOYMENT, "kubernetes.io/change-cause=second", "--overwrite")
    _rolled_out(space)
    assert _images(space) == {V2}
    wait_for(lambda: "second" in space.out("rollout", "history", DEPLOYMENT), "no change cause")
    assert columns(space.out("rollout", "history", DEPLOYMENT).strip()) == [
        ["deployment.apps/web"], ["REVISION", "CHANGE-CAUSE"], ["1", "first"], ["2", "second"],
    ]  # fmt: skip
    assert V2 in space.out("rollout", "history", DEPLOYMENT, "--revision=2")
    assert space.out("rollout", "undo", DEPLOYMENT) == "deployment.apps/web rolled back\n"
    _rolled_out(space)
    assert _images(space) == {"example.com/shop:v1"}
    history = columns(space.out("rollout", "history", DEPLOYMENT).strip())
    assert [row[0] for row in history[2:]] == ["2", "3"]
    space.out("rollout", "undo", DEPLOYMENT, "--to-revision=2")
    _rolled_out(space)
    assert _images(space) == {V2}
    assert "unable to find specified revision 9 in history" in space.fails("rollout", "undo", DEPLOYMENT, "--to-revision=9")


def test_a_paused_deployment_collects_changes_until_it_resumes(space: Namespace) -> None:
    space.apply(deployment("web"))
    _rolled_out(space)
    assert space.out("rollout", "pause", DEPLOYMENT) == "deployment.apps/web paused\n"
    space.out("set", "image", DEPLOYMENT, f"main={V2}")
    space.out("set", "env", DEPLOYMENT, "COLOUR=red")
    wait_for(lambda: space.get(DEPLOYMENT)["status"]["observedGeneration"] >= 3, "changes are not observed")
    assert len(space.get("rs")["items"]) == 1
    assert "rollout status" not in space.fails("rollout", "restart", DEPLOYMENT)
    assert space.out("rollout", "resume", DEPLOYMENT) == "deployment.apps/web resumed\n"
    _rolled_out(space)
    assert (_images(space), len(space.get("rs")["items"])) == ({V2}, 2)


def test_restart_replaces_every_pod(space: Namespace) -> None:
    space.apply(deployment("web", 2))
    _rolled_out(space)
    before = {each["metadata"]["uid"] for each in space.get("pods")["items"]}
    assert space.out("rollout", "restart", DEPLOYMENT) == "deployment.apps/web restarted\n"
    _rolled_out(space)
    wait_for(lambda: not before & {each["metadata"]["uid"] for each in space.get("pods")["items"]}, "old pods are still there")


def test_scale_knows_preconditions(space: Namespace) -> None:
    space.apply(deployment("web"))
    assert space.out("scale", DEPLOYMENT, "--replicas=3", "--current-replicas=1") == "deployment.apps/web scaled\n"
    assert "Expected replicas to be 1, was 3" in space.fails("scale", DEPLOYMENT, "--replicas=2", "--current-replicas=1")
    _rolled_out(space)
    assert space.get(DEPLOYMENT)["status"]["readyReplicas"] == 3
    space.out("scale", "rs", "--all", "--replicas=1", "--timeout=30s")
    wait_for(lambda: space.get(DEPLOYMENT)["status"].get("readyReplicas") == 3, "the Deployment does not set its ReplicaSet right")


def test_expose_makes_a_service_that_answers(space: Namespace) -> None:
    server = "mkdir -p /tmp/www && hostname > /tmp/www/index.html && httpd -f -p 8080 -h /tmp/www & wait"
    space.apply(deployment("web", 2, server), pod("asker"))
    _rolled_out(space)
    answer = space.out("expose", DEPLOYMENT, "--port=80", "--target-port=8080")
    assert answer == "service/web exposed\n"
    space.ready("asker")
    names = {each["metadata"]["name"] for each in space.get("pods", "-l", "app=web")["items"]}
    got = wait_for(lambda: space.run("exec", "asker", "--", "timeout", "2", "wget", "-qO-", "http://web").stdout.strip(), "no answer")
    assert got in names
    assert space.out("expose", "pod", "asker", "--port=1", "--name=other", "--type=NodePort") == "service/other exposed\n"


def test_wait_follows_conditions_paths_and_deletions(space: Namespace) -> None:
    space.apply(pod("p"), deployment("web"))
    assert space.out("wait", "--for=condition=Ready", "pod/p", "--timeout=60s") == "pod/p condition met\n"
    assert space.out("wait", "--for=jsonpath={.status.phase}=Running", "pod/p", "--timeout=60s") == "pod/p condition met\n"
    assert space.out("wait", "--for=condition=Available", DEPLOYMENT, "--timeout=60s") == "deployment.apps/web condition met\n"
    assert "timed out waiting for the condition on pods/p" in space.fails("wait", "--for=delete", "pod/p", "--timeout=1s")
    later = threading.Timer(0.5, lambda: space.out("delete", "pod", "p", "--wait=false"))
    later.start()
    assert space.out("wait", "--for=delete", "pod/p", "--timeout=60s") == "pod/p condition met\n"
    later.join()
    made = threading.Timer(0.5, lambda: space.apply(pod("born")))
    made.start()
    assert "pod/born condition met" in space.out("wait", "--for=create", "pod/born", "--timeout=30s")
    made.join()


def test_a_failing_rollout_passes_its_progress_deadline(space: Namespace) -> None:
    wanted = deployment("web")
    wanted["spec"]["progressDeadlineSeconds"] = 2
    wanted["spec"]["template"]["spec"]["containers"] = [container(image="localhost:1/none:v1")]
    space.apply(wanted)
    began = time.monotonic()
    assert 'error: deployment "web" exceeded its progress deadline' in space.fails("rollout", "status", DEPLOYMENT, "--timeout=60s")
    assert time.monotonic() - began < 30
    conditions = {each["type"]: each["reason"] for each in space.get(DEPLOYMENT)["status"]["conditions"]}
    assert conditions == {"Available": "MinimumReplicasUnavailable", "Progressing": "ProgressDeadlineExceeded"}
