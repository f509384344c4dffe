"""Keeps as many pods as a ReplicaSet or a ReplicationController asks for: adopts, creates, deletes, and tells what there is in the status.

The two kinds differ in their selectors and in what their status can tell, and in nothing else (`replica_kind`): a ReplicationController is
worked on as it is stored, by the same code.
"""

import asyncio

from proa.api import meta
from proa.api.errors import ApiError, NotFound
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.ownership import Claims, owner_key
from proa.controllers.pod_control import PodControl, namespace_terminating, slow_start
from proa.controllers.replica_set.plan import (
    Scaling,
    build_status,
    desired_replicas,
    plan_scaling,
    pod_from_template,
    seconds_until_next_available,
)
from proa.controllers.replica_set.replica_kind import REPLICA_SET, REPLICATION_CONTROLLER, ReplicaKind
from proa.runtime.controller import Controller
from proa.runtime.expectations import Expectations
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    return _build(context, REPLICA_SET)


def build_replication(context: ControllerContext) -> Controller:
    return _build(context, REPLICATION_CONTROLLER)


def _build(context: ControllerContext, kind: ReplicaKind) -> Controller:
    reconciler = ReplicaSetReconciler(context, kind)
    return context.controller(reconciler, reconciler.queue)


class ReplicaSetReconciler:
    def __init__(self, context: ControllerContext, kind: ReplicaKind) -> None:
        self._kind = kind
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._expectations = Expectations(context.clock)
        self._pod_control = PodControl(context.client, context.recorder)
        self._replica_sets = context.informers.informer(kind.resource, indexers={"controller": pods.by_controller})
        self._pods = context.informers.informer(PODS, indexers={"controller": pods.by_controller})
        self._replica_sets.add_handlers(
            Handlers(
                add=lambda new: self.queue.add(meta.key(new)),
                update=lambda old, new: self.queue.add(meta.key(new)),
                delete=self._replica_set_deleted,
            )
        )
        self._pods.add_handlers(Handlers(add=self._pod_added, update=self._pod_updated, delete=self._pod_deleted))

    async def reconcile(self, key: str) -> Result:
        replica_set = self._replica_sets.lister.get(key)
        if replica_set is None:
            self._expectations.forget(key)
            return DONE
        may_scale = self._expectations.satisfied(key)
        owned = await self._owned_pods(replica_set)
        active = [pod for pod in owned if pods.is_active(pod)]
        failure: Exception | None = None
        if may_scale and not meta.is_terminating(replica_set):
            failure = await self._scale(key, replica_set, active)
        now = self._clock.now()
        terminating = sum(meta.is_terminating(pod) and not pods.is_finished(pod) for pod in owned)
        difference = len(active) - desired_replicas(replica_set)
        status = build_status(replica_set, active, _told(failure), difference, now)
        if self._kind.tells_terminating:
            status["terminatingReplicas"] = terminating
        await self._write_status(replica_set, status)
        if failure is not None:
            raise failure
        return Result(seconds_until_next_available(replica_set, active, now))

    async def _owned_pods(self, replica_set: Object) -> list[Object]:
        lister = self._pods.lister
        candidates = [*lister.by_index("controller", meta.uid(replica_set))]
        candidates += lister.by_index("controller", f"orphan/{meta.namespace(replica_set)}")
        selector = self._kind.selector(replica_set)
        return await Claims(self._client, self._kind.resource, replica_set, PODS, selector).claim(candidates, pods.is_active)

    async def _scale(self, key: str, replica_set: Object, active: list[Object]) -> Exception | None:
        plan = plan_scaling(replica_set, active, self._related_pods(replica_set, active), self._clock.now())
        if plan.create:
            return await self._create(key, replica_set, plan)
        if plan.delete:
            return await self._delete(key, replica_set, plan)
        return None

    def _related_pods(self, replica_set: Object, active: list[Object]) -> list[Object]:
        controller = meta.controller_of(replica_set)
        if controller is None:
            return active
        siblings = self._replica_sets.lister.by_index("controller", controller["uid"])
        return [pod for sibling in siblings for pod in self._pods.lister.by_index("controller", meta.uid(sibling))]

    async def _create(self, key: str, replica_set: Object, plan: Scaling) -> Exception | None:
        self._expectations.expect_creations(key, plan.create)
        pod = pod_from_template(replica_set)

        async def create() -> None:
            try:
                await self._pod_control.create(replica_set, pod)
            except ApiError as error:
                if not namespace_terminating(error):
                    raise
                self._expectations.creation_observed(key)

        succeeded, failure = await slow_start(plan.create, create)
        self._expectations.creation_observed(key, plan.create - succeeded)
        return failure

    async def _delete(self, key: str, replica_set: Object, plan: Scaling) -> Exception | None:
        self._expectations.expect_deletions(key, [meta.uid(pod) for pod in plan.delete])

        async def delete(pod: Object) -> None:
            try:
                await self._pod_control.delete(replica_set, pod)
            except NotFound:
                self._expectations.deletion_observed(key, meta.uid(pod))
            except (ApiError, OSError):
                self._expectations.deletion_observed(key, meta.uid(pod))
                raise

        outcomes = await asyncio.gather(*(delete(pod) for pod in plan.delete), return_exceptions=True)
        return next((each for each in outcomes if isinstance(each, Exception)), None)

    async def _write_status(self, replica_set: Object, status: Object) -> None:
        if status == replica_set.get("status"):
            return
        try:
            await self._client.update(self._kind.resource, {**replica_set, "status": status}, subresource="status")
        except NotFound:
            return

    def _replica_set_deleted(self, replica_set: Object) -> None:
        self._expectations.forget(meta.key(replica_set))
        self.queue.add(meta.key(replica_set))

    def _owner(self, pod: Object) -> str | None:
        """The key of the ReplicaSet that controls the pod, if it is the one we know."""
        key = owner_key(pod, self._kind.resource.kind)
        known = self._replica_sets.lister.get(key) if key else None
        controller = meta.controller_of(pod) or {}
        return key if known is not None and meta.uid(known) == controller["uid"] else None

    def _pod_added(self, pod: Object) -> None:
        if meta.is_terminating(pod):
            self._pod_deleted(pod)
        elif meta.controller_of(pod) is None:
            self._offer(pod)
        elif key := self._owner(pod):
            self._expectations.creation_observed(key)
            self.queue.add(key)

    def _pod_updated(self, old: Object, new: Object) -> None:
        if meta.is_terminating(new):
            self._pod_deleted(new)
            return
        before, now = self._owner(old), self._owner(new)
        for key in {before, now} - {None}:
            self.queue.add(str(key))
        if meta.controller_of(new) is None and (before or meta.labels(old) != meta.labels(new)):
            self._offer(new)

    def _pod_deleted(self, pod: Object) -> None:
        if key := self._owner(pod):
            self._expectations.deletion_observed(key, meta.uid(pod))
            self.queue.add(key)

    def _offer(self, pod: Object) -> None:
        """Wake those that may adopt it."""
        for replica_set in self._replica_sets.lister.list(meta.namespace(pod)):
            if self._kind.selector(replica_set).matches(meta.labels(pod)):
                self.queue.add(meta.key(replica_set))


def _told(failure: Exception | None) -> str:
    if failure is None:
        return ""
    return failure.message if isinstance(failure, ApiError) else str(failure)
