"""What a pod belongs to, as one selector: the Services that select it together with the controller that owns it.

It is asked for every pod and changes rarely, so answers are kept until a Service or a controller comes, goes or selects anew.
"""

from proa.api import meta
from proa.api.kinds import REPLICA_SETS, REPLICATION_CONTROLLERS, SERVICES, STATEFUL_SETS
from proa.api.labels import Selector, selector_from_object, selector_from_set
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.informer import InformerFactory
from proa.client.interface import Handlers, Lister
from proa.scheduler.pod_info import PodInfo

_OWNERS: dict[str, ResourceId] = {
    "ReplicaSet": REPLICA_SETS,
    "StatefulSet": STATEFUL_SETS,
    "ReplicationController": REPLICATION_CONTROLLERS,
}


class OwnerSelectors:
    def __init__(self, informers: InformerFactory) -> None:
        self._services: Lister = informers.informer(SERVICES).lister
        self._owners: dict[str, Lister] = {kind: informers.informer(resource).lister for kind, resource in _OWNERS.items()}
        self._known: dict[tuple[str, frozenset[tuple[str, str]], str], Selector | None] = {}
        handlers = Handlers(add=self._changed, update=self._updated, delete=self._changed)
        for resource in (SERVICES, *_OWNERS.values()):
            informers.informer(resource).add_handlers(handlers)

    def __call__(self, pod: PodInfo) -> Selector | None:
        """None if nothing selects or owns it."""
        owner = meta.controller_of(pod.pod)
        key = pod.namespace, frozenset(pod.labels.items()), owner["uid"] if owner else ""
        if key not in self._known:
            self._known[key] = self._find(pod, owner)
        return self._known[key]

    def _find(self, pod: PodInfo, owner: Object | None) -> Selector | None:
        requirements = list(self._owner_selector(pod, owner).requirements)
        for service in self._services.list(pod.namespace):
            selector = (service.get("spec") or {}).get("selector")
            if selector and selector.items() <= pod.labels.items():
                requirements += selector_from_set(selector).requirements
        unique = sorted(set(requirements), key=lambda each: (each.key, each.operator, each.values))
        return Selector(tuple(unique)) if unique else None

    def _owner_selector(self, pod: PodInfo, owner: Object | None) -> Selector:
        lister = self._owners.get(owner["kind"]) if owner else None
        found = lister.get(f"{pod.namespace}/{owner['name']}") if lister and owner else None
        if found is None or owner is None:
            return Selector()
        selector = (found.get("spec") or {}).get("selector")
        return selector_from_set(selector) if owner["kind"] == "ReplicationController" else selector_from_object(selector or {})

    def _changed(self, obj: Object) -> None:
        self._known.clear()

    def _updated(self, old: Object, new: Object) -> None:
        if (old.get("spec") or {}).get("selector") != (new.get("spec") or {}).get("selector"):
            self._known.clear()
