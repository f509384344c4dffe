"""One pod's life on this node: looks, decides (`compute_pod_actions`), acts, and says what is; again whenever something wakes it.

Stages only go forward: RUNNING until the pod is deleted, ended by us or done; TERMINATING until nothing runs; TERMINATED until the API's
object is gone. A step may be cancelled at any point, when the pod is deleted meanwhile: the next step looks again at what is there.
"""

import asyncio
import enum
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.kubelet import crash_backoff, pod_spec
from proa.kubelet.container_killer import ContainerKiller, shortened_grace
from proa.kubelet.container_starter import ContainerStarter, StartFailure
from proa.kubelet.container_status import CRASH_LOOP, StatusInputs, Waiting
from proa.kubelet.crash_backoff import CrashBackoff
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import Container, Sandbox
from proa.kubelet.node_context import NodeContext
from proa.kubelet.pod_actions import PodActions, compute_pod_actions
from proa.kubelet.pod_admission import refusal
from proa.kubelet.pod_runtime import PodRuntime, observe
from proa.kubelet.pod_sandbox import SandboxFailure, create_sandbox, remove_everything, sandbox_config, stop_sandboxes
from proa.kubelet.pod_status import PodView, Verdict, build_pod_status
from proa.kubelet.restart_policy import should_run
from proa.kubelet.sandbox_config import pod_log_directory
from proa.kubelet.termination_message import termination_message
from proa.kubelet.unsupported import rejection
from proa.kubelet.volumes.manager import MountFailure
from proa.lib.backoff import Backoff
from proa.lib.clock import format_time, parse_time
from proa.lib.tasks import cancel_and_wait

_log = logging.getLogger(__name__)


class Stage(enum.Enum):
    RUNNING = 1
    TERMINATING = 2
    TERMINATED = 3
    GONE = 4


