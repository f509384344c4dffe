"""Keeps the status of every ResourceQuota: its limits as taken note of, and what the objects of its namespace really use of them.

Admission charges quotas when something is created; here they are counted anew when their limits change, when something that they count
goes or finishes, and every few minutes, as a request may have failed after it was charged. What a quota counts by `count/...` may be of
any kind: such kinds are watched, by metadata alone, once a quota names them.
"""

from collections.abc import Iterable, Mapping

from proa.api import kinds, meta
from proa.api.errors import Conflict, NotFound
from proa.api.kinds import PODS, RESOURCE_QUOTAS
from proa.api.meta import Object
from proa.api.pod_resources import Amounts
from proa.api.quantity import ZERO, canonical_text
from proa.api.quota.scopes import attributes_classes, counts
from proa.api.quota.usage import count_name, names_for, usage_of
from proa.api.resource import ResourceId
from proa.client.discovery import discover
from proa.client.interface import Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.lib.clock import Clock
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

RESYNC_SECONDS = 300.0
RETRY_SECONDS = 0.5
_FULL = (kinds.SERVICES, kinds.PERSISTENT_VOLUME_CLAIMS, kinds.RESOURCE_CLAIMS)
"""Whose use depends on more than that they are there; pods are read anew each time, as no cache holds all of them."""
_CORE = {
    each.plural: each
    for each in (
        kinds.CONFIG_MAPS, kinds.PERSISTENT_VOLUME_CLAIMS, kinds.REPLICATION_CONTROLLERS, RESOURCE_QUOTAS, kinds.SECRETS, kinds.SERVICES,
    )
}  # fmt: skip


def build(context: ControllerContext) -> Controller:
    reconciler = ResourceQuotaReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def count(quota: Object, objects: Mapping[ResourceId, Iterable[Object]], clock: Clock) -> Amounts:
    """What the objects use of the quota's limits; zero for limits that these kinds answer for and nobody uses."""
    used: Amounts = {}
    hard, now = _hard(quota), clock.now()
    for resource, found in objects.items():
        kind = resource.group, resource.plural
        names = names_for(kind, hard)
        used |= {name: used.get(name, ZERO) for name in names}
        for obj in found:
            if counts(quota, kind, obj, hard):
                own = usage_of(kind, obj, now)
                used |= {name: used[name] + own[name] for name in names & own.keys()}
    return used


def _hard(quota: Object) -> dict[str, str]:
    return (quota.get("spec") or {}).get("hard") or {}


class ResourceQuotaReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._informers = context.client, context.clock, context.informers
        self.queue = context.queue()
        self._resources: dict[str, ResourceId] = {}
        self._watched: set[ResourceId] = set()
        self._quotas = context.informers.informer(RESOURCE_QUOTAS)
        self._quotas.add_handlers(Handlers(add=self._enqueue, update=self._quota_changed))
        context.informers.informer(PODS).add_handlers(Handlers(update=self._pod_changed, delete=self._gone))
        for resource in _FULL:
            context.informers.informer(resource).add_handlers(Handlers(update=self._changed, delete=self._gone))

    async def reconcile(self, key: str) -> Result:
        quota = self._quotas.lister.get(key)
        if quota is None:
            return DONE
        try:
            await self._tell(quota, await self._count(quota))
        except Conflict:
            return Result(RETRY_SECONDS)
        except NotFound:
            return DONE
        return Result(RESYNC_SECONDS)

    async def _count(self, quota: Object) -> Amounts:
        namespace = meta.namespace(quota)
        objects: dict[ResourceId, Iterable[Object]] = {}
        for resource in await self._counted(_hard(quota)):
            objects[resource] = await self._objects(resource, namespace)
        return count(quota, objects, self._clock)

    async def _objects(self, resource: ResourceId, namespace: str) -> Iterable[Object]:
        if resource == PODS:
            return (await self._client.list(PODS, namespace)).items
        if resource in _FULL:
            return self._informers.informer(resource).lister.list(namespace)
        return (await self._client.list(resource, namespace, metadata_only=True)).items

    async def _counted(self, hard: Iterable[str]) -> list[ResourceId]:
        """The kinds that the quota's names are about; names of kinds that nobody serves count nothing."""
        names = list(hard)
        found = [each for each in (PODS, kinds.RESOURCE_CLAIMS, *_CORE.values()) if names_for((each.group, each.plural), names)]
        others = [
            name for name in names if name.startswith("count/") and name not in {count_name(each.group, each.plural) for each in found}
        ]
        if any(name not in self._resources for name in others):
            await self._look_up()
        found += [self._resources[name] for name in others if name in self._resources]
        await self._watch(each for each in found if each != PODS and each not in _FULL)
        return found

    async def _look_up(self) -> None:
        served = await discover(self._client)
        self._resources |= {count_name(each.group, each.plural): each for each in served.with_verbs("list", "watch") if each.namespaced}

    async def _watch(self, resources: Iterable[ResourceId]) -> None:
        new = [each for each in resources if each not in self._watched]
        for resource in new:
            self._watched.add(resource)
            self._informers.informer(resource, metadata_only=True).add_handlers(Handlers(delete=self._gone))
        if new:
            await self._informers.start()

    async def _tell(self, quota: Object, used: Amounts) -> None:
        status = {"hard": {name: canonical_text(amount) for name, amount in _hard(quota).items()}, "used": _texts(used)}
        old = quota.get("status") or {}
        if (old.get("hard") or {}, old.get("used") or {}) != (status["hard"], status["used"]):
            await self._client.update(RESOURCE_QUOTAS, {**quota, "status": status}, subresource="status")

    def _enqueue(self, quota: Object) -> None:
        self.queue.add(meta.key(quota))

    def _quota_changed(self, old: Object, new: Object) -> None:
        if old.get("spec") != new.get("spec"):
            self._enqueue(new)

    def _pod_changed(self, old: Object, new: Object) -> None:
        if (pods.is_finished(new) and not pods.is_finished(old)) or _asks(new) != _asks(old):
            self._gone(new)

    def _changed(self, old: Object, new: Object) -> None:
        if old.get("spec") != new.get("spec") or _of_volume(old) != _of_volume(new):
            self._gone(new)

    def _gone(self, obj: Object) -> None:
        for quota in self._quotas.lister.list(meta.namespace(obj)):
            self._enqueue(quota)


def _asks(pod: Object) -> list[Object | None]:
    """What a resize changes."""
    spec = pod.get("spec") or {}
    return [each.get("resources") for field in ("containers", "initContainers") for each in spec.get(field) or ()] + [spec.get("resources")]


def _of_volume(claim: Object) -> tuple[object, set[str]]:
    """What a claim's status says of its use."""
    return (claim.get("status") or {}).get("allocatedResources"), attributes_classes(claim)


def _texts(used: Amounts) -> dict[str, str]:
    return {name: str(amount) for name, amount in sorted(used.items())}
