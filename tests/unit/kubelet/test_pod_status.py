"""A pod's status for what the runtime has: phases, conditions and container states."""

from typing import Any

import pytest

from proa.api.meta import Object
from proa.kubelet.container_status import StatusInputs, Waiting
from proa.kubelet.pod_runtime import PodRuntime
from proa.kubelet.pod_status import PodView, Verdict, build_pod_status
from tests.unit.kubelet.objects import container, exited, pod, running, sandbox, seen

NOW = "2030-01-01T00:00:10Z"
STARTED = "2030-01-01T00:00:00Z"
SIDE = container("side", restartPolicy="Always")
INIT = container("init")


def status_of(given: Object, runtime: PodRuntime, verdict: Verdict | None = None, **inputs: Any) -> Object:
    ids = frozenset(each.id for each in runtime.running)
    facts = StatusInputs(**({"ready": ids, "started": ids} | inputs))
    return build_pod_status(PodView(given, runtime, facts, verdict, ("1.1.1.1",), STARTED), NOW)


def conditions(status: Object) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each.get("reason", "")) for each in status["conditions"]}


def test_a_running_pod() -> None:
    given = pod()
    given["metadata"]["generation"] = 3
    moment: Object = {"lastProbeTime": None, "lastTransitionTime": NOW, "observedGeneration": 3}
    types = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    assert status_of(given, seen(running())) == {
        "phase": "Running",
        "conditions": [{"type": each, "status": "True"} | moment for each in types],
        "qosClass": "BestEffort",
        "containerStatuses": [
            {
                "name": "c", "state": {"running": {"startedAt": STARTED}}, "lastState": {}, "ready": True, "restartCount": 0,
                "image": "busybox:1", "imageID": "", "containerID": "containerd://c-0", "started": True, "resources": {},
            },
        ],
        "startTime": STARTED,
        "observedGeneration": 3,
        "hostIP": "1.1.1.1",
        "hostIPs": [{"ip": "1.1.1.1"}],
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "runtime", "inputs", "phase"),
    [
        (pod(), PodRuntime(), {}, "Pending"),
        (pod(), seen(), {}, "Pending"),
        (pod(container("a"), container("b")), seen(running("a")), {}, "Pending"),
        (pod(), seen(exited(code=1)), {}, "Running"),
        (pod(restartPolicy="Never"), seen(exited(code=1)), {}, "Failed"),
        (pod(restartPolicy="Never"), seen(exited()), {}, "Succeeded"),
        (pod(restartPolicy="OnFailure"), seen(exited(code=1)), {}, "Running"),
        (pod(container("a"), container("b"), restartPolicy="Never"), seen(exited("a"), exited("b", 1)), {}, "Failed"),
        (pod(container("a"), container("b"), restartPolicy="Never"), seen(exited("a"), running("b")), {}, "Running"),
        (pod(init=(INIT,)), seen(running("init")), {}, "Pending"),
        (pod(init=(INIT,)), seen(exited("init", 1)), {}, "Pending"),
        (pod(init=(INIT,), restartPolicy="Never"), seen(exited("init", 1)), {}, "Failed"),
        (pod(init=(SIDE,)), seen(running("side"), running()), {}, "Running"),
        (pod(), seen(exited(code=137)), {"ended": True}, "Failed"),
        (pod(), seen(exited()), {"ended": True}, "Succeeded"),
        (pod(), PodRuntime(), {"ended": True}, "Failed"),
        (pod(status={"phase": "Succeeded"}), PodRuntime(), {}, "Succeeded"),
    ],
)
def test_phases(given: Object, runtime: PodRuntime, inputs: dict[str, Any], phase: str) -> None:
    assert status_of(given, runtime, **inputs)["phase"] == phase


@pytest.mark.parametrize(
    ("given", "runtime", "inputs", "expected"),
    [
        (pod(), PodRuntime(), {}, {"waiting": {"reason": "ContainerCreating"}}),
        (pod(init=(INIT,)), PodRuntime(), {}, {"waiting": {"reason": "PodInitializing"}}),
        (pod(), seen(), {"waiting": {"c": Waiting("ErrImagePull", "why")}}, {"waiting": {"reason": "ErrImagePull", "message": "why"}}),
        (pod(), seen(exited(code=1)), {"waiting": {"c": Waiting("CrashLoopBackOff", "back-off")}},
         {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}),
        (pod(), seen(exited(code=3)), {"messages": {"c-0": "bye"}},
         {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": STARTED, "finishedAt": STARTED, "containerID": "containerd://c-0",
                         "message": "bye"}}),
        (pod(), PodRuntime(), {"ended": True},
         {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None,
                         "message": "The container could not be located when the pod was terminated"}}),
    ],
)  # fmt: skip
def test_container_states(given: Object, runtime: PodRuntime, inputs: dict[str, Any], expected: Object) -> None:
    assert status_of(given, runtime, **inputs)["containerStatuses"][0]["state"] == expected


