"""What to do next for a pod: the decision between what its spec wants and what the runtime has. Pure; `pod_worker` carries it out."""

from collections.abc import Iterator, Mapping
from dataclasses import field

from proa.api.meta import Object
from proa.kubelet import crash_backoff, pod_spec
from proa.kubelet.container_config import ANNOTATION_HASH, container_hash
from proa.kubelet.crash_backoff import CrashBackoff
from proa.kubelet.cri.runtime import Container, Sandbox
from proa.kubelet.pod_runtime import PodRuntime
from proa.kubelet.restart_policy import policy_of, restarts_after, should_run
from proa.lib.dataclass import dataclass

KILLED = 128
"""The least exit code of what a signal ended."""
SETTLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ProbeView:
    """What the probes say, by container id. Containers without a probe are in none of the failed sets and count as started."""

    liveness_failed: frozenset[str] = frozenset()
    startup_failed: frozenset[str] = frozenset()
    not_started: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kill:
    """A running container to stop; `message` is the Killing event's."""

    container_id: str
    name: str
    message: str
    is_startup_probe: bool = False


@dataclass(frozen=True, slots=True)
class PodActions:
    """`start` holds names in the order in which they start; `back_off` the seconds that a container waits still."""

    kill_pod: bool = False
    create_sandbox: bool = False
    attempt: int = 0
    start: tuple[str, ...] = ()
    kill: tuple[Kill, ...] = ()
    back_off: Mapping[str, float] = field(default_factory=dict)
    look_again: float = 0.0
    """Seconds after which what is there says more; 0 if there is nothing to wait for."""


def compute_pod_actions(
    pod: Object, runtime: PodRuntime, probes: ProbeView, backoffs: Mapping[str, CrashBackoff], now: float
) -> PodActions:
    """`backoffs` by container name; `now` in seconds since 1970."""
    changed, attempt = sandbox_changed(pod, runtime)
    if changed:
        return _with_new_sandbox(pod, runtime, attempt)
    decided = _Decision(pod, runtime, probes, backoffs, now)
    decided.decide()
    if decided.nothing_left:
        return PodActions(kill_pod=True, attempt=attempt)
    return PodActions(False, False, attempt, tuple(decided.start), tuple(decided.kill), decided.back_off, decided.look_again)


def sandbox_changed(pod: Object, runtime: PodRuntime) -> tuple[bool, int]:
    """(whether a new sandbox is needed, its attempt or the present one's)."""
    sandbox = runtime.sandbox
    if sandbox is None:
        return True, 0
    ready = sum(each.ready for each in runtime.sandboxes)
    if ready > 1 or not sandbox.ready or sandbox.host_network != pod_spec.is_host_network(pod) or _has_no_address(pod, sandbox):
        return True, sandbox.attempt + 1
    return False, sandbox.attempt


def _has_no_address(pod: Object, sandbox: Sandbox) -> bool:
    return not pod_spec.is_host_network(pod) and not sandbox.ips


def _with_new_sandbox(pod: Object, runtime: PodRuntime, attempt: int) -> PodActions:
    """A sandbox is made only if something will run in it."""
    wanted = [each["name"] for each in pod_spec.containers(pod) if _runs_in_new_sandbox(pod, each, runtime)]
    if not wanted or _failed_initialization(pod, runtime):
        return PodActions(kill_pod=True, attempt=attempt)
    first = pod_spec.init_containers(pod)[:1]
    start = (first[0]["name"],) if first else tuple(wanted)
    return PodActions(kill_pod=bool(runtime.sandboxes), create_sandbox=True, attempt=attempt, start=start)


def _runs_in_new_sandbox(pod: Object, container: Object, runtime: PodRuntime) -> bool:
    latest = runtime.latest(container["name"])
    if latest is not None and not latest.is_exited:
        # It dies with the old sandbox, which is a failure of its own.
        return policy_of(pod, container) != "Never"
    return should_run(pod, container, latest)


def _failed_initialization(pod: Object, runtime: PodRuntime) -> bool:
    for container in pod_spec.init_containers(pod):
        latest = runtime.latest(container["name"])
        if latest and latest.is_exited and latest.exit_code != 0 and not restarts_after(pod, _init(pod, container), latest.exit_code):
            return True
    return False


def _init(pod: Object, container: Object) -> Object:
    """An init container under the pod's policy Always is run again until it succeeds."""
    if pod_spec.is_sidecar(container) or pod_spec.restart_policy(pod) == "Never":
        return container
    return {**container, "restartPolicy": container.get("restartPolicy") or "OnFailure"}


def _settling(latest: Container, now: float) -> float:
    """A container that was killed may have died with its sandbox, whose end the runtime records a moment later."""
    if not latest.is_exited or latest.exit_code < KILLED:
        return 0.0
    return min(max(latest.finished_at / 1e9 + SETTLE_SECONDS - now, 0.0), SETTLE_SECONDS)


