"""Pods get the tolerations of their namespace, and may have no others than the namespace's list allows."""

from collections.abc import Sequence
from typing import Any

import orjson

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.pod_template import qos_class
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations"
ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
MEMORY_PRESSURE = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}
CONFLICT = "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist"


class PodTolerationRestriction(PassiveAdmission):
    name = "PodTolerationRestriction"
    resources = frozenset({("", "pods")})

    def __init__(self, reader: ObjectReader, defaults: Sequence[Object] = (), allowed: Sequence[Object] = ()) -> None:
        """For namespaces that say nothing."""
        self._reader, self._defaults, self._allowed = reader, defaults, allowed

    async def admit(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        spec = attributes.object.setdefault("spec", {})
        added = list(self._of_namespace(attributes, DEFAULTS, self._defaults)) if attributes.operation == "CREATE" else []
        if qos_class(spec) != "BestEffort":
            added.append(MEMORY_PRESSURE)
        if added:
            spec["tolerations"] = merged([*(spec.get("tolerations") or ()), *added])
        self._check(attributes, spec)

    async def validate(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        self._check(attributes, attributes.object.get("spec") or {})

    def _check(self, attributes: Attributes, spec: Object) -> None:
        allowed = self._of_namespace(attributes, ALLOWED, self._allowed)
        tolerations = spec.get("tolerations") or ()
        if allowed and not all(any(covers(each, toleration) for each in allowed) for toleration in tolerations):
            raise refuse(attributes, CONFLICT)

    def _of_namespace(self, attributes: Attributes, annotation: str, default: Sequence[Object]) -> Sequence[Object]:
        namespace = self._reader.get("", "namespaces", attributes.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", attributes.namespace)
        text = meta.annotations(namespace).get(annotation)
        if text is None:
            return default
        try:
            found: Any = orjson.loads(text) if text else []
        except orjson.JSONDecodeError as error:
            raise refuse(attributes, f"invalid annotation {annotation} of namespace {attributes.namespace}: {error}") from None
        return found if isinstance(found, list) else []


def merged(tolerations: Sequence[Object]) -> list[Object]:
    """Without those that another one covers."""
    kept: list[Object] = []
    for each in tolerations:
        if not any(covers(other, each) for other in kept):
            kept = [other for other in kept if not covers(each, other)] + [dict(each)]
    return kept


def covers(outer: Object, inner: Object) -> bool:
    """Whether `outer` tolerates all that `inner` does."""
    if outer == inner:
        return True
    exists = outer.get("operator") == "Exists"
    if outer.get("key", "") != inner.get("key", "") and not (not outer.get("key") and exists):
        return False
    if outer.get("effect", "") not in ("", inner.get("effect", "")):
        return False
    bound, wanted = outer.get("tolerationSeconds"), inner.get("tolerationSeconds")
    if outer.get("effect") == "NoExecute" and bound is not None and (wanted is None or wanted > bound):
        return False
    return exists or (inner.get("operator", "Equal") == "Equal" and outer.get("value", "") == inner.get("value", ""))