def test_the_last_state_is_the_attempt_before() -> None:
    status = status_of(pod(), seen(running(attempt=1), exited(code=2)))["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 2)


@pytest.mark.parametrize(
    ("given", "runtime", "inputs", "expected"),
    [
        (pod(), PodRuntime(), {}, ("False", "True", "False:ContainersNotReady", "False:ContainersNotReady")),
        (pod(init=(INIT,)), seen(running("init")), {}, ("True", "False:ContainersNotInitialized", "False:ContainersNotReady",
                                                         "False:ContainersNotReady")),
        (pod(), seen(running()), {"ready": frozenset()}, ("True", "True", "False:ContainersNotReady", "False:ContainersNotReady")),
        (pod(restartPolicy="Never"), seen(exited(), sandboxes=(sandbox(ready=False),)), {},
         ("False", "True:PodCompleted", "False:PodCompleted", "False:PodCompleted")),
        (pod(restartPolicy="Never"), seen(exited(code=1)), {}, ("True", "True", "False:PodFailed", "False:PodFailed")),
        (pod(readinessGates=[{"conditionType": "x/y"}]), seen(running()), {}, ("True", "True", "False:ReadinessGatesNotReady", "True")),
        (pod(readinessGates=[{"conditionType": "x/y"}], status={"conditions": [{"type": "x/y", "status": "True"}]}), seen(running()), {},
         ("True", "True", "True", "True")),
    ],
)  # fmt: skip
def test_conditions(given: Object, runtime: PodRuntime, inputs: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = conditions(status_of(given, runtime, **inputs))
    order = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    assert tuple(":".join(part for part in found[each] if part) for each in order) == expected


def test_a_transition_time_moves_only_with_the_status() -> None:
    old = [{"type": "Ready", "status": "True", "lastTransitionTime": "then"}, {"type": "x/y", "status": "True"}]
    made = status_of(pod(status={"conditions": old}), seen(running()))["conditions"]
    assert {each["type"]: each.get("lastTransitionTime") for each in made}["Ready"] == "then"
    assert {"type": "x/y", "status": "True"} in made


def test_a_verdict_is_said_at_once_and_the_phase_when_nothing_runs() -> None:
    verdict = Verdict("Evicted", "why", ({"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"},))
    before, after = (status_of(pod(status={"phase": "Running"}), runtime, verdict) for runtime in (seen(running()), PodRuntime()))
    assert (before["phase"], before["reason"], before["message"]) == ("Running", "Evicted", "why")
    assert after["phase"] == "Failed"
    assert conditions(after)["DisruptionTarget"] == ("True", "TerminationByKubelet")


def test_the_hosts_network_gives_its_address() -> None:
    assert status_of(pod(hostNetwork=True), PodRuntime())["podIPs"] == [{"ip": "1.1.1.1"}]


@pytest.mark.parametrize(
    ("runtime", "inputs", "states"),
    [
        # The second init container failed: the app's turn never came.
        (seen(exited("i1"), exited("i2", code=1)), {}, ["terminated", "terminated", "PodInitializing"]),
        (seen(exited("i1", code=1)), {}, ["terminated", "PodInitializing", "PodInitializing"]),
        # A later one has run, so the first must have, and is lost.
        (seen(exited("i2", code=1)), {}, ["ContainerStatusUnknown", "terminated", "PodInitializing"]),
        (seen(exited("i1"), exited("i2")), {"initialized": True}, ["terminated", "terminated", "ContainerStatusUnknown"]),
    ],
)
def test_what_never_had_its_turn_waits_for_it_after_the_end(runtime: PodRuntime, inputs: dict[str, Any], states: list[str]) -> None:
    given = pod(init=(container("i1"), container("i2")), restartPolicy="Never")
    status = status_of(given, runtime, ended=True, **inputs)
    found = [each["state"] for each in (*status["initContainerStatuses"], *status["containerStatuses"])]
    assert [_word(each) for each in found] == states


def _word(state: Object) -> str:
    [(kind, told)] = state.items()
    return str(told["reason"] if kind == "waiting" or told.get("reason") == "ContainerStatusUnknown" else kind)
