"""Pods get the tolerations of their namespace, and may have no others than the namespace's list allows."""

from collections.abc import Sequence
from typing import Any

import orjson

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.pod_template import qos_class
from proa.apiserver.admission.refusal import fail
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations"
ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
MEMORY_PRESSURE = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}
CONFLICT = "pod tolerations (possibly merged with namespace default tolerations) conflict with its"


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
        added: list[Object] = []
        if attributes.operation == "CREATE":
            of_namespace = self._annotated(attributes, DEFAULTS)
            added += self._defaults if of_namespace is None else of_namespace
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
        tolerations = spec.get("tolerations") or ()
        if not tolerations:
            return
        of_namespace, scope = self._annotated(attributes, ALLOWED), "namespace"
        if of_namespace is None:
            of_namespace, scope = self._allowed, "cluster"
        if of_namespace and not all(any(covers(each, toleration) for each in of_namespace) for toleration in tolerations):
            raise fail(f"{CONFLICT} {scope} whitelist")

    def _annotated(self, attributes: Attributes, annotation: str) -> Sequence[Object] | None:
        """None if the namespace does not say."""
        namespace = self._reader.get("", "namespaces", attributes.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", attributes.namespace)
        text = meta.annotations(namespace).get(annotation)
        if not text:
            return None if text is None else []
        try:
            found: Any = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise fail(str(error)) from None
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
