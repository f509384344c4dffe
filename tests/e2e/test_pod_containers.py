"""How containers start, stop, restart and report, seen from outside."""

import datetime
from typing import Any

from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import wait_for

WORK: dict[str, Any] = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
SHARED: dict[str, Any] = {"volumes": [{"name": "work", "emptyDir": {}}]}


def _reason(space: Namespace, name: str, kind: str, field: str = "state") -> str:
    return str(space.status_of(name, "main").get(field, {}).get(kind, {}).get("reason", ""))


def test_init_containers_run_in_order_before_the_others(space: Namespace) -> None:
    first = container("sleep 0.3; echo first >> /work/order", "first", **WORK)
    second = container("echo second >> /work/order", "second", **WORK)
    space.apply(pod("p", container("cat /work/order; sleep inf & wait", **WORK), initContainers=[first, second], **SHARED))
    space.ready("p")
    assert space.out("logs", "p", "-c", "main") == "first\nsecond\n"
    states = [each["state"]["terminated"]["reason"] for each in space.get("pod", "p")["status"]["initContainerStatuses"]]
    assert states == ["Completed", "Completed"]


def test_a_failing_init_container_holds_the_pod_back(space: Namespace) -> None:
    space.apply(pod("retried", initContainers=[container("exit 4", "first")]))
    space.apply(pod("lost", initContainers=[container("exit 4", "first")], restartPolicy="Never"))
    wait_for(lambda: space.out("get", "pod", "lost", "--no-headers").split()[2] == "Init:Error", "not failed")
    assert space.get("pod", "lost")["status"]["phase"] == "Failed"
    wait_for(lambda: space.out("get", "pod", "retried", "--no-headers").split()[2] == "Init:CrashLoopBackOff", "no back-off")
    assert space.get("pod", "retried")["status"]["phase"] == "Pending"


def test_a_sidecar_starts_first_and_ends_last(space: Namespace) -> None:
    sidecar = container(
        "trap 'echo sidecar ends; exit 0' TERM; echo ready > /work/up; sleep inf & wait", "helper", restartPolicy="Always", **WORK
    )
    sidecar["startupProbe"] = {"exec": {"command": ["test", "-e", "/work/up"]}, "periodSeconds": 1}
    space.apply(
        pod(
            "p",
            container("cat /work/up", **WORK),
            initContainers=[sidecar],
            restartPolicy="Never",
            terminationGracePeriodSeconds=5,
            **SHARED,
        )
    )
    wait_for(lambda: space.get("pod", "p")["status"]["phase"] == "Succeeded", "the sidecar keeps the pod")
    assert space.out("logs", "p", "-c", "main") == "ready\n"
    assert space.out("logs", "p", "-c", "helper").strip() == "sidecar ends"
    assert space.out("get", "pod", "p", "--no-headers").split()[2] == "Completed"


def test_a_crashing_container_backs_off(space: Namespace) -> None:
    space.apply(pod("p", container("echo bye; exit 3")))
    wait_for(lambda: _reason(space, "p", "waiting") == "CrashLoopBackOff", "no back-off")
    status = space.status_of("p", "main")
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert status["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=main pod=p_")
    assert space.wait_for_event("p", "BackOff").startswith("Back-off restarting failed container main in pod p_")
    row = space.out("get", "pod", "p", "--no-headers").split()
    assert row[1:3] == ["0/1", "CrashLoopBackOff"]


def test_restart_policies_decide_what_happens_at_the_end(space: Namespace) -> None:
    space.apply(
        pod("done", container("exit 0"), restartPolicy="OnFailure"),
        pod("failed", container("exit 9"), restartPolicy="Never"),
        pod("again", container("test -e /work/seen || { touch /work/seen; exit 1; }", **WORK), restartPolicy="OnFailure", **SHARED),
    )
    for name, phase in (("done", "Succeeded"), ("failed", "Failed"), ("again", "Succeeded")):
        wait_for(lambda n=name, p=phase: space.get("pod", n)["status"]["phase"] == p, f"{name} is not {phase}")  # type: ignore[misc]
    rows = [line.split()[1:4] for line in space.out("get", "pods", "--no-headers").splitlines()]
    assert rows == [["0/1", "Completed", "1"], ["0/1", "Completed", "0"], ["0/1", "Error", "0"]]


def test_a_container_over_its_memory_limit_is_killed(space: Namespace) -> None:
    hungry = container("dd if=/dev/zero of=/dev/null bs=200M count=20", resources={"limits": {"memory": "20Mi"}})
    hungry["command"] = ["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=20"]
    space.apply(pod("p", hungry, restartPolicy="Never"))
    wait_for(lambda: space.get("pod", "p")["status"]["phase"] == "Failed", "still alive")
    ended = space.status_of("p", "main")["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert space.out("get", "pod", "p", "--no-headers").split()[2] == "OOMKilled"


def test_a_failing_liveness_probe_restarts_the_container(space: Namespace) -> None:
    probed = container("touch /tmp/alive; sleep inf & wait")
    probed["livenessProbe"] = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 1}
    space.apply(pod("p", probed, terminationGracePeriodSeconds=1))
    space.ready("p")
    space.shell("p", "rm /tmp/alive")
    wait_for(lambda: space.status_of("p", "main")["restartCount"] == 1, "no restart")
    space.ready("p")
    assert space.wait_for_event("p", "Unhealthy").startswith("Liveness probe failed: cat: can't open '/tmp/alive'")
    assert space.wait_for_event("p", "Killing") == "Container main failed liveness probe, will be restarted"


