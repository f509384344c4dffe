"""Does what the graph asks to look at: verifies against the API, then deletes, releases, orphans or lets finalizers go.

The graph may be behind; so each decision reads the object and its owners first, and each write names the UID (a deletion also the
version) that was decided on.
"""

import asyncio
import logging
from collections import OrderedDict

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.interface import MERGE_PATCH, Client
from proa.client.work_queue import WorkQueue
from proa.controllers.garbage_collector.decision import OwnerState, decide, owner_state
from proa.controllers.garbage_collector.graph import FOREGROUND, ORPHAN, Graph, Node, ToDo
from proa.lib.clock import Clock
from proa.runtime.event_recorder import Recorder
from proa.runtime.reconciler import DONE, Result

_log = logging.getLogger(__name__)

ABSENT_LIMIT = 500


class Kinds:
    """Which resource serves a kind; renewed by discovery."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[str, str], ResourceId] = {}

    def learn(self, resources: list[ResourceId]) -> None:
        self._by_kind = {(each.group, each.kind): each for each in resources}

    def resource(self, api_version: str, kind: str) -> ResourceId | None:
        group = api_version.rpartition("/")[0]
        return self._by_kind.get((group, kind))


class UnknownKind(Exception):
    """No served resource has that kind: it may come later (a CRD), so nothing is decided."""


class Collector:
    """A reconciler; keys are UIDs, `orphan/UID` asks to orphan its dependents."""

    def __init__(self, client: Client, recorder: Recorder, clock: Clock) -> None:
        self._client, self._recorder = client, recorder
        self.graph = Graph()
        self.kinds = Kinds()
        self.queue: WorkQueue[str] = WorkQueue(clock)
        self._absent: OrderedDict[tuple[str, str, str, str], None] = OrderedDict()

    def enqueue(self, todo: ToDo) -> None:
        for uid in todo.delete:
            self.queue.add(uid)
        for uid in todo.orphan:
            self.queue.add(f"orphan/{uid}")

    async def reconcile(self, key: str) -> Result:
        task, _, uid = key.rpartition("/")
        node = self.graph.get(uid)
        if node is None:
            return DONE
        if task:
            return await self._orphan_dependents(node)
        if node.being_deleted and not node.waits_for_dependents:
            return DONE
        try:
            return await self._consider(node)
        except UnknownKind as error:
            _log.debug("%s", error)
            return Result(30)

    async def _consider(self, node: Node) -> Result:
        resource = node.resource or self._resource(node.api_version, node.kind)
        live = await self._get(resource, node.name, node.namespace)
        if live is None or meta.uid(live) != node.uid:
            self._absent_owner(node.api_version, node.kind, node.namespace, node.uid)
            self.enqueue(self.graph.remove(node.uid))
            return DONE
        if node.virtual:
            self.enqueue(self.graph.observe(resource, live))
        if node.waits_for_dependents:
            return await self._wait_for_dependents(node, resource, live)
        if meta.owner_references(live):
            await self._follow_owners(node, resource, live)
        return DONE

    async def _follow_owners(self, node: Node, resource: ResourceId, live: Object) -> None:
        states = await self._owner_states(node, resource, live)
        if states is None:
            return
        circular = any(each.waits_for_dependents for each in node.dependents.values())
        decision = decide(live, states, has_dependents=bool(node.dependents), circular=circular)
        if decision.action == "release":
            await self._remove_owners(resource, live, set(decision.owners))
        elif decision.action == "delete":
            if decision.unblock:
                live = await self._unblock(resource, live)
            name, namespace, uid, version = meta.name(live), meta.namespace(live), node.uid, meta.resource_version(live)
            try:
                await self._client.delete(resource, name, namespace, uid=uid, resource_version=version, propagation_policy=decision.policy)
            except NotFound:
                return

    async def _owner_states(self, node: Node, resource: ResourceId, live: Object) -> list[tuple[str, OwnerState]] | None:
        """None if a reference can't be judged: a cluster-scoped object can't have a namespaced owner."""
        states: list[tuple[str, OwnerState]] = []
        for each in meta.owner_references(live):
            owner_resource = self._resource(each["apiVersion"], each["kind"])
            if owner_resource.namespaced and not resource.namespaced:
                self._complain(live, each)
                return None
            namespace = meta.namespace(live) if owner_resource.namespaced else ""
            owner = await self._owner(owner_resource, each, namespace)
            known = self.graph.get(each["uid"])
            if owner is None and known is not None and not known.virtual and known.namespace not in ("", namespace):
                self._complain(live, each)
            states.append((each["uid"], owner_state(owner, each["uid"])))
        return states

    async def _owner(self, resource: ResourceId, reference: Object, namespace: str) -> Object | None:
        if (resource.api_version, reference["kind"], namespace, reference["uid"]) in self._absent:
            return None
        owner = await self._get(resource, reference["name"], namespace)
        if owner is None or meta.uid(owner) != reference["uid"]:
            self._absent_owner(resource.api_version, reference["kind"], namespace, reference["uid"])
        return owner

    def _absent_owner(self, api_version: str, kind: str, namespace: str, uid: str) -> None:
        """UIDs never come back: ask once."""
        self._absent[(api_version, kind, namespace, uid)] = None
        if len(self._absent) > ABSENT_LIMIT:
            self._absent.popitem(last=False)

    def _complain(self, obj: Object, reference: Object) -> None:
        told = ", ".join(f"{field}: {reference[field]}" for field in ("apiVersion", "kind", "name", "uid"))
        message = f'ownerRef [{told}] does not exist in namespace "{meta.namespace(obj)}"'
        self._recorder.event(obj, "Warning", "OwnerRefInvalidNamespace", message)

    async def _wait_for_dependents(self, node: Node, resource: ResourceId, live: Object) -> Result:
        blocking = node.blocking_dependents()
        if not blocking:
            await self._remove_finalizer(resource, live, FOREGROUND)
        for each in blocking:
            if not each.waits_for_dependents:
                self.queue.add(each.uid)
        return DONE

    async def _orphan_dependents(self, node: Node) -> Result:
        if node.resource is None or not node.orphans_dependents:
            return DONE
        await asyncio.gather(*(self._release(each, node.uid) for each in list(node.dependents.values())))
        live = await self._get(node.resource, node.name, node.namespace)
        if live is not None and meta.uid(live) == node.uid:
            await self._remove_finalizer(node.resource, live, ORPHAN)
        return DONE

    async def _release(self, dependent: Node, owner_uid: str) -> None:
        resource = dependent.resource or self._resource(dependent.api_version, dependent.kind)
        live = await self._get(resource, dependent.name, dependent.namespace)
        if live is not None and meta.uid(live) == dependent.uid:
            await self._remove_owners(resource, live, {owner_uid})

    # Writes.

    async def _remove_owners(self, resource: ResourceId, live: Object, uids: set[str]) -> None:
        kept = [each for each in meta.owner_references(live) if each["uid"] not in uids]
        if len(kept) < len(meta.owner_references(live)):
            await self._patch_metadata(resource, live, {"ownerReferences": kept or None})

    async def _unblock(self, resource: ResourceId, live: Object) -> Object:
        references = [{**each, "blockOwnerDeletion": False} for each in meta.owner_references(live)]
        return await self._patch_metadata(resource, live, {"ownerReferences": references}) or live

    async def _remove_finalizer(self, resource: ResourceId, live: Object, finalizer: str) -> None:
        kept = [each for each in meta.finalizers(live) if each != finalizer]
        if len(kept) < len(meta.finalizers(live)):
            await self._patch_metadata(resource, live, {"finalizers": kept or None})

    async def _patch_metadata(self, resource: ResourceId, live: Object, change: Object) -> Object | None:
        """Merge patches replace lists whole, so the version guards against a change in between."""
        identity = {"uid": meta.uid(live), "resourceVersion": meta.resource_version(live)}
        patch = {"metadata": {**identity, **change}}
        try:
            return await self._client.patch(resource, meta.name(live), patch, meta.namespace(live), patch_type=MERGE_PATCH)
        except NotFound:
            return None

    async def _get(self, resource: ResourceId, name: str, namespace: str) -> Object | None:
        try:
            return await self._client.get(resource, name, namespace if resource.namespaced else "")
        except NotFound:
            return None

    def _resource(self, api_version: str, kind: str) -> ResourceId:
        resource = self.kinds.resource(api_version, kind)
        if resource is None:
            raise UnknownKind(f"no resource is served for {api_version} {kind}")
        return resource
