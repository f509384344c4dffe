"""From what is watched to cache and queue: pods with a node weigh on it, pods without one wait, and changes may help those."""

from proa.api import meta
from proa.api.kinds import NAMESPACES, NODES, PODS
from proa.api.meta import Object
from proa.client.informer import InformerFactory
from proa.client.interface import Handlers
from proa.scheduler.cache import Cache
from proa.scheduler.framework.events import AssignedPodEvent, NamespaceEvent, NodeEvent
from proa.scheduler.nominator import Nominator
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.queue import SchedulingQueue

UNFINISHED = "status.phase!=Succeeded,status.phase!=Failed"
DEFAULT_SCHEDULER = "default-scheduler"


class Watching:
    """Registers handlers, which do the work."""

    def __init__(self, informers: InformerFactory, cache: Cache, queue: SchedulingQueue, nominator: Nominator, scheduler_name: str) -> None:
        self._cache, self._queue, self._nominator, self._name = cache, queue, nominator, scheduler_name
        nodes = informers.informer(NODES)
        nodes.add_handlers(Handlers(add=self._node, update=self._node_updated, delete=self._node_deleted))
        pods = informers.informer(PODS, field_selector=UNFINISHED)
        self._pods = pods.lister
        pods.add_handlers(Handlers(add=self._pod, update=self._pod_updated, delete=self._pod_deleted))
        informers.informer(NAMESPACES).add_handlers(Handlers(update=self._namespace_updated))

    def still_waiting(self, pod: PodInfo) -> PodInfo | None:
        """The pod as it is now, if it still needs a node."""
        known = self._pods.get(pod.key)
        if known is None or meta.uid(known) != pod.uid or known["spec"].get("nodeName") or meta.is_terminating(known):
            return None
        return PodInfo(known)

    def _node(self, node: Object) -> None:
        self._cache.set_node(node)
        self._queue.happened(NodeEvent(None, node))

    def _node_updated(self, old: Object, new: Object) -> None:
        if self._cache.set_node(new):
            self._queue.happened(NodeEvent(old, new))

    def _node_deleted(self, node: Object) -> None:
        self._cache.remove_node(meta.name(node))
        self._queue.happened(NodeEvent(node, None))

    def _namespace_updated(self, old: Object, new: Object) -> None:
        if meta.labels(old) != meta.labels(new):
            self._queue.happened(NamespaceEvent(meta.name(new)))

    def _pod(self, pod: Object) -> None:
        if pod["spec"].get("nodeName"):
            self._assigned(PodInfo(pod))
        elif self._is_ours(pod):
            info = PodInfo(pod)
            self._nominator.add(info, info.nominated_node)
            self._queue.add(info)

    def _pod_updated(self, old: Object, new: Object) -> None:
        if new["spec"].get("nodeName"):
            self._assigned(PodInfo(new))
        elif meta.is_terminating(new):
            self._queue.delete(meta.key(new))
            self._nominator.remove(meta.key(new))
        elif self._is_ours(new) and not self._cache.is_assumed(meta.key(new)):
            self._waiting_updated(old, PodInfo(new))

    def _waiting_updated(self, old: Object, pod: PodInfo) -> None:
        told = old.get("status", {}).get("nominatedNodeName") or ""
        node = pod.nominated_node if pod.nominated_node != told else self._nominator.node_of(pod.key)
        self._nominator.add(pod, node)
        if _wishes(old) != _wishes(pod.pod):
            self._queue.update(pod)
        else:
            self._queue.refresh(pod)

    def _pod_deleted(self, pod: Object) -> None:
        key = meta.key(pod)
        self._queue.delete(key)
        self._nominator.remove(key)
        gone = self._cache.remove_pod(key)
        if gone is not None:
            self._queue.happened(AssignedPodEvent(gone, None))

    def _assigned(self, pod: PodInfo) -> None:
        """Also what another scheduler, or a user, assigned."""
        known = self._cache.get_pod(pod.key)
        assumed = self._cache.is_assumed(pod.key)
        self._cache.set_pod(pod)
        self._queue.delete(pod.key)
        self._nominator.remove(pod.key)
        if assumed or known is None or not known.counts_as(pod):
            self._queue.happened(AssignedPodEvent(None if assumed else known, pod))

    def _is_ours(self, pod: Object) -> bool:
        return (pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER) == self._name and not meta.is_terminating(pod)


def _wishes(pod: Object) -> tuple[Object, dict[str, str]]:
    """What of a waiting pod decides where it may run."""
    return pod["spec"], meta.labels(pod)
