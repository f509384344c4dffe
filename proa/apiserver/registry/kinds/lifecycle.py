"""lifecycle.k8s.io: EvictionRequests, by which someone asks that a pod goes, and Evictions, which gather those who asked.

Spec names the target once and for all; status is written by the controller and by those who respond.
"""

import re

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.apiserver.registry.checks import check_choice, check_conditions, check_domain_path, check_name, exactly_one
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable

INTENTS = ("Eviction", "Withdrawn")
STATES = ("Active", "Canceled", "Completed", "Inactive", "Interrupted")
MAX_MESSAGE = 4000
_uuid = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class EvictionRequestStrategy(SpecStatusStrategy):
    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _check_target(spec.get("target") or {}, "spec.target") + check_domain_path("spec.requester", spec.get("requester"))
        return causes + check_choice("spec.intent", spec.get("intent"), INTENTS)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        fixed = ("target", "requester")
        causes = self.check(obj)
        return causes + [cause for field in fixed for cause in immutable(f"spec.{field}", obj["spec"].get(field), old["spec"].get(field))]


class EvictionStrategy(SpecStatusStrategy):
    """Named like its target, of which there is one Eviction at a time."""

    def check(self, obj: Object) -> list[Cause]:
        return _check_target((obj.get("spec") or {}).get("target") or {}, "spec.target")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.target", obj["spec"].get("target"), old["spec"].get("target"))


def _uid(value: str) -> list[str]:
    return [] if _uuid(value) else ["must be a lowercase UUID in 8-4-4-4-12 format"]


def _check_target(target: Object, path: str) -> list[Cause]:
    causes = exactly_one(path, target, ("pod",))
    if (pod := target.get("pod")) is not None:
        causes += check_name(f"{path}.pod.name", pod.get("name"), dns1123_subdomain) + check_name(f"{path}.pod.uid", pod.get("uid"), _uid)
    return causes


def check_request_status(obj: Object, old: Object) -> list[Cause]:
    status, former = obj.get("status") or {}, old.get("status") or {}
    causes = check_conditions(status.get("conditions") or (), "status.conditions")
    new, seen = status.get("observedGeneration") or 0, former.get("observedGeneration") or 0
    if new < 0:
        causes.append(invalid("status.observedGeneration", new, "must be greater than or equal to 0"))
    if new < seen:
        causes.append(invalid("status.observedGeneration", new, "must not be decremented"))
    return causes


def check_eviction_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes = check_request_status(obj, old)
    for index, requester in enumerate(status.get("requesters") or ()):
        path = f"status.requesters[{index}]"
        causes += check_domain_path(f"{path}.name", requester.get("name"))
        causes += check_choice(f"{path}.intent", requester.get("intent"), INTENTS)
    for index, responder in enumerate(status.get("targetResponders") or ()):
        path = f"status.targetResponders[{index}]"
        causes += check_domain_path(f"{path}.name", responder.get("name"))
        causes += check_choice(f"{path}.state", responder.get("state"), STATES)
    for index, responder in enumerate(status.get("responders") or ()):
        path = f"status.responders[{index}]"
        causes += check_domain_path(f"{path}.name", responder.get("name"))
        if len(responder.get("message") or "") > MAX_MESSAGE:
            causes.append(Cause(f"{path}.message", f"Too long: may not be more than {MAX_MESSAGE} bytes", "FieldValueTooLong"))
    return causes
