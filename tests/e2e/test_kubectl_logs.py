"""`kubectl logs` with each of its options."""

import re
import time

from tests.e2e.namespace import Namespace, container, deployment, pod
from tests.e2e.real_cluster import wait_for

COUNTER = 'for i in 1 2 3 4 5; do echo "line $i"; done; echo oops >&2; sleep inf & wait'
ALL = "line 1\nline 2\nline 3\nline 4\nline 5\noops\n"


def test_logs_are_shown_whole_and_in_part(space: Namespace) -> None:
    space.apply(pod("p", container(COUNTER)))
    space.ready("p")
    whole = space.out("logs", "p")
    assert sorted(whole.splitlines()) == sorted(ALL.splitlines())
    assert space.out("logs", "p", "--limit-bytes=9") == whole[:9]
    assert len(space.out("logs", "p", "--tail=2").splitlines()) == 2
    assert space.out("logs", "p", "--tail=0") == ""
    assert len(space.out("logs", "p", "--since=1h").splitlines()) == 6
    assert space.out("logs", "p", "--since-time=2100-01-01T00:00:00Z") == ""
    stamped = space.out("logs", "p", "--timestamps").splitlines()
    assert all(re.match(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ", line) for line in stamped)
    assert sorted(line.partition(" ")[2] for line in stamped) == sorted(ALL.splitlines())
    assert space.out("logs", "p", "--prefix", "--tail=1").startswith("[pod/p/main] ")


def test_a_pod_with_several_containers_needs_a_choice(space: Namespace) -> None:
    space.apply(pod("p", container("echo one; sleep inf & wait"), container("echo two; sleep inf & wait", "second")))
    space.ready("p")
    defaulted = space.run("logs", "p")
    assert (defaulted.stdout, defaulted.stderr) == ("one\n", 'Defaulted container "main" out of: main, second\n')
    assert space.out("logs", "p", "-c", "second") == "two\n"
    assert sorted(space.out("logs", "p", "--all-containers").split()) == ["one", "two"]
    assert space.fails("logs", "p", "-c", "third") == "error: container third is not valid for pod p\n"
    assert (
        space.fails("logs", "nobody") == 'error: error from server (NotFound): pods "nobody" not found in namespace "' + space.name + '"\n'
    )


def test_logs_of_the_container_before(space: Namespace) -> None:
    script = "if test -e /work/seen; then echo second; sleep inf & wait; else touch /work/seen; echo first; exit 3; fi"
    mounted = container(script, volumeMounts=[{"name": "work", "mountPath": "/work"}])
    space.apply(pod("p", mounted, volumes=[{"name": "work", "emptyDir": {}}]))
    wait_for(lambda: space.status_of("p", "main").get("restartCount") == 1 and space.status_of("p", "main")["started"], "no restart")
    assert space.status_of("p", "main")["lastState"]["terminated"]["exitCode"] == 3
    assert (space.out("logs", "p", "--previous"), space.out("logs", "p")) == ("first\n", "second\n")
    space.apply(pod("q"))
    space.ready("q")
    assert 'previous terminated container "main" in pod "q" not found' in space.fails("logs", "q", "-p")


def test_followed_logs_come_as_they_are_written_and_end_with_the_container(space: Namespace) -> None:
    space.apply(pod("p", container("for i in $(seq 1 8); do echo tick $i; sleep 0.2; done"), restartPolicy="Never"))
    wait_for(lambda: space.run("logs", "p").stdout, "nothing logged")
    with space.start("logs", "-f", "p") as follower:
        assert follower.stdout is not None
        arrivals = [(line, time.monotonic()) for line in follower.stdout]
        assert follower.wait(20) == 0
    assert [line for line, _ in arrivals] == [f"tick {i}\n" for i in range(1, 9)]
    assert arrivals[-1][1] - arrivals[0][1] > 0.3, "all came at once"


def test_a_selector_and_a_workload_lead_to_their_pods(space: Namespace) -> None:
    space.apply(deployment("web", 2, "echo hello from $(hostname); sleep inf & wait"))
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    names = sorted(each["metadata"]["name"] for each in space.get("pods")["items"])
    assert sorted(space.out("logs", "-l", "app=web").splitlines()) == [f"hello from {name}" for name in names]
    chosen = space.run("logs", "deployment/web")
    assert re.match(r"^Found 2 pods, using pod/web-", chosen.stderr)
    assert chosen.stdout.strip() in {f"hello from {name}" for name in names}
    assert sorted(space.out("logs", "deployment/web", "--all-pods", "--prefix").splitlines()) == [
        f"[pod/{name}/main] hello from {name}" for name in names
    ]


def test_logs_of_a_container_that_waits_say_why(space: Namespace) -> None:
    space.apply(pod("p", container(image="example.com/none:v1", imagePullPolicy="Never")))
    wait_for(lambda: space.status_of("p", "main").get("state", {}).get("waiting", {}).get("reason") == "ErrImageNeverPull", "not refused")
    assert space.fails("logs", "p") == (
        'Error from server (BadRequest): container "main" in pod "p" is waiting to start: ErrImageNeverPull\n'
    )
