"""Empties a namespace that is being deleted, whatever resources the server has, and lets it go when nothing is left.

Pods go first and the rest waits for them, so that what guards them (network policies, config) outlives them. Conditions tell what is
still there and which finalizers hold it.
"""

import asyncio
from collections import Counter
from dataclasses import field

import orjson

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.kinds import NAMESPACES, PODS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.discovery import Discovered, discover
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time
from proa.lib.dataclass import dataclass
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

FINALIZER = "kubernetes"
POLL_SECONDS = 1.0


@dataclass(slots=True)
class Remains:
    """What a round of deletion left: instances by resource, holders by finalizer, errors."""

    instances: Counter[ResourceId] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def build(context: ControllerContext) -> Controller:
    reconciler = NamespaceReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def deletion_conditions(remains: Remains, discovery_failures: dict[str, str]) -> list[Object]:
    """The five conditions of a terminating namespace (True: something is in the way)."""
    return [
        _condition(
            "NamespaceDeletionDiscoveryFailure", "DiscoveryFailed", _discovery_failed(discovery_failures),
            "ResourcesDiscovered", "All resources successfully discovered",
        ),
        _condition(
            "NamespaceDeletionGroupVersionParsingFailure", "GroupVersionParsingFailed", "",
            "ParsedGroupVersions", "All legacy kube types successfully parsed",
        ),
        _condition(
            "NamespaceDeletionContentFailure", "ContentDeletionFailed", _deletion_failed(remains.errors),
            "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
        ),
        _condition(
            "NamespaceContentRemaining", "SomeResourcesRemain", _remaining(remains.instances),
            "ContentRemoved", "All content successfully removed",
        ),
        _condition(
            "NamespaceFinalizersRemaining", "SomeFinalizersRemain", _held(remains.finalizers),
            "ContentHasNoFinalizers", "All content-preserving finalizers finished",
        ),
    ]  # fmt: skip


def _condition(type_: str, reason: str, problem: str, good_reason: str, good: str) -> Object:
    if problem:
        return {"type": type_, "status": "True", "reason": reason, "message": problem}
    return {"type": type_, "status": "False", "reason": good_reason, "message": good}


def _discovery_failed(failures: dict[str, str]) -> str:
    told = ", ".join(f"{group}: {message}" for group, message in sorted(failures.items()))
    return f"Discovery failed for some groups, {len(failures)} failing: unable to retrieve the complete list of server APIs: {told}" * bool(
        failures
    )


def _deletion_failed(errors: list[str]) -> str:
    joined = errors[0] if len(errors) == 1 else f"[{', '.join(sorted(errors))}]"
    return f"Failed to delete all resource types, {len(errors)} remaining: {joined}" if errors else ""


def _remaining(instances: Counter[ResourceId]) -> str:
    told = sorted(f"{resource.plural}.{resource.group} has {count} resource instances" for resource, count in instances.items())
    return f"Some resources are remaining: {', '.join(told)}" if told else ""


def _held(finalizers: Counter[str]) -> str:
    told = sorted(f"{finalizer} in {count} resource instances" for finalizer, count in finalizers.items())
    return f"Some content in the namespace has finalizers remaining: {', '.join(told)}" if told else ""


class NamespaceReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._namespaces = context.informers.informer(NAMESPACES)
        self._namespaces.add_handlers(Handlers(add=self._enqueue, update=lambda old, new: self._enqueue(new)))

    async def reconcile(self, key: str) -> Result:
        namespace = self._namespaces.lister.get(key)
        if namespace is None or not meta.is_terminating(namespace) or FINALIZER not in _spec_finalizers(namespace):
            return DONE
        discovered = await discover(self._client)
        remains = await self._empty(key, discovered)
        if not remains.instances and not remains.errors and not discovered.failures:
            return await self._finalize(namespace)
        try:
            await self._tell(namespace, remains, discovered.failures)
        except (Conflict, NotFound):
            return Result(POLL_SECONDS / 10)
        return Result(POLL_SECONDS)

    async def _empty(self, namespace: str, discovered: Discovered) -> Remains:
        remains = Remains()
        await self._empty_resource(namespace, PODS, remains)
        if remains.instances or remains.errors:
            return remains
        content = [each for each in discovered.with_verbs("list", "delete") if each.namespaced and each.plural != "events"]
        last = [each for each in discovered.with_verbs("list", "delete") if each.namespaced and each.plural == "events"]
        for group in (content, last):
            await asyncio.gather(*(self._empty_resource(namespace, each, remains) for each in group))
        return remains

    async def _empty_resource(self, namespace: str, resource: ResourceId, remains: Remains) -> None:
        try:
            if not (await self._client.list(resource, namespace, limit=1, metadata_only=True)).items:
                return
            await self._delete_all(namespace, resource)
            left = (await self._client.list(resource, namespace, metadata_only=True)).items
        except NotFound:
            return
        except ApiError as error:
            remains.errors.append(error.message)
            return
        if left:
            remains.instances[resource] += len(left)
            remains.finalizers.update(finalizer for each in left for finalizer in meta.finalizers(each))

    async def _delete_all(self, namespace: str, resource: ResourceId) -> None:
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        path, headers = resource.path(namespace), {"content-type": "application/json"}
        status, _, body = await self._client.request("DELETE", path, body=orjson.dumps(options), headers=headers)
        if status >= 400 and status != 404:
            raise ApiError(_message(body) or f"DELETE {path} answered {status}", code=status, reason="")

    async def _tell(self, namespace: Object, remains: Remains, failures: dict[str, str]) -> None:
        old = namespace.get("status", {})
        changed: Object = {"status": {"phase": "Terminating", "conditions": [dict(each) for each in old.get("conditions") or ()]}}
        now = format_time(self._clock.now())
        for each in deletion_conditions(remains, failures):
            meta.set_condition(changed, each, now)
        if changed["status"] != old:
            await self._client.update(NAMESPACES, {**namespace, **changed}, subresource="status")

    async def _finalize(self, namespace: Object) -> Result:
        rest = [each for each in _spec_finalizers(namespace) if each != FINALIZER]
        body = {**namespace, "spec": {**namespace.get("spec", {}), "finalizers": rest}}
        path, headers = NAMESPACES.path("", meta.name(namespace), "finalize"), {"content-type": "application/json"}
        status, _, answer = await self._client.request("PUT", path, body=orjson.dumps(body), headers=headers)
        if status == 409:
            return Result(POLL_SECONDS / 10)
        if status >= 400 and status != 404:
            raise ApiError(_message(answer), code=status, reason="")
        return DONE

    def _enqueue(self, namespace: Object) -> None:
        if meta.is_terminating(namespace):
            self.queue.add(meta.key(namespace))


def _spec_finalizers(namespace: Object) -> list[str]:
    return namespace.get("spec", {}).get("finalizers") or []


def _message(body: bytes) -> str:
    try:
        return str(orjson.loads(body).get("message", ""))
    except (orjson.JSONDecodeError, AttributeError):
        return body[:200].decode(errors="replace")
