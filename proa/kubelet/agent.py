"""The node agent: wires the parts together and keeps them running.

Stopping it touches no container; started again it finds them by their labels and goes on. Pods come from a watch of those bound here.
"""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from proa.api import meta
from proa.api.kinds import PODS, SERVICES
from proa.api.meta import Object
from proa.api.quantity import parse
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.kubelet import machine, pod_spec
from proa.kubelet.cgroups import PodCgroups
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import Container, ContainerStats, ImageService, RuntimeService, Sandbox, SandboxStats
from proa.kubelet.eviction import EvictionManager
from proa.kubelet.garbage_collection import GarbageCollector
from proa.kubelet.image_manager import ImageManager
from proa.kubelet.log_rotation import LogRotation
from proa.kubelet.node_context import NodeContext, NodeFacts
from proa.kubelet.node_object import NodeObservation
from proa.kubelet.node_observer import NodeObserver
from proa.kubelet.node_reporter import NodeReporter
from proa.kubelet.pod_lifecycle import PodLifecycleEvents
from proa.kubelet.pod_runtime import observe
from proa.kubelet.pod_status import Verdict
from proa.kubelet.pod_workers import PodWorkers
from proa.kubelet.probes.manager import ProbeManager
from proa.kubelet.sandbox_config import pod_log_directory
from proa.kubelet.status_manager import StatusManager
from proa.kubelet.volumes.issuers import Issuers
from proa.kubelet.volumes.manager import VolumeManager
from proa.kubelet.volumes.objects import WatchedObjects
from proa.kubelet.volumes.pod_certificates import PodCertificates
from proa.kubelet.volumes.tokens import TokenManager
from proa.kubelet.volumes.trust_bundles import TrustBundles
from proa.lib.clock import Clock, SystemClock
from proa.lib.dataclass import dataclass
from proa.lib.tasks import TaskSet
from proa.runtime.event_recorder import EventRecorder, Recorder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundContainer:
    """A container of a pod as the streaming server needs it. `log_path` is where its newest attempt writes."""

    pod: Object
    container: Object
    sandbox: Sandbox | None
    status: Container | None
    previous: Container | None
    log_directory: str

    @property
    def log_path(self) -> str:
        return self.status.log_path if self.status else ""


