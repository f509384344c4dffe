"""Rolls a Deployment's template out: picks or creates the new ReplicaSet, resizes it and the old ones step by step, tells how it goes.

One reconciliation makes one step; the ReplicaSets' status brings the next. Resizes carry the ReplicaSet's resource version, so a step
that was planned on stale counts is refused and planned again.
"""

from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, NotFound
from proa.api.kinds import DEPLOYMENTS, PODS, REPLICA_SETS
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.deployment import arithmetic as count
from proa.controllers.deployment import revisions, scaling, status
from proa.controllers.ownership import Claims, owner_key
from proa.controllers.pod_control import namespace_terminating
from proa.lib.dataclass import dataclass
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    reconciler = DeploymentReconciler(context)
    return context.controller(reconciler, reconciler.queue)


class _Retry(Exception):
    """The world moved; reconcile again."""


@dataclass(slots=True)
class _Rollout:
    """One reconciliation's view, which its own writes keep up to date."""

    deployment: Object
    new: Object | None
    old: list[Object]

    @property
    def all(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new is not None else [])]

    def replace(self, changed: Object) -> None:
        if self.new is not None and meta.uid(self.new) == meta.uid(changed):
            self.new = changed
        self.old = [changed if meta.uid(each) == meta.uid(changed) else each for each in self.old]


class DeploymentReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._recorder = context.client, context.clock, context.recorder
        self.queue = context.queue()
        self._deployments = context.informers.informer(DEPLOYMENTS)
        self._replica_sets = context.informers.informer(REPLICA_SETS, indexers={"controller": pods.by_controller})
        self._pods = context.informers.informer(PODS, indexers={"controller": pods.by_controller})
        enqueue = Handlers(add=self._enqueue, update=lambda old, new: self._enqueue(new), delete=self._enqueue)
        self._deployments.add_handlers(enqueue)
        self._replica_sets.add_handlers(
            Handlers(add=self._replica_set_changed, update=self._replica_set_updated, delete=self._replica_set_changed)
        )
        self._pods.add_handlers(Handlers(delete=self._pod_deleted))

    async def reconcile(self, key: str) -> Result:
        deployment = self._deployments.lister.get(key)
        if deployment is None:
            return DONE
        if deployment["spec"]["selector"] in ({}, None):
            return await self._refuse_empty_selector(deployment)
        owned = await self._owned_replica_sets(deployment)
        new = revisions.find_new(deployment, owned)
        rollout = _Rollout(deployment, new, [each for each in owned if new is None or meta.uid(each) != meta.uid(new)])
        if meta.is_terminating(deployment):
            return await self._write_counted_status(rollout)
        await self._note_pause(rollout)
        if deployment["spec"].get("paused") or scaling.needs_scaling(deployment, owned):
            return await self._scale(rollout)
        step = self._roll if count.is_rolling(deployment) else self._recreate
        return await step(rollout)

    # The steps.

    async def _roll(self, rollout: _Rollout) -> Result:
        new = await self._ensure_new(rollout)
        steps = scaling.resize_new(rollout.deployment, new, rollout.old) or scaling.shrink_old(rollout.deployment, new, rollout.old)
        if not await self._resize_all(rollout, steps):
            await self._clean_up(rollout)
        return await self._write_rollout_status(rollout)

    async def _recreate(self, rollout: _Rollout) -> Result:
        if rollout.new is not None:
            await self._ensure_new(rollout)
        if await self._resize_all(rollout, scaling.drop_old(rollout.old)) or self._old_pods_run(rollout):
            return await self._write_rollout_status(rollout)
        new = await self._ensure_new(rollout)
        if not await self._resize_all(rollout, scaling.resize_new(rollout.deployment, new, rollout.old)):
            await self._clean_up(rollout)
        return await self._write_rollout_status(rollout)

    async def _scale(self, rollout: _Rollout) -> Result:
        """Follow spec.replicas without creating a revision: while paused, and before a rollout goes on."""
        if rollout.new is not None:
            await self._ensure_new(rollout)
        for step in scaling.scale(rollout.deployment, rollout.new, rollout.old):
            await self._resize(rollout, step)
        if rollout.deployment["spec"].get("paused"):
            await self._clean_up(rollout, whatever=True)
        return await self._write_counted_status(rollout)

    def _old_pods_run(self, rollout: _Rollout) -> bool:
        if count.total_status(rollout.old, "replicas"):
            return True
        owned = [pod for each in rollout.old for pod in self._pods.lister.by_index("controller", meta.uid(each))]
        return any(not pods.is_finished(pod) for pod in owned)

    # The new ReplicaSet.

    async def _ensure_new(self, rollout: _Rollout) -> Object:
        number = revisions.next_revision(rollout.old)
        created = rollout.new is None
        if rollout.new is None:
            rollout.new = await self._create_new(rollout, number)
        else:
            rollout.new = await self._update_new(rollout.deployment, rollout.new, number)
        await self._note_revision(rollout, created)
        return rollout.new

    async def _update_new(self, deployment: Object, new: Object, number: int) -> Object:
        changes = revisions.annotation_changes(deployment, new, number)
        min_ready = deployment["spec"].get("minReadySeconds") or 0
        if not changes and min_ready == (new["spec"].get("minReadySeconds") or 0):
            return new
        metadata = {"annotations": changes, "resourceVersion": meta.resource_version(new)}
        patch = {"metadata": metadata, "spec": {"minReadySeconds": min_ready}}
        return await self._client.patch(REPLICA_SETS, meta.name(new), patch, meta.namespace(new))

    async def _create_new(self, rollout: _Rollout, number: int) -> Object:
        deployment = rollout.deployment
        wanted = revisions.new_replica_set(deployment, number, count.new_size(deployment, rollout.old, 0))
        name = meta.name(wanted)
        try:
            created = await self._client.create(REPLICA_SETS, wanted)
        except AlreadyExists:
            return await self._resolve_collision(rollout, wanted)
        except ApiError as error:
            if not namespace_terminating(error):
                await self._tell_failure(rollout, name, error)
            raise
        if replicas := count.size(created):
            self._recorder.event(deployment, "Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {replicas}")
        return created

    async def _resolve_collision(self, rollout: _Rollout, wanted: Object) -> Object:
        """Ours, not seen in the cache yet; or another template with the same hash: count on, so that the next hash differs."""
        deployment = rollout.deployment
        found = await self._client.get(REPLICA_SETS, meta.name(wanted), meta.namespace(wanted))
        controller = meta.controller_of(found) or {}
        if controller.get("uid") == meta.uid(deployment) and revisions.same_template(
            found["spec"]["template"], deployment["spec"]["template"]
        ):
            return found
        collisions = int(deployment.get("status", {}).get("collisionCount") or 0) + 1
        await self._write_status(deployment, {**deployment.get("status", {}), "collisionCount": collisions})
        raise _Retry(f"the hash of {meta.name(wanted)} is taken")

    async def _tell_failure(self, rollout: _Rollout, name: str, error: ApiError) -> None:
        deployment = rollout.deployment
        message = f'Failed to create new replica set "{name}": {error.message}'
        self._recorder.event(deployment, "Warning", "ReplicaSetCreateError", message)
        if status.has_deadline(deployment):
            told = status.condition("Progressing", "False", "ReplicaSetCreateError", message, self._clock.now())
            await self._write_status(deployment, status.with_condition(deployment.get("status", {}), told))

    async def _note_revision(self, rollout: _Rollout, created: bool) -> None:
        """The Deployment carries its new ReplicaSet's revision, and says that there is one."""
        deployment, new = rollout.deployment, rollout.new
        number = meta.annotations(new or {}).get(revisions.REVISION, "")
        if number and meta.annotations(deployment).get(revisions.REVISION) != number:
            annotations = {**meta.annotations(deployment), revisions.REVISION: number}
            noted = {**deployment, "metadata": {**deployment["metadata"], "annotations": annotations}}
            written = await self._client.update(DEPLOYMENTS, noted)
            rollout.deployment = deployment = {**deployment, "metadata": written["metadata"]}
        if not status.has_deadline(deployment) or not (created or meta.condition(deployment, "Progressing") is None):
            return
        name = meta.name(new or {})
        reason, said = ("NewReplicaSetCreated", "Created new") if created else ("FoundNewReplicaSet", "Found new")
        told = status.condition("Progressing", "True", reason, f'{said} replica set "{name}"', self._clock.now())
        rollout.deployment = {**deployment, "status": status.with_condition(deployment.get("status", {}), told)}

    # Writes.

    async def _resize_all(self, rollout: _Rollout, steps: Sequence[scaling.Resize]) -> bool:
        for step in steps:
            await self._resize(rollout, step)
        return bool(steps)

    async def _resize(self, rollout: _Rollout, step: scaling.Resize) -> None:
        deployment, replica_set, before = rollout.deployment, step.replica_set, count.size(step.replica_set)
        annotations = revisions.replica_annotations(deployment)
        if before == step.replicas and annotations.items() <= meta.annotations(replica_set).items():
            return
        metadata = {"annotations": annotations, "resourceVersion": meta.resource_version(replica_set)}
        patch = {"metadata": metadata, "spec": {"replicas": step.replicas}}
        name = meta.name(replica_set)
        rollout.replace(await self._client.patch(REPLICA_SETS, name, patch, meta.namespace(replica_set)))
        if before != step.replicas:
            way = "up" if step.replicas > before else "down"
            message = f"Scaled {way} replica set {name} from {before} to {step.replicas}"
            self._recorder.event(deployment, "Normal", "ScalingReplicaSet", message)

    async def _clean_up(self, rollout: _Rollout, *, whatever: bool = False) -> None:
        counted = status.counted_status(rollout.deployment, rollout.new, rollout.all, self._clock.now())
        if not whatever and not status.is_complete(rollout.deployment, counted):
            return
        for each in revisions.to_clean_up(rollout.deployment, rollout.old):
            try:
                await self._client.delete(REPLICA_SETS, meta.name(each), meta.namespace(each))
            except NotFound:
                continue

    async def _note_pause(self, rollout: _Rollout) -> None:
        deployment = rollout.deployment
        if told := status.paused_condition(deployment, self._clock.now()):
            changed = status.with_condition(deployment.get("status", {}), told)
            rollout.deployment = await self._write_status(deployment, changed)

    async def _write_rollout_status(self, rollout: _Rollout) -> Result:
        now = self._clock.now()
        wanted = status.rollout_status(rollout.deployment, rollout.new, rollout.all, now)
        rollout.deployment = await self._write_status(rollout.deployment, wanted)
        return Result(status.seconds_until_deadline(rollout.deployment, wanted, now))

    async def _write_counted_status(self, rollout: _Rollout) -> Result:
        wanted = status.counted_status(rollout.deployment, rollout.new, rollout.all, self._clock.now())
        await self._write_status(rollout.deployment, wanted)
        return DONE

    async def _write_status(self, deployment: Object, wanted: Object) -> Object:
        known = self._deployments.lister.get(meta.key(deployment))
        if known is not None and known.get("status", {}) == wanted:
            return deployment
        return await self._client.update(DEPLOYMENTS, {**deployment, "status": wanted}, subresource="status")

    async def _refuse_empty_selector(self, deployment: Object) -> Result:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        self._recorder.event(deployment, "Warning", "SelectingAll", message)
        observed = {**deployment.get("status", {}), "observedGeneration": deployment["metadata"].get("generation", 0)}
        await self._write_status(deployment, observed)
        return DONE

    # What wakes it.

    async def _owned_replica_sets(self, deployment: Object) -> list[Object]:
        lister = self._replica_sets.lister
        candidates = [*lister.by_index("controller", meta.uid(deployment))]
        candidates += lister.by_index("controller", f"orphan/{meta.namespace(deployment)}")
        selector = selector_from_object(deployment["spec"]["selector"])
        return await Claims(self._client, DEPLOYMENTS, deployment, REPLICA_SETS, selector).claim(candidates)

    def _enqueue(self, deployment: Object) -> None:
        self.queue.add(meta.key(deployment))

    def _replica_set_changed(self, replica_set: Object) -> None:
        if key := owner_key(replica_set, "Deployment"):
            self.queue.add(key)
        elif meta.controller_of(replica_set) is None:
            for deployment in self._deployments.lister.list(meta.namespace(replica_set)):
                if selector_from_object(deployment["spec"]["selector"]).matches(meta.labels(replica_set)):
                    self._enqueue(deployment)

    def _replica_set_updated(self, old: Object, new: Object) -> None:
        before = owner_key(old, "Deployment")
        if before and before != owner_key(new, "Deployment"):
            self.queue.add(before)
        self._replica_set_changed(new)

    def _pod_deleted(self, pod: Object) -> None:
        """Recreate waits for the last old pod."""
        owner = owner_key(pod, "ReplicaSet")
        replica_set = self._replica_sets.lister.get(owner) if owner else None
        key = owner_key(replica_set, "Deployment") if replica_set else None
        deployment = self._deployments.lister.get(key) if key else None
        if deployment is not None and not count.is_rolling(deployment):
            self._enqueue(deployment)
