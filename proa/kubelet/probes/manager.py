"""Runs the probes of every container, one task each, and holds what they found.

A task follows its container through restarts: a new container id starts the count again. Liveness and readiness wait for the startup probe.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import field

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.cri.runtime import Container, RuntimeService
from proa.kubelet.pod_actions import ProbeView
from proa.kubelet.pod_runtime import PodRuntime
from proa.kubelet.probes.check import run_probe
from proa.kubelet.probes.outcome import FIELDS, Outcome, ProbeRun, ProbeType, initial, observed
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.tasks import TaskSet
from proa.runtime.event_recorder import Recorder

_TITLES: dict[ProbeType, str] = {"startup": "Startup", "liveness": "Liveness", "readiness": "Readiness"}
_RETRIES = 3


@dataclass(slots=True)
class _Target:
    """One container of one pod, as it is now."""

    pod: Object
    spec: Object
    running: Container | None = None
    pod_ip: str = ""
    results: dict[ProbeType, ProbeRun] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    terminating: bool = False


class ProbeManager:
    """`changed(uid)` is called when a result changes what the pod's status or actions are."""

    def __init__(self, runtime: RuntimeService, recorder: Recorder, clock: Clock, changed: Callable[[str], None]) -> None:
        self._runtime, self._recorder, self._clock, self._changed = runtime, recorder, clock, changed
        self._targets: dict[str, dict[str, _Target]] = {}
        self._tasks = TaskSet()

    def update(self, pod: Object, runtime: PodRuntime, host_ip: str) -> None:
        """Tell what runs now; probes of new containers start."""
        targets = self._targets.setdefault(meta.uid(pod), {})
        pod_ip = host_ip if pod_spec.is_host_network(pod) else next(iter(runtime.pod_ips), "")
        for container in _probed(pod):
            latest = runtime.latest(container["name"])
            running = latest if latest is not None and latest.is_running else None
            target = targets.get(container["name"])
            if target is None:
                if running is None:
                    continue
                target = targets[container["name"]] = _Target(pod, container)
            self._update_target(target, pod, container, running, pod_ip)

    def _update_target(self, target: _Target, pod: Object, spec: Object, running: Container | None, pod_ip: str) -> None:
        target.pod, target.spec, target.pod_ip = pod, spec, pod_ip
        target.terminating = meta.is_terminating(pod)
        if (running and running.id) != (target.running and target.running.id):
            target.running, target.results = running, {}
            target.changed.set()
        if not target.tasks:
            target.tasks = [
                self._tasks.spawn(self._probe_loop(target, kind, name), f"{kind} probe of {meta.key(pod)} {spec['name']}")
                for kind, name in FIELDS
                if spec.get(name)
            ]

    def remove(self, uid: str) -> None:
        for target in self._targets.pop(uid, {}).values():
            for task in target.tasks:
                task.cancel()

    async def close(self) -> None:
        await self._tasks.cancel()

    def view(self, uid: str) -> ProbeView:
        targets = [each for each in self._targets.get(uid, {}).values() if each.running is not None]
        return ProbeView(
            frozenset(_id(each) for each in targets if _failed(each, "liveness")),
            frozenset(_id(each) for each in targets if _failed(each, "startup")),
            frozenset(_id(each) for each in targets if not _has_started(each)),
        )

    def started_and_ready(self, uid: str, running: Iterable[Container]) -> tuple[frozenset[str], frozenset[str]]:
        """(ids that have started, ids that are ready) of the running containers; one without probes is both."""
        targets = {_id(each): each for each in self._targets.get(uid, {}).values() if each.running is not None}
        ids = [each.id for each in running]
        started = frozenset(each for each in ids if each not in targets or _has_started(targets[each]))
        return started, frozenset(each for each in started if each not in targets or _is_ready(targets[each]))

    async def _probe_loop(self, target: _Target, kind: ProbeType, field_name: str) -> None:
        while True:
            running = target.running
            if running is None or (target.terminating and kind != "readiness"):
                await self._wait_for_change(target)
                continue
            await self._probe_container(target, running, kind, field_name)

    async def _probe_container(self, target: _Target, running: Container, kind: ProbeType, field_name: str) -> None:
        """Probe one container until it is another one, or this probe has nothing more to say."""
        delay = float(target.spec[field_name].get("initialDelaySeconds") or 0)
        elapsed = self._clock.now().timestamp() - running.started_at / 1e9
        await self._clock.sleep(max(delay - elapsed, 0.0))
        while target.running is running and not (target.terminating and kind != "readiness"):
            if kind != "startup" and not _has_started(target):
                await self._wait_for_change(target)
                continue
            finished = await self._probe_once(target, running, kind, target.spec[field_name])
            if finished:
                await self._wait_for_another(target, running)
                return
            await self._clock.sleep(float(target.spec[field_name].get("periodSeconds") or 10))

    async def _probe_once(self, target: _Target, running: Container, kind: ProbeType, probe: Object) -> bool:
        """Whether this probe is done with this container."""
        outcome = await self._check(target, running, probe)
        if target.running is not running or outcome.unknown:
            return False
        self._record(target, kind, outcome)
        before = target.results.get(kind, initial(kind))
        after = observed(before, outcome.success, probe)
        target.results[kind] = after
        decided = after.in_a_row >= int(probe.get("failureThreshold") or 3) and not outcome.success
        if after.healthy != before.healthy or (kind == "startup" and decided):
            target.changed.set()
            self._changed(meta.uid(target.pod))
        # A container that failed is on its way to its end; a started one stays started.
        return (kind == "startup" and after.healthy) or (kind != "readiness" and decided)

    async def _check(self, target: _Target, running: Container, probe: Object) -> Outcome:
        outcome = Outcome(False, unknown=True)
        for _ in range(_RETRIES):
            outcome = await run_probe(probe, target.spec, running.id, target.pod_ip, self._runtime)
            if not outcome.unknown:
                break
        return outcome

    def _record(self, target: _Target, kind: ProbeType, outcome: Outcome) -> None:
        path = pod_spec.field_path(target.pod, target.spec["name"])
        if outcome.warning:
            self._recorder.event(
                target.pod, "Warning", "ProbeWarning", f"{_TITLES[kind]} probe warning: {outcome.message}", field_path=path
            )
        elif not outcome.success:
            self._recorder.event(target.pod, "Warning", "Unhealthy", f"{_TITLES[kind]} probe failed: {outcome.message}", field_path=path)

    async def _wait_for_change(self, target: _Target) -> None:
        target.changed.clear()
        await target.changed.wait()

    async def _wait_for_another(self, target: _Target, running: Container) -> None:
        while target.running is running:
            await self._wait_for_change(target)


def _probed(pod: Object) -> list[Object]:
    everyone = [*pod_spec.sidecars(pod), *pod_spec.containers(pod)]
    return [each for each in everyone if any(each.get(name) for _, name in FIELDS)]


def _id(target: _Target) -> str:
    return target.running.id if target.running is not None else ""


def _has_started(target: _Target) -> bool:
    return not target.spec.get("startupProbe") or target.results.get("startup", initial("startup")).healthy


def _is_ready(target: _Target) -> bool:
    return not target.spec.get("readinessProbe") or target.results.get("readiness", initial("readiness")).healthy


def _failed(target: _Target, kind: ProbeType) -> bool:
    run = target.results.get(kind)
    if run is None or run.last is not False:
        return False
    name = dict(FIELDS)[kind]
    return not run.healthy and run.in_a_row >= int((target.spec.get(name) or {}).get("failureThreshold") or 3)