class PodWorker:
    """`run()` returns when nothing of the pod is left, here and in the API."""

    def __init__(self, context: NodeContext, pod: Object) -> None:
        self.pod, self.stage, self.runtime = pod, Stage.RUNNING, PodRuntime()
        self._context = context
        self._starter, self._killer = ContainerStarter(context), ContainerKiller(context)
        self._wake = asyncio.Event()
        self._step_task: asyncio.Task[None] | None = None
        self._start_time = pod.get("status", {}).get("startTime") or ""
        self._admitted = self._removed_from_api = self._cleaned = False
        self._verdict: Verdict | None = None
        self._waiting: dict[str, Waiting] = {}
        self._retry_at: dict[str, float] = {}
        self._backoffs: dict[str, CrashBackoff] = {}
        self._known: dict[str, Container] = {}
        self._messages: dict[str, str] = {}
        self._backed_off: set[str] = set()
        self._trouble = Backoff(1.0, 20.0)
        self._wake_in: float | None = None

    # What others tell the worker.

    def wake(self) -> None:
        self._wake.set()

    def update(self, pod: Object) -> None:
        """A new version of the pod. A deletion interrupts what is going on; so does a shorter grace period."""
        newly_terminating = meta.is_terminating(pod) and not meta.is_terminating(self.pod)
        interrupt = (newly_terminating and self.stage is Stage.RUNNING) or shortened_grace(self.pod, pod)
        self.pod = pod
        if interrupt and self._step_task is not None:
            self._step_task.cancel()
        self.wake()

    def removed(self) -> None:
        """The API has no such pod any more."""
        self._removed_from_api = True
        if self.stage is Stage.RUNNING and self._step_task is not None:
            self._step_task.cancel()
        self.wake()

    def end(self, verdict: Verdict) -> None:
        """The node itself ends the pod (eviction)."""
        self._verdict = self._verdict or verdict
        if self.stage is Stage.RUNNING and self._step_task is not None:
            self._step_task.cancel()
        self.wake()

    # The loop.

    @property
    def is_gone(self) -> bool:
        return self.stage is Stage.GONE

    async def run(self) -> None:
        while not self.is_gone:
            self._wake.clear()
            self._wake_in = None
            self._step_task = asyncio.get_running_loop().create_task(self._guarded_step())
            try:
                await asyncio.wait([self._step_task])
            finally:
                await cancel_and_wait(self._step_task)
            if self._step_task.cancelled():
                continue
            if not self.is_gone:
                await self._wait()

    async def _wait(self) -> None:
        timer = asyncio.ensure_future(self._context.clock.sleep(self._wake_in)) if self._wake_in is not None else None
        waker = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait([each for each in (timer, waker) if each is not None], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(*[each for each in (timer, waker) if each is not None])

    def _wake_after(self, seconds: float) -> None:
        self._wake_in = seconds if self._wake_in is None else min(self._wake_in, seconds)

    async def _guarded_step(self) -> None:
        try:
            await self._step()
        except (RuntimeFailure, ApiError, OSError) as error:
            _log.warning("pod %s: %s", meta.key(self.pod), error)
            self._wake_after(self._trouble.next())
        except Exception:
            _log.exception("pod %s", meta.key(self.pod))
            self._wake_after(self._trouble.next())

    async def _step(self) -> None:
        await self._observe()
        if self.stage is Stage.RUNNING and self._must_end():
            self.stage = Stage.TERMINATING
        if self.stage is Stage.RUNNING:
            await self._run_pod()
        if self.stage is Stage.TERMINATING:
            await self._terminate()
        if self.stage is Stage.TERMINATED:
            await self._finish()

    def _must_end(self) -> bool:
        return meta.is_terminating(self.pod) or self._removed_from_api or self._verdict is not None or pod_spec.is_finished(self.pod)

    # Looking and saying.

    async def _observe(self) -> None:
        self.runtime = await observe(self._context.runtime, meta.uid(self.pod), self._known)
        self._known = {each.id: each for each in self.runtime.containers}
        for container in self.runtime.containers:
            if container.is_exited and container.id not in self._messages:
                self._messages[container.id] = termination_message(container) or self._known_message(container)
        self._context.probes.update(self.pod, self.runtime, next(iter(self._context.facts.host_ips), ""))

    def _known_message(self, container: Container) -> str:
        """A finished pod's files are gone; what was said is in the API still."""
        statuses = self._context.status.newest(self.pod).get("status") or {}
        for entry in [*(statuses.get("containerStatuses") or []), *(statuses.get("initContainerStatuses") or [])]:
            for state in (entry.get("state") or {}, entry.get("lastState") or {}):
                ended = state.get("terminated") or {}
                if ended.get("containerID", "").endswith(f"//{container.id}"):
                    return str(ended.get("message") or "")
        return ""

    def publish(self) -> None:
        """Say what is now; writes only what changed."""
        if self._removed_from_api:
            return
        context = self._context
        started, ready = context.probes.started_and_ready(meta.uid(self.pod), self.runtime.running)
        inputs = StatusInputs(ready, started, self._waiting, self._messages, self._has_ended(), self._is_initialized())
        pod = context.status.newest(self.pod)
        view = PodView(pod, self.runtime, inputs, self._verdict, context.facts.host_ips, self._start_time)
        context.status.set(self.pod, build_pod_status(view, format_time(context.clock.now())))

    def _has_ended(self) -> bool:
        return self.stage in (Stage.TERMINATING, Stage.TERMINATED) and not self.runtime.running

    def _is_initialized(self) -> bool:
        return any(self.runtime.latest(each["name"]) for each in pod_spec.containers(self.pod))

    # RUNNING

    async def _run_pod(self) -> None:
        if not self._admitted and not await self._admit():
            self.publish()
            return
        self._start_time = self._start_time or format_time(self._context.clock.now())
        if self._is_past_deadline():
            self.stage = Stage.TERMINATING
            return
        actions = self._decide()
        if actions.kill_pod and not actions.create_sandbox:
            self.stage = Stage.TERMINATING
            return
        self.publish()
        await self._apply(actions)

    async def _admit(self) -> bool:
        """A pod that has a sandbox was admitted by the agent that ran before."""
        context, facts = self._context, self._context.facts
        refused = rejection(self.pod, facts.handlers.get("", next(iter(facts.handlers.values()))))
        if refused is None and not self.runtime.sandboxes:
            refused = await refusal(self.pod, context)
        if refused is not None:
            reason, message = refused
            context.recorder.event(self.pod, "Warning", reason, message)
            self._verdict = Verdict(reason, message)
            self._start_time = self._start_time or format_time(context.clock.now())
            self.stage = Stage.TERMINATING
            return False
        self._admitted = True
        return True

    def _is_past_deadline(self) -> bool:
        limit = self.pod["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return False
        left = parse_time(self._start_time).timestamp() + limit - self._context.clock.now().timestamp()
        if left > 0:
            self._wake_after(left)
            return False
        message = "Pod was active on the node longer than the specified deadline"
        self._context.recorder.event(self.pod, "Normal", "DeadlineExceeded", message)
        self._verdict = Verdict("DeadlineExceeded", message)
        return True

    def _decide(self) -> PodActions:
        now = self._context.clock.now().timestamp()
        actions = compute_pod_actions(self.pod, self.runtime, self._context.probes.view(meta.uid(self.pod)), self._backoffs, now)
        if actions.look_again:
            self._wake_after(actions.look_again)
        for name, seconds in actions.back_off.items():
            self._back_off(name, seconds)
        for name in [each for each, reason in self._waiting.items() if reason.reason == CRASH_LOOP and each not in actions.back_off]:
            del self._waiting[name]
        return actions

    def _back_off(self, name: str, seconds: float) -> None:
        self._wake_after(seconds + 0.01)
        waited = crash_backoff.go_duration(self._backoffs[name].seconds)
        pod = pod_spec.pod_name(self.pod)
        self._waiting[name] = Waiting(CRASH_LOOP, f"back-off {waited} restarting failed container={name} pod={pod}")
        latest = self.runtime.latest(name)
        if latest is not None and latest.id not in self._backed_off:
            self._backed_off.add(latest.id)
            message = f"Back-off restarting failed container {name} in pod {pod}"
            self._context.recorder.event(self.pod, "Warning", "BackOff", message, field_path=pod_spec.field_path(self.pod, name))

    async def _apply(self, actions: PodActions) -> None:
        if actions.kill or (actions.kill_pod and self.runtime.sandboxes):
            await self._kill(actions)
            self.wake()
            if not actions.create_sandbox:
                # What was ended is started by the next look: its end counts for the back-off.
                return
        if not actions.start and not actions.create_sandbox:
            await self._refresh_volumes()
            return
        volumes = await self._mount_volumes()
        if volumes is None:
            return
        sandbox = self.runtime.sandbox
        if actions.create_sandbox:
            sandbox = await self._create_sandbox(actions.attempt)
        if sandbox is not None:
            await self._start_containers(actions, sandbox, volumes)

    async def _kill(self, actions: PodActions) -> None:
        if actions.kill_pod:
            self._context.recorder.event(self.pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            await self._killer.kill_all(self.pod, self.runtime, pod_spec.grace_seconds(self.pod))
            await stop_sandboxes(self._context, self.runtime)
            return
        containers = {each.id: each for each in self.runtime.containers}
        graces = {each.container_id: self._kill_grace(each.name, each.is_startup_probe) for each in actions.kill}
        await asyncio.gather(
            *(
                self._killer.kill(self.pod, containers[each.container_id], self.runtime, each.message, graces[each.container_id])
                for each in actions.kill
            )
        )

    def _kill_grace(self, name: str, is_startup_probe: bool) -> int:
        container = pod_spec.container(self.pod, name) or {}
        probe = container.get("startupProbe" if is_startup_probe else "livenessProbe") or {}
        own = probe.get("terminationGracePeriodSeconds")
        return pod_spec.grace_seconds(self.pod) if own is None else int(own)

    async def _mount_volumes(self) -> Mapping[str, Path] | None:
        self._context.objects.register(self.pod)
        try:
            volumes = await self._context.volumes.set_up(self.pod)
            self._context.cgroups.ensure(self.pod)
            return volumes
        except MountFailure as failure:
            self._context.recorder.event(self.pod, "Warning", "FailedMount", str(failure))
            self._wake_after(self._trouble.next())
            return None

    async def _refresh_volumes(self) -> None:
        """Config maps, secrets and tokens may have changed. A failure leaves the old files."""
        self._context.objects.register(self.pod)
        try:
            await self._context.volumes.set_up(self.pod)
            self._trouble.reset()
        except MountFailure as failure:
            self._context.recorder.event(self.pod, "Warning", "FailedMount", str(failure))
        self._wake_after(self._context.configuration.sync_frequency)

    async def _create_sandbox(self, attempt: int) -> Sandbox | None:
        try:
            sandbox = await create_sandbox(self._context, self.pod, attempt)
        except SandboxFailure as failure:
            self._context.recorder.event(self.pod, "Warning", "FailedCreatePodSandBox", str(failure))
            self._wake_after(self._trouble.next())
            return None
        self.runtime = PodRuntime((sandbox, *self.runtime.sandboxes), self.runtime.containers)
        self._retry_at.clear()
        self._trouble.reset()
        self.publish()
        return sandbox

    async def _start_containers(self, actions: PodActions, sandbox: Sandbox, volumes: Mapping[str, Path]) -> None:
        config = sandbox_config(self._context, self.pod, sandbox.attempt)
        for name in actions.start:
            container = pod_spec.container(self.pod, name)
            left = self._retry_at.get(name, 0.0) - self._context.clock.monotonic()
            if container is None or left > 0:
                self._wake_after(max(left, 0.01))
                continue
            try:
                attempt = self._next_attempt(name)
                self._raise_backoff(name)
                target = self.runtime.latest(container.get("targetContainerName") or "")
                await self._starter.start(self.pod, container, attempt, sandbox, config, volumes, target.id if target else "")
                self._waiting.pop(name, None)
                self._retry_at.pop(name, None)
                self.wake()
            except StartFailure as failure:
                await self._observe()
                self._start_failed(name, container, failure)
            else:
                await self._observe()
            self.publish()

    def _start_failed(self, name: str, container: Object, failure: StartFailure) -> None:
        latest = self.runtime.latest(name)
        if latest is not None and latest.is_exited and failure.retry_after == 0 and not should_run(self.pod, container, latest):
            # It will not be tried again: it has ended, and does not wait.
            self.wake()
            return
        self._waiting[name] = Waiting(failure.reason, failure.message)
        if failure.retry_after > 0:
            self._retry_at[name] = self._context.clock.monotonic() + failure.retry_after
            self._wake_after(failure.retry_after)
        else:
            self.wake()

    def _next_attempt(self, name: str) -> int:
        latest = self.runtime.latest(name)
        if latest is not None:
            return latest.attempt + 1
        status = self._context.status.newest(self.pod).get("status") or {}
        entries = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
        known = next((each for each in entries if each["name"] == name and each.get("containerID")), None)
        return int(known["restartCount"]) + 1 if known else 0

    def _raise_backoff(self, name: str) -> None:
        latest = self.runtime.latest(name)
        if latest is not None and latest.is_exited:
            now = self._context.clock.now().timestamp()
            self._backoffs[name] = crash_backoff.raised(self._backoffs.get(name), latest.finished_at / 1e9, now)

    # TERMINATING and TERMINATED

    async def _terminate(self) -> None:
        self._waiting.clear()
        self.publish()
        watching = asyncio.ensure_future(self._publish_on_wake())
        try:
            await self._killer.kill_all(self.pod, self.runtime, pod_spec.grace_seconds(self.pod))
        finally:
            await cancel_and_wait(watching)
        await self._observe()
        if self.runtime.running:
            self._wake_after(0.05)
            return
        await stop_sandboxes(self._context, self.runtime)
        self._context.probes.remove(meta.uid(self.pod))
        self.stage = Stage.TERMINATED
        await self._observe()
        self.publish()

    async def _publish_on_wake(self) -> None:
        """While containers take their time to end, each end is told at once."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._observe()
            self.publish()

    async def _finish(self) -> None:
        """Resources go at once; the containers' logs stay until the pod is deleted, the API's object until all else is gone."""
        uid = meta.uid(self.pod)
        if not self._cleaned:
            await self._context.volumes.tear_down(uid)
            self._context.images.forget(uid)
            self._cleaned = True
        self.publish()
        if not (meta.is_terminating(self.pod) or self._removed_from_api):
            await asyncio.to_thread(self._context.cgroups.remove, uid)
            return
        await self._context.status.flush(uid)
        await remove_everything(self._context, self.runtime)
        await asyncio.to_thread(self._context.cgroups.remove, uid)
        if not self._removed_from_api and not await self._delete_from_api():
            return
        shutil.rmtree(pod_log_directory(self.pod, self._context.configuration.pod_log_directory), ignore_errors=True)
        self._context.status.forget(uid)
        self.stage = Stage.GONE

    async def _delete_from_api(self) -> bool:
        """Whether the object went; finalizers of others may hold it still."""
        try:
            await self._context.client.delete(
                PODS, meta.name(self.pod), meta.namespace(self.pod), uid=meta.uid(self.pod), grace_period_seconds=0
            )
        except (NotFound, Conflict):
            return True
        return not meta.finalizers(self.pod)
