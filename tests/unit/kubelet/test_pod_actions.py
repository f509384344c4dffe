"""What the agent does next with a pod, for every state that a runtime can be in."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from proa.kubelet.container_config import ANNOTATION_HASH
from proa.kubelet.crash_backoff import CrashBackoff
from proa.kubelet.pod_actions import Kill, PodActions, ProbeView, compute_pod_actions
from proa.kubelet.pod_runtime import PodRuntime
from tests.unit.kubelet.objects import NOW, container, exited, pod, running, sandbox, seen

SIDE = container("side", restartPolicy="Always")
INIT = container("init")
NOTHING = PodActions()
START = PodActions(start=("c",))
END = PodActions(kill_pod=True)


def decide(given: dict[str, Any], runtime: PodRuntime, probes: ProbeView | None = None, **backoffs: CrashBackoff) -> PodActions:
    return compute_pod_actions(given, runtime, probes or ProbeView(), backoffs, NOW + 5)


@pytest.mark.parametrize(
    ("given", "runtime", "expected"),
    [
        (pod(), PodRuntime(), PodActions(create_sandbox=True, start=("c",))),
        (pod(init=(INIT,)), PodRuntime(), PodActions(create_sandbox=True, start=("init",))),
        (pod(), seen(), START),
        (pod(container("a"), container("b")), seen(running("a")), PodActions(start=("b",))),
        (pod(), seen(running()), NOTHING),
        (pod(), seen(exited(code=1)), START),
        (pod(), seen(exited()), START),
        (pod(restartPolicy="OnFailure"), seen(exited(code=1)), START),
        (pod(restartPolicy="OnFailure"), seen(exited()), END),
        (pod(restartPolicy="Never"), seen(exited(code=1)), END),
        (pod(container("a"), container("b"), restartPolicy="Never"), seen(exited("a"), running("b")), NOTHING),
        (pod(), seen(replace(running(), state="CREATED")), START),
    ],
)
def test_containers(given: dict[str, Any], runtime: PodRuntime, expected: PodActions) -> None:
    assert decide(given, runtime) == expected


@pytest.mark.parametrize(
    ("given", "runtime", "expected"),
    [
        (pod(), seen(exited(code=137), sandboxes=(sandbox(ready=False),)), PodActions(True, True, 1, ("c",))),
        (pod(), seen(running(), sandboxes=(sandbox(ready=False),)), PodActions(True, True, 1, ("c",))),
        (pod(), seen(sandboxes=(sandbox(1), sandbox(0))), PodActions(True, True, 2, ("c",))),
        (pod(), seen(sandboxes=(sandbox(ips=()),)), PodActions(True, True, 1, ("c",))),
        (pod(hostNetwork=True), seen(running(), sandboxes=(sandbox(ips=(), host=True),)), NOTHING),
        (pod(hostNetwork=True), seen(running()), PodActions(True, True, 1, ("c",))),
        (pod(restartPolicy="Never"), seen(exited(), sandboxes=(sandbox(ready=False),)), PodActions(True, False, 1)),
        (pod(restartPolicy="Never"), seen(running(), sandboxes=(sandbox(ready=False),)), PodActions(True, False, 1)),
        (pod(init=(INIT,)), seen(running(), exited("init"), sandboxes=(sandbox(ready=False),)), PodActions(True, True, 1, ("init",))),
        (pod(init=(INIT,)), seen(exited("init"), running(in_sandbox=0), sandboxes=(sandbox(1),)), PodActions(False, False, 1, ("init",))),
    ],
)
def test_sandboxes(given: dict[str, Any], runtime: PodRuntime, expected: PodActions) -> None:
    assert decide(given, runtime) == expected


@pytest.mark.parametrize(
    ("given", "runtime", "expected"),
    [
        (pod(init=(INIT,)), seen(), PodActions(start=("init",))),
        (pod(init=(INIT,)), seen(running("init")), NOTHING),
        (pod(init=(INIT,)), seen(exited("init")), START),
        (pod(init=(INIT, container("more"))), seen(exited("init")), PodActions(start=("more",))),
        (pod(init=(INIT,)), seen(exited("init", 1)), PodActions(start=("init",))),
        (pod(init=(INIT,), restartPolicy="Never"), seen(exited("init", 1)), END),
        (pod(init=(SIDE,)), seen(), PodActions(start=("side",))),
        (pod(init=(SIDE,)), seen(running("side")), START),
        (pod(init=(SIDE,)), seen(running("side"), running()), NOTHING),
        (pod(init=(SIDE,)), seen(exited("side", 1), running()), PodActions(start=("side",))),
        (pod(init=(SIDE,), restartPolicy="Never"), seen(running("side"), exited()), END),
        (pod(init=(SIDE, INIT)), seen(running("side")), PodActions(start=("init",))),
        (pod(ephemeralContainers=[container("look")]), seen(running()), PodActions(start=("look",))),
    ],
)
def test_initialization(given: dict[str, Any], runtime: PodRuntime, expected: PodActions) -> None:
    assert decide(given, runtime) == expected


def test_a_sidecar_that_has_not_started_holds_what_comes_after_it() -> None:
    probes = ProbeView(not_started=frozenset({"side-0"}))
    assert decide(pod(init=(SIDE,)), seen(running("side")), probes) == NOTHING


@pytest.mark.parametrize(
    ("given", "probes", "kill", "start"),
    [
        (pod(), ProbeView(liveness_failed=frozenset({"c-0"})),
         Kill("c-0", "c", "Container c failed liveness probe, will be restarted"), ("c",)),
        (pod(restartPolicy="Never"), ProbeView(liveness_failed=frozenset({"c-0"})),
         Kill("c-0", "c", "Container c failed liveness probe"), ()),
        (pod(), ProbeView(startup_failed=frozenset({"c-0"})),
         Kill("c-0", "c", "Container c failed startup probe, will be restarted", True), ("c",)),
    ],
)  # fmt: skip
def test_failed_probes_end_containers(given: dict[str, Any], probes: ProbeView, kill: Kill, start: tuple[str, ...]) -> None:
    assert decide(given, seen(running()), probes) == PodActions(start=start, kill=(kill,))


def test_a_changed_image_replaces_the_container() -> None:
    old = running(annotations={ANNOTATION_HASH: "other"})
    kill = Kill("c-0", "c", "Container c definition changed, will be restarted")
    assert decide(pod(), seen(old)) == PodActions(start=("c",), kill=(kill,))


def test_a_crashed_container_waits_for_its_back_off() -> None:
    backoff = CrashBackoff(10.0, NOW)
    assert decide(pod(), seen(exited(code=1, attempt=1)), c=backoff) == PodActions(back_off={"c": 5.0})
    assert decide(pod(), seen(exited(code=1, attempt=1, finished=-6)), c=backoff) == START


@pytest.mark.parametrize(
    ("code", "finished", "expected"),
    [
        (137, 5, PodActions(look_again=0.1)),
        (255, 3600, PodActions(look_again=0.1)),
        (137, 4, START),
        (1, 5, START),
    ],
)
def test_what_was_killed_may_have_died_with_its_sandbox(code: int, finished: int, expected: PodActions) -> None:
    """The sandbox looks ready still, so the restart waits for the next look."""
    given = seen(exited(code=code, finished=finished))
    actions = decide(pod(), given)
    assert dataclasses.replace(actions, look_again=round(actions.look_again, 3)) == expected
    assert decide(pod(restartPolicy="Never"), given) == END


def test_rules_by_exit_code_win_over_the_policy() -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    given = pod(container(restartPolicy="Never", restartPolicyRules=rules), restartPolicy="Never")
    assert decide(given, seen(exited(code=42))) == START
    assert decide(given, seen(exited(code=1))) == END
