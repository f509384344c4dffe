"""Who owns whom, over all resources: fed by metadata events, it says what has to be looked at. No I/O.

Only what matters is kept: objects with owners, objects that are referenced as owners, objects in deletion that wait for their dependents.
An owner that is referenced before (or without) being seen is `virtual`: somebody has to ask the API whether it exists.
"""

from collections.abc import Iterable, Iterator
from dataclasses import field

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.lib.dataclass import dataclass

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class OwnerReference:
    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool


@dataclass(slots=True, eq=False)
class Node:
    """An object of the graph. `resource` is None while it is only known by reference."""

    uid: str
    namespace: str
    name: str
    api_version: str
    kind: str
    resource: ResourceId | None = None
    owners: tuple[OwnerReference, ...] = ()
    dependents: dict[str, "Node"] = field(default_factory=dict)
    being_deleted: bool = False
    waits_for_dependents: bool = False
    orphans_dependents: bool = False

    @property
    def virtual(self) -> bool:
        return self.resource is None

    def blocking_dependents(self) -> list["Node"]:
        return [each for each in self.dependents.values() if any(owner.uid == self.uid and owner.blocks for owner in each.owners)]


@dataclass(slots=True)
class ToDo:
    """UIDs that may have to be deleted, and owners whose dependents are to be orphaned."""

    delete: list[str] = field(default_factory=list)
    orphan: list[str] = field(default_factory=list)


def owners_of(obj: Object) -> tuple[OwnerReference, ...]:
    return tuple(
        OwnerReference(each["apiVersion"], each["kind"], each["name"], each["uid"], bool(each.get("blockOwnerDeletion")))
        for each in meta.owner_references(obj)
    )


class Graph:
    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._by_resource: dict[ResourceId, set[str]] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def of_resource(self, resource: ResourceId) -> Iterable[str]:
        return list(self._by_resource.get(resource, ()))

    def observe(self, resource: ResourceId, obj: Object) -> ToDo:
        """An object was added or changed."""
        owners, uid = owners_of(obj), meta.uid(obj)
        node, todo = self._nodes.get(uid), ToDo()
        if node is None:
            if not owners and not meta.is_terminating(obj):
                return todo
            node = self._nodes[uid] = Node(uid, "", "", "", "")
        if node.virtual or (node.namespace, node.name) != (meta.namespace(obj), meta.name(obj)):
            self._identify(node, resource, obj)
            todo.delete += [each.uid for each in node.dependents.values() if not _refers(each, node)]
        self._set_owners(node, owners, todo)
        self._set_deletion(node, obj, todo)
        return todo

    def remove(self, uid: str) -> ToDo:
        """An object is gone: its dependents may have to follow, its owners may have waited for it."""
        node, todo = self._nodes.pop(uid, None), ToDo()
        if node is None:
            return todo
        if node.resource is not None:
            self._by_resource[node.resource].discard(uid)
        for owner in node.owners:
            known = self._nodes.get(owner.uid)
            if known is not None:
                known.dependents.pop(uid, None)
                todo.delete += [known.uid] if known.waits_for_dependents else []
                self._drop_if_idle(known)
        todo.delete += list(node.dependents)
        return todo

    def _identify(self, node: Node, resource: ResourceId, obj: Object) -> None:
        node.resource, node.namespace, node.name = resource, meta.namespace(obj), meta.name(obj)
        node.api_version, node.kind = resource.api_version, resource.kind
        self._by_resource.setdefault(resource, set()).add(node.uid)

    def _set_owners(self, node: Node, owners: tuple[OwnerReference, ...], todo: ToDo) -> None:
        before, node.owners = {each.uid: each for each in node.owners}, owners
        now = {each.uid: each for each in owners}
        for uid in before.keys() - now.keys():
            self._unlink(node, uid, todo)
        for uid, owner in now.items():
            if uid not in before:
                self._link(node, owner, todo)
            elif before[uid].blocks and not owner.blocks and (known := self._nodes.get(uid)) and known.waits_for_dependents:
                todo.delete.append(uid)

    def _link(self, node: Node, owner: OwnerReference, todo: ToDo) -> None:
        known = self._nodes.get(owner.uid)
        if known is None:
            known = self._nodes[owner.uid] = Node(owner.uid, node.namespace, owner.name, owner.api_version, owner.kind)
            todo.delete.append(owner.uid)
        elif not known.virtual and not _matches(known, owner, node.namespace):
            todo.delete.append(node.uid)
        known.dependents[node.uid] = node
        if known.waits_for_dependents:
            todo.delete.append(node.uid)

    def _unlink(self, node: Node, owner_uid: str, todo: ToDo) -> None:
        known = self._nodes.get(owner_uid)
        if known is not None:
            known.dependents.pop(node.uid, None)
            todo.delete += [owner_uid] if known.waits_for_dependents else []
            self._drop_if_idle(known)

    def _set_deletion(self, node: Node, obj: Object, todo: ToDo) -> None:
        node.being_deleted = meta.is_terminating(obj)
        waits = node.being_deleted and FOREGROUND in meta.finalizers(obj)
        orphans = node.being_deleted and ORPHAN in meta.finalizers(obj)
        if waits and not node.waits_for_dependents:
            todo.delete += [*node.dependents, node.uid]
        if orphans and not node.orphans_dependents:
            todo.orphan.append(node.uid)
        node.waits_for_dependents, node.orphans_dependents = waits, orphans

    def _drop_if_idle(self, node: Node) -> None:
        if not node.dependents and not node.owners and not node.being_deleted:
            self._nodes.pop(node.uid, None)
            if node.resource is not None:
                self._by_resource[node.resource].discard(node.uid)


def _refers(dependent: Node, owner: Node) -> bool:
    return any(each.uid == owner.uid and _matches(owner, each, dependent.namespace) for each in dependent.owners)


def _matches(owner: Node, reference: OwnerReference, namespace: str) -> bool:
    """Whether the reference means that object: kind, name, and a namespaced owner only from within its namespace."""
    same = (owner.kind, owner.name) == (reference.kind, reference.name)
    return same and (not owner.namespace or owner.namespace == namespace)