class _Decision:
    """One pass over the containers of a pod with a good sandbox."""

    def __init__(self, pod: Object, runtime: PodRuntime, probes: ProbeView, backoffs: Mapping[str, CrashBackoff], now: float) -> None:
        self._pod, self._runtime, self._probes, self._backoffs, self._now = pod, runtime, probes, backoffs, now
        self.start: list[str] = []
        self.kill: list[Kill] = []
        self.back_off: dict[str, float] = {}
        self.look_again = 0.0
        self.nothing_left = False

    def decide(self) -> None:
        initialized = self._decide_init()
        if self.nothing_left:
            return
        # Ephemeral containers are for looking at a pod in whatever state it is.
        for container in pod_spec.ephemeral_containers(self._pod):
            if self._runtime.latest(container["name"]) is None:
                self.start.append(container["name"])
        if initialized:
            kept = sum([self._decide_regular(container) for container in pod_spec.containers(self._pod)])
            waiting = any(name in self.back_off for name in (each["name"] for each in pod_spec.containers(self._pod)))
            started = {each["name"] for each in pod_spec.containers(self._pod)} & set(self.start)
            self.nothing_left = not kept and not started and not waiting and not self.kill and not self.look_again

    def _decide_init(self) -> bool:
        """Whether the regular containers may run."""
        was_initialized = any(self._runtime.in_sandbox(each["name"]) for each in pod_spec.containers(self._pod))
        if was_initialized and self._regular_are_done():
            return True
        for container in pod_spec.init_containers(self._pod):
            if pod_spec.is_sidecar(container):
                if not self._sidecar_is_up(container) and not was_initialized:
                    return False
            elif not was_initialized and not self._init_is_done(container):
                return False
        return True

    def _regular_are_done(self) -> bool:
        """Sidecars are not restarted for a pod that has ended."""
        return all(
            (latest := self._runtime.latest(each["name"])) and latest.is_exited and not should_run(self._pod, each, latest)
            for each in pod_spec.containers(self._pod)
        )

    def _sidecar_is_up(self, container: Object) -> bool:
        latest = self._runtime.in_sandbox(container["name"])
        if latest is None or latest.state != "RUNNING":
            self._start(container, latest)
            return False
        if not self._keep(container, latest):
            return False
        return latest.id not in self._probes.not_started

    def _init_is_done(self, container: Object) -> bool:
        latest = self._runtime.in_sandbox(container["name"])
        if latest is None or latest.state in ("CREATED", "UNKNOWN"):
            self._start(container, latest)
            return False
        if not latest.is_exited:
            return False
        if latest.exit_code == 0:
            return True
        if restarts_after(self._pod, _init(self._pod, container), latest.exit_code):
            self._start(container, latest)
        else:
            self.nothing_left = True
        return False

    def _decide_regular(self, container: Object) -> bool:
        """Whether it runs and goes on running."""
        latest = self._runtime.latest(container["name"])
        if latest is None or not latest.is_running:
            if should_run(self._pod, container, latest):
                self._start(container, latest)
            return False
        return self._keep(container, latest)

    def _keep(self, container: Object, running: Container) -> bool:
        reason = next(self._reasons_to_kill(container, running), "")
        if not reason:
            return True
        changed = "definition changed" in reason
        restart = changed or policy_of(self._pod, container) != "Never"
        message = f"{reason}, will be restarted" if restart else reason
        self.kill.append(Kill(running.id, running.name, message, "startup probe" in reason))
        if restart:
            self.start.append(container["name"])
        return False

    def _reasons_to_kill(self, container: Object, running: Container) -> Iterator[str]:
        name = container["name"]
        if running.annotations.get(ANNOTATION_HASH, container_hash(container)) != container_hash(container):
            yield f"Container {name} definition changed"
        if running.id in self._probes.liveness_failed:
            yield f"Container {name} failed liveness probe"
        if running.id in self._probes.startup_failed:
            yield f"Container {name} failed startup probe"

    def _start(self, container: Object, latest: Container | None) -> None:
        if latest is not None and latest.state == "UNKNOWN":
            self.kill.append(Kill(latest.id, latest.name, "Container is in unknown state, try killing it before restart"))
        finished = latest.finished_at / 1e9 if latest is not None and latest.is_exited else 0.0
        wait = crash_backoff.remaining(self._backoffs.get(container["name"]), finished, self._now) if finished else 0.0
        if wait > 0:
            self.back_off[container["name"]] = wait
        elif latest is not None and (settling := _settling(latest, self._now)) > 0:
            self.look_again = max(self.look_again, settling)
        else:
            self.start.append(container["name"])
