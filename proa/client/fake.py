"""A `Client` over objects in memory, for tests of everything that talks to the API.

It keeps what loops depend on: resource versions and conflicts, generation, watches from a version, selectors, the status subresource,
merge patches, binding, eviction, finalizers with deletion timestamps and discovery. It does not default or validate, and a strategic
merge patch merges lists only where the key is obvious (name, type, uid, ip, key). Every write is in `actions`, in order.
"""

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import orjson

from proa.api import errors, kinds, meta
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.fake_patch import json_patched, merged
from proa.client.fake_rules import discovery_document, grace_period, is_graceful, presented, selection
from proa.client.interface import JSON_PATCH, MERGE_PATCH, ObjectList, WatchEvent
from proa.lib.clock import Clock, SystemClock, format_time
from proa.lib.dataclass import dataclass

BUILT_IN: tuple[ResourceId, ...] = tuple(value for value in vars(kinds).values() if isinstance(value, ResourceId))
_WITHOUT_GENERATION = {"configmaps", "secrets", "events", "endpoints", "serviceaccounts", "nodes", "namespaces", "leases"}


@dataclass(frozen=True, slots=True)
class Action:
    """One write. `body` is the object or the patch as it was given."""

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str = ""
    body: Any = None


@dataclass(frozen=True, slots=True)
class _Change:
    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Object
    previous: Object | None


Reaction = Callable[[Action], None]


