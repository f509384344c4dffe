"""pods/eviction: delete a pod unless a PodDisruptionBudget forbids it (429). The budget is charged before the pod is deleted.

Source: "API-initiated eviction" and policy/v1 PodDisruptionBudget (unhealthyPodEvictionPolicy, disruptionsAllowed, disruptedPods).
"""

from dataclasses import replace
from typing import Any, Literal

from proa.api import meta
from proa.api.errors import ApiError, BadRequest, Conflict, Forbidden, InternalError, TooManyRequests
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.decode import parse_body
from proa.apiserver.interface import Attributes
from proa.apiserver.options import DeleteOptions, WriteOptions, delete_options, write_options
from proa.apiserver.verbs.binding import SUCCESS
from proa.apiserver.verbs.own_kind import EVICTION, checked
from proa.apiserver.verbs.removal import check_preconditions, remove
from proa.lib.http.message import Response

MAX_DISRUPTED = 2000
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
DISRUPTED: Object = {
    "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
    "lastProbeTime": None,
}  # fmt: skip
Verdict = Literal["free", "unready", "charge"]


async def create_eviction(call: Call) -> Response:
    asked = write_options(call.request, "CreateOptions")
    eviction = _decode(call, asked)
    options = delete_options(eviction.get("deleteOptions") or {})
    if asked.dry_run:
        options = replace(options, dry_run=True)
    await _admit(call, eviction, asked)
    entry = await call.served.objects.get(call.key)
    if entry is None:
        raise call.served.missing(call.info.name)
    pod = entry.decode()
    budget = None if may_ignore_budget(pod) else _budget_of(call, pod)
    verdict: Verdict = "free" if budget is None else judge(pod, budget)
    if verdict == "charge" and budget is not None:
        await _charge(call, budget, dry_run=options.dry_run)
    guarded = verdict == "unready" or (may_ignore_budget(pod) and _may_become_ready(pod))
    await _delete(call, pod, options, guarded=guarded, budget=budget)
    return call.object_response(SUCCESS, 201, tabular=False)


async def _admit(call: Call, eviction: Object, asked: WriteOptions) -> None:
    attributes = Attributes(
        "CREATE", call.served.resource, "eviction", call.namespace, call.info.name, call.user, eviction, None, asked.dry_run,
        asked.as_object("CreateOptions"), call.warn, call.annotate,
    )  # fmt: skip
    await call.server.admission.admit(attributes)
    await call.server.admission.validate(attributes)


def _decode(call: Call, asked: WriteOptions) -> Object:
    parsed = parse_body(call.request.body, call.request.headers.get("content-type", ""))
    value: Any = parsed.value
    version = value.get("apiVersion", "") if isinstance(value, dict) else ""
    api_version = "policy/v1beta1" if version == "policy/v1beta1" else "policy/v1"
    eviction = checked(call, value, EVICTION, api_version, asked.field_validation, parsed.duplicates)
    if meta.name(eviction) != call.info.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    return eviction


def may_ignore_budget(pod: Object) -> bool:
    """Nothing healthy is lost with it."""
    return meta.is_terminating(pod) or (pod.get("status") or {}).get("phase", "Pending") in ("Succeeded", "Failed", "Pending")


def _may_become_ready(pod: Object) -> bool:
    return not meta.is_terminating(pod) and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _budget_of(call: Call, pod: Object) -> Object | None:
    """The one budget that covers the pod; raises InternalError's like if there are several."""
    covering = []
    for budget in call.server.reader.list("policy", "poddisruptionbudgets", meta.namespace(pod)):
        selector = selector_from_object((budget.get("spec") or {}).get("selector"))
        if selector.requirements and selector.matches(meta.labels(pod)):
            covering.append(budget)
    if len(covering) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(text, code=500, reason="")
    return covering[0] if covering else None


def judge(pod: Object, budget: Object) -> Verdict:
    """Whether the pod's eviction is free of charge; `unready` pods only as long as they stay so."""
    ready = (meta.condition(pod, "Ready") or {}).get("status") == "True"
    if ready:
        return "charge"
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return "unready"
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return "unready" if desired > 0 and status.get("currentHealthy", 0) >= desired else "charge"


async def _charge(call: Call, budget: Object, *, dry_run: bool) -> None:
    budgets = call.server.served[("policy", "v1", "poddisruptionbudgets")]
    now, pod = call.now(), call.info.name

    async def take(current: Object) -> Object | None:
        charge(current, pod, now)
        return None if dry_run else current

    try:
        await budgets.objects.update(meta.key(budget), take)
    except KeyError:
        return


def charge(budget: Object, pod: str, now: str) -> None:
    """Take one disruption from the budget, in place; raises TooManyRequests, Forbidden."""
    name, status = meta.name(budget), budget.setdefault("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise refusal(f"The disruption budget {name} is still being processed by the server.", 10)
    allowed, disrupted = status.get("disruptionsAllowed", 0), status.get("disruptedPods") or {}
    if allowed < 0:
        raise Forbidden.of("policy", "poddisruptionbudget", name, "pdb disruptions allowed is negative")
    if len(disrupted) > MAX_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise Forbidden.of("policy", "poddisruptionbudget", name, why)
    if allowed == 0:
        raise refusal(_nothing_left(budget), 0)
    status["disruptionsAllowed"] = allowed - 1
    status["disruptedPods"] = {**disrupted, pod: now}
    if allowed == 1:
        generation = status.get("observedGeneration", 0)
        new = {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": "InsufficientPods",
            "message": "",
            "observedGeneration": generation,
        }
        meta.set_condition(budget, new, now)


def _nothing_left(budget: Object) -> str:
    name, status = meta.name(budget), budget["status"]
    failed = meta.condition(budget, "DisruptionAllowed") or {}
    if failed.get("reason") == "SyncFailed":
        why = failed.get("message", "")
        return f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {why}"
    desired, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    return f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"


def refusal(why: str, retry_after: int) -> TooManyRequests:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return TooManyRequests(VIOLATES, details)


async def _mark(call: Call, options: DeleteOptions) -> DeleteOptions:
    """Say in the pod's status why it goes; a precondition then means the pod as it is after that. Raises NotFound, Conflict."""

    async def mark(pod: Object) -> Object | None:
        check_preconditions(call, pod, options)
        return pod if meta.set_condition(pod, DISRUPTED, call.now()) else None

    try:
        entry, _ = await call.served.objects.update(call.key, mark)
    except KeyError:
        raise call.served.missing(call.info.name) from None
    return options if options.resource_version is None else replace(options, resource_version=str(entry.revision))


async def _delete(call: Call, pod: Object, options: DeleteOptions, *, guarded: bool, budget: Object | None) -> None:
    pinned = options
    if guarded and options.resource_version is None:
        pinned = replace(options, resource_version=meta.resource_version(pod))
    for attempt in range(5):
        try:
            marked = pinned if may_ignore_budget(pod) or options.dry_run else await _mark(call, pinned)
            await remove(call, call.key, call.info.name, marked, admitted=False)
            return
        except Conflict as error:
            if pinned is options:
                raise
            if budget is not None:
                text = f"The disruption budget {meta.name(budget)} is still being processed by the server."
                raise refusal(text, 10) from error
            entry = await call.served.objects.get(call.key)
            if entry is None:
                raise call.served.missing(call.info.name) from None
            if attempt == 4 or not may_ignore_budget(entry.decode()):
                raise
            pinned = replace(options, resource_version=str(entry.revision))
    raise InternalError.of("eviction did not settle")
