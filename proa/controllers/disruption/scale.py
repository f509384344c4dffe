"""How many pods the controllers of some pods want together: of ReplicaSets, Deployments and ReplicationControllers from the caches, of any
other kind from its scale subresource.

A Deployment counts instead of its ReplicaSets, since during a rollout it has two of them. Each controller counts once.
"""

from collections.abc import Sequence

import orjson

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.discovery import discover
from proa.client.interface import Client
from proa.controllers.context import ControllerContext

Scale = tuple[str, int]
"""The UID of what wants the pods, and how many it wants."""


class NoScale(Exception):
    """It can't be said how many pods are wanted, in words for the budget's status."""


class Scales:
    def __init__(self, context: ControllerContext) -> None:
        self._client: Client = context.client
        self._replica_sets = context.informers.informer(REPLICA_SETS).lister
        self._deployments = context.informers.informer(DEPLOYMENTS).lister
        self._controllers = context.informers.informer(REPLICATION_CONTROLLERS).lister
        self._kinds: dict[tuple[str, str], ResourceId] = {}

    async def expected(self, selected: Sequence[Object]) -> tuple[int, list[str]]:
        """The sum, and the pods that nobody controls; raises NoScale, ApiError."""
        scales: dict[str, int] = {}
        seen: set[str] = set()
        unmanaged: list[str] = []
        for pod in selected:
            owner = meta.controller_of(pod)
            if owner is None:
                unmanaged.append(meta.name(pod))
            elif owner["uid"] not in seen:
                seen.add(owner["uid"])
                found = await self._find(owner, meta.namespace(pod))
                if found is None:
                    raise NoScale(f'found no controllers for pod "{meta.name(pod)}"')
                scales[found[0]] = found[1]
        return sum(scales.values()), unmanaged

    async def _find(self, owner: Object, namespace: str) -> Scale | None:
        group, kind, key = owner["apiVersion"].rpartition("/")[0], owner["kind"], f"{namespace}/{owner['name']}"
        if (group, kind) == ("apps", "ReplicaSet"):
            replica_set = _same(self._replica_sets.get(key), owner["uid"])
            above = meta.controller_of(replica_set) if replica_set else None
            if above is None or above["kind"] != "Deployment":
                return _wanted(replica_set)
            return _wanted(_same(self._deployments.get(f"{namespace}/{above['name']}"), above["uid"]))
        if (group, kind) == ("", "ReplicationController"):
            return _wanted(_same(self._controllers.get(key), owner["uid"]))
        return await self._subresource(group, kind, owner, namespace)

    async def _subresource(self, group: str, kind: str, owner: Object, namespace: str) -> Scale | None:
        resource = await self._resource(group, kind)
        if resource is None:
            raise NoScale(f'no matches for kind "{kind}" in version "{owner["apiVersion"]}"')
        try:
            scale = await self._client.get(resource, owner["name"], namespace, subresource="scale")
        except NotFound:
            if not await self._has_scale(resource):
                raise NoScale(f"{resource.group_resource} does not implement the scale subresource") from None
            return None
        return (owner["uid"], int(scale["spec"].get("replicas") or 0)) if meta.uid(scale) == owner["uid"] else None

    async def _resource(self, group: str, kind: str) -> ResourceId | None:
        if (group, kind) not in self._kinds:
            self._kinds = {(each.group, each.kind): each for each in (await discover(self._client)).resources}
        return self._kinds.get((group, kind))

    async def _has_scale(self, resource: ResourceId) -> bool:
        root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
        status, _, body = await self._client.request("GET", root, headers={"accept": "application/json"})
        listed = orjson.loads(body).get("resources") or () if status == 200 else ()
        return any(each["name"] == f"{resource.plural}/scale" for each in listed)


def _same(found: Object | None, uid: str) -> Object | None:
    return found if found is not None and meta.uid(found) == uid else None


def _wanted(controller: Object | None) -> Scale | None:
    if controller is None:
        return None
    replicas = controller["spec"].get("replicas")
    return meta.uid(controller), 1 if replicas is None else int(replicas)
