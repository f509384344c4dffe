"""The /status endpoint of pods: what a kubelet may not undo. Owners don't change here, and the QoS class that creation chose stays."""

from collections.abc import Callable

from proa.api.errors import Cause, duplicate, forbidden, invalid
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_ip, check_optional_name, parse_ip
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy


class PodStatusStrategy(StatusStrategy):
    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, ("ownerReferences",), check_pod_status)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        chosen = (old.get("status") or {}).get("qosClass")
        if chosen and not (obj.get("status") or {}).get("qosClass"):
            obj.setdefault("status", {})["qosClass"] = chosen
        _keep_observed_generation(obj.get("status") or {}, old.get("status") or {})


def _keep_observed_generation(new: Object, old: Object) -> None:
    """A client that doesn't know the field must not clear it."""
    if not new.get("observedGeneration") and old.get("observedGeneration"):
        new["observedGeneration"] = old["observedGeneration"]
    former = {each.get("type"): each.get("observedGeneration") for each in old.get("conditions") or ()}
    for condition in new.get("conditions") or ():
        if not condition.get("observedGeneration") and former.get(condition.get("type")):
            condition["observedGeneration"] = former[condition.get("type")]


def check_pod_status(obj: Object, old: Object) -> list[Cause]:
    new, former, spec = obj.get("status") or {}, old.get("status") or {}, old.get("spec") or {}
    causes: list[Cause] = []
    if new.get("nominatedNodeName") != former.get("nominatedNodeName"):
        causes += check_optional_name("status.nominatedNodeName", new.get("nominatedNodeName"), dns1123_subdomain)
    if new.get("qosClass"):
        causes += immutable("status.qosClass", new.get("qosClass"), former.get("qosClass"))
    causes += _check_ended(new, former, spec)
    if new.get("podIPs") != former.get("podIPs"):
        causes += _check_addresses(new.get("podIPs") or [], "status.podIPs")
    if new.get("hostIPs") != former.get("hostIPs"):
        causes += _check_addresses(new.get("hostIPs") or [], "status.hostIPs")
    if claims := new.get("resourceClaimStatuses"):
        causes += _check_claims(claims, spec)
    return causes


def _check_ended(new: Object, old: Object, spec: Object) -> list[Cause]:
    """A container that must not restart stays terminated."""
    causes: list[Cause] = []
    regular, first = _by_name(spec, "containers"), _by_name(spec, "initContainers")
    if (spec.get("restartPolicy") or "Always") != "Always":
        causes += _check_terminated("containerStatuses", new, old, lambda name, code: _restarts(spec, regular.get(name) or {}, code))
        causes += _check_terminated("initContainerStatuses", new, old, lambda name, code: _restarts(spec, first.get(name) or {}, code))
    return causes + _check_terminated("ephemeralContainerStatuses", new, old, lambda name, code: False)


def _by_name(spec: Object, field: str) -> dict[str, Object]:
    return {each.get("name") or "": each for each in spec.get(field) or ()}


def _restarts(spec: Object, container: Object, exit_code: int) -> bool:
    """Whether a container that ended with the code may run again: its own rules and policy come before the pod's (KEP-5307)."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _check_terminated(field: str, new: Object, old: Object, restarts: Callable[[str, int], bool]) -> list[Cause]:
    fresh = {each.get("name"): each for each in new.get(field) or ()}
    causes: list[Cause] = []
    for index, status in enumerate(old.get(field) or ()):
        ended, name = (status.get("state") or {}).get("terminated"), status.get("name") or ""
        if not ended or restarts(name, ended.get("exitCode") or 0):
            continue
        if name in fresh and "terminated" not in (fresh[name].get("state") or {}):
            causes.append(forbidden(f"status.{field}[{index}].state", "may not be transitioned to non-terminated state"))
    return causes


def _check_addresses(entries: list[Object], path: str) -> list[Cause]:
    """Up to two, of two families."""
    causes: list[Cause] = []
    addresses = [each.get("ip") or "" for each in entries]
    for index, address in enumerate(addresses):
        causes += check_ip(f"{path}[{index}]", address)
        if address in addresses[:index]:
            causes.append(duplicate(f"{path}[{index}]", entries[index]))
    families = [parsed.version for address in addresses if (parsed := parse_ip(address))]
    if len(addresses) > 1 and not causes and (len(addresses) > 2 or len(set(families)) < 2):
        causes.append(invalid(path, entries, "may specify no more than one IP for each IP family"))
    return causes


def _check_claims(statuses: list[Object], spec: Object) -> list[Cause]:
    known = {each.get("name") for each in spec.get("resourceClaims") or ()}
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, status in enumerate(statuses):
        path, name = f"status.resourceClaimStatuses[{index}]", status.get("name") or ""
        if name in seen:
            causes.append(duplicate(f"{path}.name", name))
        seen.add(name)
        if name not in known:
            causes.append(invalid(f"{path}.name", name, "must match the name of an entry in `spec.resourceClaims`"))
        causes += check_optional_name(f"{path}.resourceClaimName", status.get("resourceClaimName"), dns1123_subdomain)
    return causes