class Agent:
    """`start()`, later `stop()`. `runtime` serves both CRI services."""

    def __init__(
        self,
        configuration: KubeletConfiguration,
        client: Client,
        runtime: RuntimeService,
        images: ImageService,
        *,
        clock: Clock | None = None,
        recorder: Recorder | None = None,
        cgroups: PodCgroups | None = None,
    ) -> None:
        self.configuration, self.client, self.runtime, self.images = configuration, client, runtime, images
        self.clock: Clock = clock or SystemClock()
        self.recorder = recorder or EventRecorder(client, "kubelet", self.clock, host=configuration.node_name)
        self.facts = NodeFacts(apparmor=machine.apparmor_enabled())
        self._tasks = TaskSet()
        self._workers = PodWorkers()
        self._services = Informer(client, SERVICES, clock=self.clock)
        self._pods = Informer(client, PODS, field_selector=f"spec.nodeName={configuration.node_name}", clock=self.clock)
        self._objects = WatchedObjects(client, self._workers.wake, self.clock)
        self._issuers = Issuers(
            TokenManager(client, self.clock),
            TrustBundles(client, self._workers.wake, self.clock),
            PodCertificates(client, lambda: self.facts.node, self.recorder, self.clock, self._workers.wake),
        )
        self._probes = ProbeManager(runtime, self.recorder, self.clock, self._workers.wake)
        self._status = StatusManager(client, self.clock)
        self._cgroups = cgroups or PodCgroups(configuration.kubepods_cgroup)
        self._workers.bind(self._context())
        self._eviction = EvictionManager(configuration, runtime, self.recorder, self.clock, self._workers.pods, self._end_pod)
        self._observer = NodeObserver(configuration, runtime, images, self._eviction.pressure)
        self._reporter = NodeReporter(client, configuration, self._observer, self.recorder, self.clock, self._learn_node)
        self._lifecycle = PodLifecycleEvents(
            runtime, self.clock, configuration.relist_period, self._workers.wake, self._workers.runtime_has
        )

    def _context(self) -> NodeContext:
        return NodeContext(
            configuration=self.configuration,
            client=self.client,
            runtime=self.runtime,
            images=ImageManager(self.images, self.recorder, self.clock, self.configuration.image_pull_limit),
            volumes=VolumeManager(self.configuration, self._objects, self._issuers, lambda: self.facts.allocatable),
            objects=self._objects,
            cgroups=self._cgroups,
            probes=self._probes,
            status=self._status,
            recorder=self.recorder,
            clock=self.clock,
            facts=self.facts,
            services=self._services_for,
            pods=self._workers.pods,
        )

    async def start(self) -> None:
        """Returns when the node is registered and its pods are known; the rest goes on in the background."""
        self.configuration.pods_directory.mkdir(parents=True, exist_ok=True)
        self._cgroups.ensure_root()
        self._spawn("services", self._services.run())
        await self._reporter.register()
        self._spawn("node status", self._reporter.report_forever())
        self._spawn("node lease", self._reporter.renew_lease_forever())
        await self._services.wait_synced()
        self._pods.add_handlers(Handlers(add=self._workers.put, update=lambda _, pod: self._workers.put(pod), delete=self._workers.remove))
        self._spawn("pods", self._pods.run())
        await self._pods.wait_synced()
        self._workers.pods_are_known = True
        self._spawn("leftovers", self._remove_leftovers_when_up())
        self._spawn_housekeeping()

    def _spawn_housekeeping(self) -> None:
        collector = GarbageCollector(self.configuration, self.runtime, self.images, self.clock)
        self._spawn("runtime events", self._lifecycle.run())
        self._spawn("relist", self._lifecycle.relist_forever())
        self._spawn("container collection", collector.collect_containers_forever())
        self._spawn("image collection", collector.collect_images_forever())
        self._spawn("log rotation", LogRotation(self.configuration, self.runtime, self.clock).run())
        self._spawn("eviction", self._eviction.run())

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.spawn(work, name)

    async def _remove_leftovers_when_up(self) -> None:
        while True:
            try:
                await self._remove_leftovers()
                return
            except RuntimeFailure as failure:
                _log.warning("container runtime does not answer: %s", failure)
                await self.clock.sleep(1.0)

    async def _remove_leftovers(self) -> None:
        """Files and cgroups of pods that neither the API nor the runtime has."""
        known = {meta.uid(pod) for pod in self._workers.pods()}
        known |= {each.uid for each in await self.runtime.list_pod_sandboxes()}
        on_disk = {path.name for path in self.configuration.pods_directory.iterdir()}
        for uid in (on_disk - known) | self._cgroups.leftovers(known):
            try:
                await self._workers.remove_files(uid)
            except OSError as error:
                _log.warning("files of pod %s: %s", uid, error)

    async def stop(self) -> None:
        """Containers go on running."""
        await self._tasks.cancel()
        await self._workers.close()
        await self._lifecycle.close()
        await self._probes.close()
        await self._objects.close()
        await self._issuers.close()
        await self._status.close()
        if isinstance(self.recorder, EventRecorder):
            await self.recorder.close()

    # What the parts ask.

    def _services_for(self, namespace: str) -> Sequence[Object]:
        master = self._services.lister.get("default/kubernetes")
        return [*([master] if master and namespace != "default" else []), *self._services.lister.list(namespace)]

    def _end_pod(self, uid: str, verdict: Verdict) -> None:
        if worker := self._workers.get(uid):
            worker.end(verdict)

    def _learn_node(self, observation: NodeObservation, node: Object) -> None:
        self.facts.host_ips = tuple(address for kind, address in observation.addresses if kind == "InternalIP" and address)
        self.facts.memory = parse(observation.capacity["memory"]).value
        self.facts.allocatable, self.facts.node = observation.allocatable, node
        if observation.runtime and observation.runtime.handlers:
            self.facts.handlers = {each.name: each for each in observation.runtime.handlers}

    # What the server asks.

    @property
    def pods(self) -> list[Object]:
        """The pods that are bound to this node, with the newest status that the agent has written."""
        return [self._status.newest(pod) for pod in self._workers.pods()]

    def find_pod(self, namespace: str, name: str, uid: str = "") -> Object | None:
        named = [pod for pod in self.pods if (meta.namespace(pod), meta.name(pod)) == (namespace, name)]
        return next((pod for pod in named if uid in ("", meta.uid(pod))), None)

    async def find_container(self, namespace: str, pod: str, container: str, uid: str = "") -> FoundContainer | None:
        """Asks the runtime, so that a container that has just started or ended is seen as it is."""
        found = self.find_pod(namespace, pod, uid)
        if found is None:
            return None
        return await find_container(self.runtime, found, container, self.configuration)

    def sandbox_of(self, pod: Object) -> Sandbox | None:
        worker = self._workers.get(meta.uid(pod))
        return worker.runtime.sandbox if worker else None

    async def container_stats(self) -> list[ContainerStats]:
        return await self.runtime.list_container_stats()

    async def sandbox_stats(self) -> list[SandboxStats]:
        return await self.runtime.list_pod_sandbox_stats()

    @property
    def is_healthy(self) -> bool:
        """Whether the runtime was looked at lately: what /healthz says."""
        return self.clock.monotonic() - self._lifecycle.last_relist < 3 * max(self.configuration.relist_period, 60.0)


async def find_container(runtime: RuntimeService, pod: Object, name: str, configuration: KubeletConfiguration) -> FoundContainer | None:
    """None if the spec has no such container; `status` is None while it never ran."""
    spec = pod_spec.container(pod, name)
    if spec is None:
        return None
    seen = await observe(runtime, meta.uid(pod), {})
    attempts = seen.attempts(name)
    previous = next((each for each in attempts[1:] if each.is_exited), None)
    directory = pod_log_directory(pod, configuration.pod_log_directory)
    return FoundContainer(pod, spec, seen.sandbox, attempts[0] if attempts else None, previous, directory)