class FakeClient:
    """`FakeClient(pod, node, clock=virtual_clock)`; `react` makes verbs fail, `disconnect` breaks watches, `compact` forgets history."""

    def __init__(self, *objects: Object, clock: Clock | None = None, resources: tuple[ResourceId, ...] = ()) -> None:
        self.clock: Clock = clock or SystemClock()
        self.actions: list[Action] = []
        self.resources = BUILT_IN + resources
        self._objects: dict[tuple[str, str], dict[str, Object]] = {}
        self._history: dict[tuple[str, str], list[_Change]] = {}
        self._revision = 0
        self._oldest = 0
        self._uids = itertools.count(1)
        self._changed = asyncio.Event()
        self._connection = 0
        self._reactions: list[tuple[str, str, Reaction]] = []
        for obj in objects:
            self.add(obj)

    # What tests do beside the API.

    def add(self, obj: Object) -> Object:
        """Put an object in as it is (status included), as if by somebody else; nothing is logged."""
        return self._store(self._resource_of(obj), self._complete(copy.deepcopy(obj)), "ADDED", None)

    def modify(self, obj: Object) -> Object:
        """Replace an object as it is, status included; nothing is logged."""
        resource = self._resource_of(obj)
        old = self._find(resource, meta.name(obj), meta.namespace(obj))
        merged = copy.deepcopy(obj)
        merged["metadata"] = {**old["metadata"], **merged["metadata"]}
        return self._store(resource, merged, "MODIFIED", old)

    def remove(self, obj: Object) -> None:
        """Take an object away at once, whatever its finalizers; nothing is logged."""
        resource = self._resource_of(obj)
        self._drop(resource, self._find(resource, meta.name(obj), meta.namespace(obj)))

    def objects(self, resource: ResourceId) -> list[Object]:
        """Copies of all objects of a resource, in key order."""
        return [copy.deepcopy(obj) for _, obj in sorted(self._table(resource).items())]

    def react(self, verb: str, plural: str, reaction: Reaction) -> None:
        """Call `reaction(action)` before each such request ("*" for any verb); it may raise an ApiError to make the request fail."""
        self._reactions.append((verb, plural, reaction))

    def disconnect(self) -> None:
        """End every open watch, as a broken connection does."""
        self._connection += 1
        self._wake()

    def compact(self) -> None:
        """Forget history: watches from before now raise Expired."""
        self._oldest = self._revision
        self._history.clear()

    # The verbs.

    async def get(self, resource: ResourceId, name: str, namespace: str = "", *, subresource: str = "") -> Object:
        self._reacted("get", resource, namespace, name, subresource)
        return copy.deepcopy(self._find(resource, name, namespace))

    async def list(
        self, resource: ResourceId, namespace: str = "", *, label_selector: str = "", field_selector: str = "",
        limit: int = 0, continue_token: str = "", resource_version: str = "", metadata_only: bool = False,
    ) -> ObjectList:  # fmt: skip
        self._reacted("list", resource, namespace, "", "")
        selected = selection(namespace, label_selector, field_selector)
        found = [obj for _, obj in sorted(self._table(resource).items()) if selected(obj)]
        start = int(continue_token or 0)
        page = found[start : start + limit] if limit else found
        more = str(start + limit) if limit and start + limit < len(found) else ""
        return ObjectList([presented(obj, metadata_only) for obj in page], str(self._revision), more)

    async def create(self, resource: ResourceId, obj: Object, *, name: str = "", namespace: str = "", subresource: str = "") -> Object:
        scope = namespace or meta.namespace(obj)
        action = Action("create", resource.plural, scope, name or meta.name(obj), subresource, copy.deepcopy(obj))
        self._write(action)
        if subresource:
            return self._create_subresource(resource, action)
        created = copy.deepcopy(obj)
        created.setdefault("apiVersion", resource.api_version)
        created.setdefault("kind", resource.kind)
        if resource.namespaced:
            meta.metadata(created)["namespace"] = scope
        self._complete(created)
        if resource.plural != "namespaces":
            created.pop("status", None)
        if meta.key(created) in self._table(resource):
            raise errors.AlreadyExists.of(resource.group, resource.plural, meta.name(created))
        return copy.deepcopy(self._store(resource, created, "ADDED", None))

    async def update(self, resource: ResourceId, obj: Object, *, subresource: str = "") -> Object:
        scope, name = meta.namespace(obj), meta.name(obj)
        self._write(Action("update", resource.plural, scope, name, subresource, copy.deepcopy(obj)))
        old = self._find(resource, name, scope)
        if meta.resource_version(obj) not in ("", meta.resource_version(old)):
            raise errors.Conflict.of(resource.group, resource.plural, name, errors.MODIFIED)
        return self._replace(resource, old, copy.deepcopy(obj), subresource)

    async def patch(
        self, resource: ResourceId, name: str, patch: Any, namespace: str = "", *, patch_type: str = MERGE_PATCH,
        subresource: str = "", field_manager: str = "", force: bool = False,
    ) -> Object:  # fmt: skip
        self._write(Action("patch", resource.plural, namespace, name, subresource, copy.deepcopy(patch)))
        old = self._find(resource, name, namespace)
        if patch_type == JSON_PATCH:
            patched = json_patched(copy.deepcopy(old), patch)
        else:
            patched = merged(copy.deepcopy(old), patch, lists=patch_type != MERGE_PATCH)
        if meta.uid(patched) != meta.uid(old) or meta.resource_version(patched) != meta.resource_version(old):
            raise errors.Conflict.of(resource.group, resource.plural, name, errors.MODIFIED)
        return self._replace(resource, old, patched, subresource)

    async def delete(
        self, resource: ResourceId, name: str, namespace: str = "", *, uid: str = "", resource_version: str = "",
        grace_period_seconds: int | None = None, propagation_policy: str = "",
    ) -> Object:  # fmt: skip
        options = {"gracePeriodSeconds": grace_period_seconds, "propagationPolicy": propagation_policy}
        body = {key: value for key, value in options.items() if value not in (None, "")} or None
        self._write(Action("delete", resource.plural, namespace, name, body=body))
        old = self._find(resource, name, namespace)
        if uid not in ("", meta.uid(old)) or resource_version not in ("", meta.resource_version(old)):
            raise errors.Conflict.of(resource.group, resource.plural, name, "the UID in the precondition does not match")
        return self._delete(resource, old, grace_period_seconds, propagation_policy)

    async def watch(
        self, resource: ResourceId, namespace: str = "", *, resource_version: str, label_selector: str = "", field_selector: str = "",
        timeout_seconds: int = 0, metadata_only: bool = False,
    ) -> AsyncIterator[WatchEvent]:  # fmt: skip
        self._reacted("watch", resource, namespace, "", "")
        selected = selection(namespace, label_selector, field_selector)
        seen, connection = int(resource_version or 0), self._connection
        if seen < self._oldest:
            raise errors.Expired(f"too old resource version: {seen} ({self._oldest})")
        while connection == self._connection:
            changed = self._changed
            for change in list(self._history.get(_table_key(resource), ())):
                event = _event(change, selected, metadata_only) if change.revision > seen else None
                seen = max(seen, change.revision)
                if event is not None:
                    yield event
            if changed is self._changed and connection == self._connection:
                await changed.wait()

    async def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: bytes = b"", headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        answer = (
            self._delete_collection(path) if method == "DELETE" else discovery_document(self.resources, path) or self._finalize(path, body)
        )
        if answer is None:
            return 404, {}, orjson.dumps(errors.NotFound("the server could not find the requested resource").to_status())
        return 200, {"content-type": "application/json"}, orjson.dumps(answer)

    async def close(self) -> None:
        self.disconnect()

    # How it is kept.

    def _write(self, action: Action) -> None:
        self.actions.append(action)
        self._run_reactions(action)

    def _reacted(self, verb: str, resource: ResourceId, namespace: str, name: str, subresource: str) -> None:
        self._run_reactions(Action(verb, resource.plural, namespace, name, subresource))

    def _run_reactions(self, action: Action) -> None:
        for verb, plural, reaction in list(self._reactions):
            if verb in ("*", action.verb) and plural == action.resource:
                reaction(action)

    def _table(self, resource: ResourceId) -> dict[str, Object]:
        return self._objects.setdefault(_table_key(resource), {})

    def _resource_of(self, obj: Object) -> ResourceId:
        for each in self.resources:
            if (each.api_version, each.kind) == (obj.get("apiVersion"), obj.get("kind")):
                return each
        raise KeyError(f"no resource for {obj.get('apiVersion')} {obj.get('kind')}")

    def _find(self, resource: ResourceId, name: str, namespace: str) -> Object:
        found = self._table(resource).get(f"{namespace}/{name}" if namespace and resource.namespaced else name)
        if found is None:
            raise errors.NotFound.of(resource.group, resource.plural, name)
        return found

    def _complete(self, obj: Object) -> Object:
        metadata = meta.metadata(obj)
        number = next(self._uids)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{number:05d}"
        metadata.setdefault("uid", f"uid-{number}")
        metadata.setdefault("creationTimestamp", format_time(self.clock.now()))
        if f"{obj.get('kind', '').lower()}s" not in _WITHOUT_GENERATION and "spec" in obj:
            metadata.setdefault("generation", 1)
        return obj

    def _store(self, resource: ResourceId, obj: Object, type_: Literal["ADDED", "MODIFIED", "DELETED"], old: Object | None) -> Object:
        self._revision += 1
        obj["metadata"]["resourceVersion"] = str(self._revision)
        if type_ == "DELETED":
            self._table(resource).pop(meta.key(obj), None)
        else:
            self._table(resource)[meta.key(obj)] = obj
        self._history.setdefault(_table_key(resource), []).append(_Change(self._revision, type_, obj, old))
        self._wake()
        return obj

    def _drop(self, resource: ResourceId, old: Object) -> Object:
        return copy.deepcopy(self._store(resource, copy.deepcopy(old), "DELETED", old))

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _replace(self, resource: ResourceId, old: Object, new: Object, subresource: str) -> Object:
        if subresource == "status":
            new = {**copy.deepcopy(old), "metadata": new["metadata"], "status": new.get("status", {})}
        elif "status" in old:
            new["status"] = copy.deepcopy(old["status"])
        else:
            new.pop("status", None)
        kept = ("uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
        new["metadata"] |= {key: old["metadata"][key] for key in kept if key in old["metadata"]}
        if new == old:
            return copy.deepcopy(old)
        if "generation" in old["metadata"] and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        if meta.is_terminating(new) and not meta.finalizers(new) and not is_graceful(resource, new):
            return self._drop(resource, new)
        return copy.deepcopy(self._store(resource, new, "MODIFIED", old))

    def _delete(self, resource: ResourceId, old: Object, grace: int | None, policy: str) -> Object:
        new = copy.deepcopy(old)
        added = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(policy)
        if added and added not in meta.finalizers(new):
            new["metadata"]["finalizers"] = [*meta.finalizers(new), added]
        if resource.plural == "namespaces":
            new.setdefault("status", {})["phase"] = "Terminating"
        seconds = grace_period(resource, new, grace)
        held = meta.finalizers(new) or seconds or new.get("spec", {}).get("finalizers")
        if not held:
            return self._drop(resource, old)
        new["metadata"].setdefault("deletionTimestamp", format_time(self.clock.now()))
        new["metadata"]["deletionGracePeriodSeconds"] = seconds
        return old if new == old else copy.deepcopy(self._store(resource, new, "MODIFIED", old))

    def _create_subresource(self, resource: ResourceId, action: Action) -> Object:
        old = self._find(resource, action.name, action.namespace)
        if action.subresource == "binding":
            if old.get("spec", {}).get("nodeName"):
                why = f'pod {action.name} is already assigned to node "{old["spec"]["nodeName"]}"'
                raise errors.Conflict.of("", "pods/binding", action.name, why)
            new = copy.deepcopy(old)
            new.setdefault("spec", {})["nodeName"] = action.body["target"]["name"]
            self._store(resource, new, "MODIFIED", old)
        elif action.subresource == "eviction":
            self._delete(resource, old, None, "")
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _finalize(self, path: str, body: bytes) -> Object | None:
        parts = path.strip("/").split("/")
        if parts[:3] != ["api", "v1", "namespaces"] or parts[-1] != "finalize" or len(parts) != 5:
            return None
        old = self._find(kinds.NAMESPACES, parts[3], "")
        new = {**copy.deepcopy(old), "spec": orjson.loads(body).get("spec", {})}
        if meta.is_terminating(new) and not new["spec"].get("finalizers"):
            return self._drop(kinds.NAMESPACES, old)
        return self._store(kinds.NAMESPACES, new, "MODIFIED", old)

    def _delete_collection(self, path: str) -> Object | None:
        """Of one namespace."""
        for resource in self.resources:
            prefix, _, suffix = path.rpartition("/namespaces/")
            namespace, _, plural = suffix.partition("/")
            if resource.namespaced and plural == resource.plural and prefix == resource.path().rpartition("/")[0]:
                self._write(Action("deletecollection", plural, namespace, ""))
                found = [obj for obj in self._table(resource).values() if meta.namespace(obj) == namespace]
                for obj in found:
                    self._delete(resource, obj, None, "")
                return {"kind": f"{resource.kind}List", "items": []}
        return None


def _table_key(resource: ResourceId) -> tuple[str, str]:
    return resource.group, resource.plural


def _event(change: _Change, selected: Callable[[Object], bool], metadata_only: bool) -> WatchEvent | None:
    now = change.type != "DELETED" and selected(change.object)
    before = change.previous is not None and selected(change.previous)
    if not now and not before:
        return None
    kind: Literal["ADDED", "MODIFIED", "DELETED"] = "DELETED" if not now else "MODIFIED" if before else "ADDED"
    return WatchEvent(kind, presented(change.object, metadata_only))
