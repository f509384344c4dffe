"""The /status endpoint of pods: what a kubelet may not undo. Owners don't change here, and the QoS class that creation chose stays."""

from collections.abc import Callable, Sequence

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.addresses import ip_warnings, parse_ip
from proa.apiserver.registry.checks import check_ip, check_key, check_optional_name
from proa.apiserver.registry.kinds.pod_claim_status import check_claims, check_extended_claim, check_node_allocatable
from proa.apiserver.registry.kinds.pod_container_status import check_allocated_resources, check_users
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy

_OF_SYSTEM = ("PodScheduled", "Ready", "Initialized")
_NEGATIVE = "must be a non-negative integer"


class PodStatusStrategy(StatusStrategy):
    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, ("ownerReferences",), check_pod_status)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        chosen = (old.get("status") or {}).get("qosClass")
        if chosen and not (obj.get("status") or {}).get("qosClass"):
            obj.setdefault("status", {})["qosClass"] = chosen
        _keep_observed_generation(obj.get("status") or {}, old.get("status") or {})

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        status = obj.get("status") or {}
        return [
            warning
            for field in ("podIPs", "hostIPs")
            for index, entry in enumerate(status.get(field) or ())
            for warning in ip_warnings(entry.get("ip") or "", f"status.{field}[{index}].ip")
        ]


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
    causes = _check_conditions(new.get("conditions") or (), "status.conditions")
    causes += _check_nomination(new.get("nominatedNodeName"), former.get("nominatedNodeName"), spec)
    if (generation := new.get("observedGeneration") or 0) < 0:
        causes.append(invalid("status.observedGeneration", generation, _NEGATIVE))
    if new.get("qosClass"):
        causes += immutable("status.qosClass", new.get("qosClass"), former.get("qosClass"))
    causes += _check_ended(new, former, spec)
    if claims := new.get("resourceClaimStatuses"):
        causes += check_claims(claims, spec, "status.resourceClaimStatuses")
    if (extended := new.get("extendedResourceClaimStatus")) is not None:
        causes += check_extended_claim(extended, spec, "status.extendedResourceClaimStatus")
    if allocatable := new.get("nodeAllocatableResourceClaimStatuses"):
        causes += check_node_allocatable(allocatable, new, spec, "status.nodeAllocatableResourceClaimStatuses")
    if new.get("podIPs") != former.get("podIPs"):
        causes += _check_addresses(new.get("podIPs") or [], former.get("podIPs") or [], "status.podIPs")
    if new.get("hostIPs"):
        first = new["hostIPs"][0].get("ip") or ""
        if first != (new.get("hostIP") or ""):
            causes.append(invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`"))
        if new["hostIPs"] != former.get("hostIPs"):
            causes += _check_addresses(new["hostIPs"], former.get("hostIPs") or [], "status.hostIPs")
    return causes + check_users(new, spec) + check_allocated_resources(new, spec)


def _check_conditions(conditions: Sequence[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, condition in enumerate(conditions):
        if (generation := condition.get("observedGeneration") or 0) < 0:
            causes.append(invalid(f"{path}[{index}].observedGeneration", generation, _NEGATIVE))
        if condition.get("type") not in _OF_SYSTEM:
            causes += check_key(f"{path}[{index}].Type", condition.get("type"), qualified_name)
    return causes


def _check_nomination(new: str | None, old: str | None, spec: Object) -> list[Cause]:
    path = "status.nominatedNodeName"
    if not new or new == old:
        return []
    causes = check_optional_name(path, new, dns1123_subdomain)
    if spec.get("nodeName"):
        causes.append(forbidden(path, "may not be set on pods that are already bound to a node"))
    return causes


def _check_ended(new: Object, old: Object, spec: Object) -> list[Cause]:
    """A container that must not restart stays terminated. A rule that restarts all containers lets any of them run again."""
    causes: list[Cause] = []
    if not _all_could_restart(spec):
        causes += _check_terminated("containerStatuses", new, old, _restart_rule(spec, "containers"))
        causes += _check_terminated("initContainerStatuses", new, old, _restart_rule(spec, "initContainers"))
    return causes + _check_terminated("ephemeralContainerStatuses", new, old, lambda name, code: False)


def _restart_rule(spec: Object, field: str) -> Callable[[str, int], bool]:
    known = {each.get("name") or "": each for each in spec.get(field) or ()}
    return lambda name, code: name in known and _restarts(spec, known[name], code)


def _all_could_restart(spec: Object) -> bool:
    lists = (spec.get("containers") or (), spec.get("initContainers") or ())
    rules = (rule for containers in lists for container in containers for rule in container.get("restartPolicyRules") or ())
    return any(rule.get("action") == "RestartAllContainers" for rule in rules)


def _restarts(spec: Object, container: Object, exit_code: int) -> bool:
    """Whether a container that ended with the code may run again: its own rules and policy come before the pod's (KEP-5307)."""
    own = container.get("restartPolicy")
    for rule in container.get("restartPolicyRules") or () if own else ():
        codes = rule.get("exitCodes") or {}
        fits = (exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In")
        if fits and rule.get("action") == "Restart":
            return True
    policy = own or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _check_terminated(field: str, new: Object, old: Object, restarts: Callable[[str, int], bool]) -> list[Cause]:
    fresh: dict[str, Object] = {}
    for status in new.get(field) or ():
        fresh.setdefault(status.get("name") or "", status)
    causes: list[Cause] = []
    for index, status in enumerate(old.get(field) or ()):
        ended, name = (status.get("state") or {}).get("terminated"), status.get("name") or ""
        if not ended or name not in fresh or "terminated" in (fresh[name].get("state") or {}):
            continue
        if not restarts(name, ended.get("exitCode") or 0):
            causes.append(forbidden(f"status.{field}[{index}].state", "may not be transitioned to non-terminated state"))
    return causes


def _check_addresses(entries: list[Object], old: list[Object], path: str) -> list[Cause]:
    """Up to two, of two families. What was there may stay as it was written."""
    known = [each.get("ip") or "" for each in old]
    addresses = [each.get("ip") or "" for each in entries]
    causes = [cause for index, address in enumerate(addresses) if address not in known for cause in check_ip(f"{path}[{index}]", address)]
    families = {parsed.version for address in addresses if (parsed := parse_ip(address))}
    if len(addresses) > 2 or (len(addresses) == 2 and len(families) < 2):
        causes.append(invalid(path, entries, "may specify no more than one IP for each IP family"))
    return causes
