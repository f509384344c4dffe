"""A pod's row says what kubectl users know."""

from collections.abc import Sequence
from typing import Any

import pytest

from proa.apiserver.columns.pods import PODS, PodSummary, row_conditions, summarize

NOW = 1893456000.0 + 600


def status(
    name: str = "a", *, ready: bool = False, restarts: int = 0, last: str = "", started: bool | None = None, **state: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "ready": ready, "restartCount": restarts, "state": state}
    if last:
        made["lastState"] = {"terminated": {"finishedAt": last, "exitCode": 1}}
    if started is not None:
        made["started"] = started
    return made


def pod(
    containers: Sequence[Any] = (), inits: Sequence[Any] = (), *, sidecars: tuple[str, ...] = (), deleted: bool = False, **rest: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "metadata": {"name": "web", "creationTimestamp": "2030-01-01T00:00:00Z"},
        "spec": {
            "containers": [{"name": each["name"]} for each in containers],
            "initContainers": [
                {"name": each["name"]} | ({"restartPolicy": "Always"} if each["name"] in sidecars else {}) for each in inits
            ],
        },
        "status": {"phase": "Running", "containerStatuses": list(containers), "initContainerStatuses": list(inits)} | rest,
    }
    if deleted:
        made["metadata"]["deletionTimestamp"] = "2030-01-01T00:01:00Z"
    return made


RUNNING: dict[str, Any] = {"running": {}}
TRUE = [{"type": "Ready", "status": "True"}]
INITIALIZED = [{"type": "Initialized", "status": "True"}]
T1, T2 = "2030-01-01T00:05:00Z", "2030-01-01T00:08:00Z"


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (pod(phase="Pending"), PodSummary(0, 0, "Pending", 0)),
        (pod([status(ready=True, **RUNNING), status("b", ready=True, **RUNNING)]), PodSummary(2, 2, "Running", 0)),
        (pod([status(waiting={"reason": "ContainerCreating"})], phase="Pending"), PodSummary(0, 1, "ContainerCreating", 0)),
        (pod([status(waiting={"reason": "CrashLoopBackOff"}, restarts=4, last=T1)]), PodSummary(0, 1, "CrashLoopBackOff", 4, T1)),
        (pod([status(terminated={"reason": "Error", "exitCode": 1})], phase="Failed"), PodSummary(0, 1, "Error", 0)),
        (pod([status(terminated={"exitCode": 3})]), PodSummary(0, 1, "ExitCode:3", 0)),
        (pod([status(terminated={"signal": 9, "exitCode": 137})]), PodSummary(0, 1, "Signal:9", 0)),
        (pod([status(terminated={"reason": "Completed"})], phase="Succeeded"), PodSummary(0, 1, "Completed", 0)),
        (pod([status(terminated={"reason": "Completed"}), status("b", ready=True, **RUNNING)], conditions=TRUE), PodSummary(1, 2,
         "Running", 0)),
        (pod([status(terminated={"reason": "Completed"}), status("b", ready=True, **RUNNING)]), PodSummary(1, 2, "NotReady", 0)),
        (pod([status(waiting={"reason": "First"}), status("b", waiting={"reason": "Second"})]), PodSummary(0, 2, "First", 0)),
        (pod(phase="Failed", reason="Evicted"), PodSummary(0, 0, "Evicted", 0)),
        (pod([status(ready=True, **RUNNING)], deleted=True), PodSummary(1, 1, "Terminating", 0)),
        (pod([status(terminated={"reason": "Completed"})], deleted=True, phase="Succeeded"), PodSummary(0, 1, "Completed", 0)),
        (pod(deleted=True, reason="NodeLost"), PodSummary(0, 0, "Unknown", 0)),
        (pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
         PodSummary(0, 0, "SchedulingGated", 0)),
    ],
)  # fmt: skip
def test_the_state_of_containers(obj: dict[str, Any], expected: PodSummary) -> None:
    assert summarize(obj) == expected


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (pod([status(waiting={"reason": "PodInitializing"})], [status("i", **RUNNING)]), PodSummary(0, 1, "Init:0/1", 0)),
        (pod([status()], [status("i", terminated={"exitCode": 0}), status("j", waiting={"reason": "PodInitializing"})]),
         PodSummary(0, 1, "Init:1/2", 0)),
        (pod([status()], [status("i", waiting={"reason": "CrashLoopBackOff"}, restarts=2, last=T1)]),
         PodSummary(0, 1, "Init:CrashLoopBackOff", 2, T1)),
        (pod([status()], [status("i", terminated={"exitCode": 2})]), PodSummary(0, 1, "Init:ExitCode:2", 0)),
        (pod([status()], [status("i", terminated={"exitCode": 1, "reason": "Error"})]), PodSummary(0, 1, "Init:Error", 0)),
        (pod([status()], [status("i", terminated={"exitCode": 137, "signal": 9})]), PodSummary(0, 1, "Init:Signal:9", 0)),
        (pod([status(ready=True, restarts=1, last=T1, **RUNNING)], [status("i", terminated={"exitCode": 0}, restarts=5)]),
         PodSummary(1, 1, "Running", 1, T1)),
        (pod([status(ready=True, restarts=1, last=T1, **RUNNING)],
             [status("s", ready=True, started=True, restarts=2, last=T2, **RUNNING)], sidecars=("s",)),
         PodSummary(2, 2, "Running", 3, T2)),
        (pod([status(ready=True, **RUNNING)], [status("s", waiting={"reason": "CrashLoopBackOff"}, restarts=2)],
             sidecars=("s",), conditions=INITIALIZED),
         PodSummary(1, 2, "Init:CrashLoopBackOff", 2)),
    ],
)  # fmt: skip
def test_the_state_of_init_containers_and_sidecars(obj: dict[str, Any], expected: PodSummary) -> None:
    assert summarize(obj) == expected


def test_the_whole_row() -> None:
    obj = pod(
        [status(ready=True, restarts=3, last=T1, **RUNNING)], podIPs=[{"ip": "10.1.0.7"}], conditions=[{"type": "x", "status": "True"}]
    )
    obj["spec"] |= {"nodeName": "node-1", "readinessGates": [{"conditionType": "x"}, {"conditionType": "y"}]}
    assert [column.cell(obj, NOW) for column in PODS] == [
        "web", "1/1", "Running", "3 (5m ago)", "10m", "10.1.0.7", "node-1", "<none>", "1/2",
    ]  # fmt: skip
    assert [column.name for column in PODS if column.priority == 1] == ["IP", "Node", "Nominated Node", "Readiness Gates"]


def test_an_unscheduled_pod_prints_none() -> None:
    assert [column.cell(pod(phase="Pending"), NOW) for column in PODS][3:] == ["0", "10m", "<none>", "<none>", "<none>", "<none>"]


def test_finished_pods_carry_a_condition() -> None:
    assert [row_conditions(pod(phase=phase)) for phase in ("Running", "Succeeded", "Failed")] == [
        [],
        [{"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."}],
        [{"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}],
    ]
