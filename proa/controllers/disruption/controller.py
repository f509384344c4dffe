"""Keeps the status of PodDisruptionBudgets, from which the API decides about evictions, and takes back a pod's DisruptionTarget condition
when nothing came of it.
"""

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.kinds import POD_DISRUPTION_BUDGETS, PODS
from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.client.interface import STRATEGIC_MERGE_PATCH, Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.disruption.budget import (
    build_status,
    described,
    disrupted,
    expectation,
    failed_status,
    healthy,
    needs_scale,
    stale_after,
)
from proa.controllers.disruption.scale import NoScale, Scales
from proa.lib.clock import format_time
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

POD = "pod:"
"""Keys of pods whose disruption may have come to nothing; all others are budgets."""


def build(context: ControllerContext) -> Controller:
    reconciler = DisruptionReconciler(context)
    return context.controller(reconciler, reconciler.queue)


class DisruptionReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._recorder = context.client, context.clock, context.recorder
        self.queue = context.queue()
        self._scales = Scales(context)
        self._budgets = context.informers.informer(POD_DISRUPTION_BUDGETS)
        self._pods = context.informers.informer(PODS)
        self._budgets.add_handlers(Handlers(add=self._budget, update=lambda old, new: self._budget(new)))
        self._pods.add_handlers(Handlers(add=self._pod, update=self._pod_updated, delete=self._pod))

    async def reconcile(self, key: str) -> Result:
        if key.startswith(POD):
            return await self._reconcile_pod(key.removeprefix(POD))
        budget = self._budgets.lister.get(key)
        if budget is None:
            return DONE
        try:
            return await self._reconcile_budget(budget)
        except (NoScale, ApiError) as error:
            if isinstance(error, Conflict | NotFound):
                raise
            await self._write(budget, failed_status(budget, str(error), self._clock.now()))
            raise

    async def _reconcile_budget(self, budget: Object) -> Result:
        selector, now = _selector(budget), self._clock.now()
        selected = [pod for pod in self._pods.lister.list(meta.namespace(budget)) if selector.matches(meta.labels(pod))]
        if not selected:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        scale = await self._scale(budget, selected) if needs_scale(budget) else 0
        expected, desired = expectation(budget, len(selected), scale)
        found = disrupted(budget, selected, now)
        for pod in found.overdue:
            message = f"Pod was expected by PDB {meta.key(budget)} to be deleted but it wasn't"
            self._recorder.event(pod, "Warning", "NotDeleted", message)
        status = build_status(budget, healthy(selected, found.waiting), desired, expected, found.waiting, now)
        await self._write(budget, status)
        return Result(found.recheck)

    async def _scale(self, budget: Object, selected: list[Object]) -> int:
        try:
            scale, unmanaged = await self._scales.expected(selected)
        except (NoScale, ApiError) as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self._recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message)
            raise
        if unmanaged:
            message = (
                f"Pods selected by this PodDisruptionBudget (selector: {described(budget['spec'].get('selector'))}) were found to be "
                "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "
                'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
            )
            self._recorder.event(budget, "Warning", "UnmanagedPods", message)
        return scale

    async def _write(self, budget: Object, status: Object) -> None:
        if status == budget.get("status"):
            return
        try:
            await self._client.update(POD_DISRUPTION_BUDGETS, {**budget, "status": status}, subresource="status")
        except NotFound:
            return

    async def _reconcile_pod(self, key: str) -> Result:
        pod = self._pods.lister.get(key)
        left = stale_after(pod, self._clock.now()) if pod is not None else None
        if pod is None or left is None:
            return DONE
        if left > 0:
            return Result(left)
        condition = {"type": "DisruptionTarget", "status": "False", "lastTransitionTime": format_time(self._clock.now())}
        patch = {"metadata": {"uid": meta.uid(pod)}, "status": {"conditions": [condition]}}
        name, namespace = meta.name(pod), meta.namespace(pod)
        await self._client.patch(PODS, name, patch, namespace, patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
        return DONE

    def _budget(self, budget: Object) -> None:
        self.queue.add(meta.key(budget))

    def _pod(self, pod: Object) -> None:
        for budget in self._budgets.lister.list(meta.namespace(pod)):
            if _selector(budget).matches(meta.labels(pod)):
                self.queue.add(meta.key(budget))
        left = stale_after(pod, self._clock.now())
        if left is not None:
            self.queue.add_after(f"{POD}{meta.key(pod)}", left)

    def _pod_updated(self, old: Object, new: Object) -> None:
        if meta.labels(old) != meta.labels(new):
            self._pod(old)
        self._pod(new)


def _selector(budget: Object) -> Selector:
    return selector_from_object((budget.get("spec") or {}).get("selector"))