def test_readiness_by_http_and_tcp_moves_a_pod_in_and_out(space: Namespace) -> None:
    web = container(
        "mkdir -p /tmp/www; touch /tmp/www/ok; httpd -f -p 8080 -h /tmp/www & wait", ports=[{"name": "web", "containerPort": 8080}]
    )
    by_http = web | {"readinessProbe": {"httpGet": {"path": "/ok", "port": "web"}, "periodSeconds": 1, "failureThreshold": 1}}
    by_tcp = web | {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    space.apply(pod("http", by_http), pod("tcp", by_tcp))
    space.ready("http", "tcp")
    space.shell("http", "rm /tmp/www/ok")
    space.out("wait", "--for=condition=Ready=false", "pod/http", "--timeout=20s")
    failed = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    wait_for(lambda: failed in space.events_of("http"), "no event of the failed probe")
    space.shell("http", "touch /tmp/www/ok")
    space.ready("http")
    assert space.status_of("http", "main")["restartCount"] == 0


def test_hooks_run_after_the_start_and_before_the_stop(space: Namespace) -> None:
    hooks = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo started > /work/post"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /shared/pre"]}},
    }
    mounts = [{"name": "work", "mountPath": "/work"}, {"name": "host", "mountPath": "/shared"}]
    volumes = [
        {"name": "work", "emptyDir": {}},
        {"name": "host", "hostPath": {"path": f"/var/tmp/{space.name}", "type": "DirectoryOrCreate"}},
    ]
    node = space.get("nodes")["items"][0]["metadata"]["name"]
    hooked = pod("p", container(lifecycle=hooks, volumeMounts=mounts), volumes=volumes, nodeName=node, terminationGracePeriodSeconds=5)
    space.apply(hooked, pod("reader", container(volumeMounts=mounts[1:]), volumes=volumes[1:], nodeName=node))
    space.ready("p", "reader")
    assert space.shell("p", "cat /work/post") == "started\n"
    space.out("delete", "pod", "p")
    assert space.shell("reader", "cat /shared/pre") == "stopping\n"
    failing = container(lifecycle={"postStart": {"exec": {"command": ["false"]}}})
    space.apply(pod("bad", failing))
    assert space.wait_for_event("bad", "FailedPostStartHook")


def test_a_graceful_end_lets_the_container_finish(space: Namespace) -> None:
    slow = container("trap 'sleep 1; echo finished > /dev/termination-log; exit 0' TERM; sleep inf & wait")
    space.apply(pod("p", slow, terminationGracePeriodSeconds=20))
    space.ready("p")
    with space.start("get", "pod", "p", "-w", "-o", "jsonpath={.status.containerStatuses[0].state.terminated.message} ") as watch:
        began = datetime.datetime.now()
        space.out("delete", "pod", "p")
        took = (datetime.datetime.now() - began).total_seconds()
        watch.terminate()
        assert watch.stdout is not None
        assert "finished" in watch.stdout.read()
    assert 1 <= took < 8


def test_the_last_words_of_a_container_are_kept(space: Namespace) -> None:
    file = container("echo from the file > /dev/termination-log; exit 1")
    log = container("echo from the log; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    space.apply(pod("file", file, restartPolicy="Never"), pod("log", log, restartPolicy="Never"))
    for name in ("file", "log"):
        wait_for(lambda n=name: space.get("pod", n)["status"]["phase"] == "Failed", f"{name} lives")  # type: ignore[misc]
        assert space.status_of(name, "main")["state"]["terminated"]["message"] == f"from the {name}\n"


def test_an_image_that_is_not_there_is_told(space: Namespace) -> None:
    space.apply(pod("p", container(image="localhost:1/none:v1")))
    wait_for(lambda: _reason(space, "p", "waiting") == "ImagePullBackOff", "no back-off")
    events = dict(space.events_of("p"))
    assert events["Pulling"] == 'Pulling image "localhost:1/none:v1"'
    failed = [message for reason, message in space.events_of("p") if reason == "Failed"]
    assert any(message.startswith('Failed to pull image "localhost:1/none:v1": ') for message in failed)
    assert "Error: ErrImagePull" in failed


def test_a_field_that_is_not_implemented_fails_the_pod_by_name(space: Namespace) -> None:
    space.apply(pod("p", hostUsers=False))
    wait_for(lambda: space.get("pod", "p")["status"]["phase"] == "Failed", "silently ignored")
    assert any("spec.hostUsers" in message for _, message in space.events_of("p"))
