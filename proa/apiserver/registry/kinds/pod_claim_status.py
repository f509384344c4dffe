"""What a pod's status says of claims of devices: its own, those made for extended resources (KEP-5004), those of the node (KEP-5517)."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_key, check_name

_OF_REQUESTS = "spec.initContainers.resources.requests or spec.containers.resources.requests"
_OF_CONTAINERS = "spec.initContainers.name or spec.containers.name"


def check_claims(statuses: Sequence[Object], spec: Object, path: str) -> list[Cause]:
    known = {each.get("name") for each in spec.get("resourceClaims") or ()}
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, status in enumerate(statuses):
        own, name = f"{path}[{index}]", status.get("name") or ""
        if name not in known:
            causes.append(invalid(f"{own}.name", name, "must match the name of an entry in `spec.resourceClaims`"))
        if name in seen:
            causes.append(duplicate(f"{own}.name", name))
        seen.add(name)
        if (claim := status.get("resourceClaimName")) is not None:
            causes += check_key(f"{own}.resourceClaimName", claim, dns1123_subdomain)
    return causes


def check_extended_claim(status: Object, spec: Object, path: str) -> list[Cause]:
    lists = (spec.get("initContainers") or (), spec.get("containers") or ())
    containers = {each.get("name") or "": each for containers in lists for each in containers}
    mappings, own = status.get("requestMappings") or (), f"{path}.requestMappings"
    causes = [] if mappings else [required(own, "at least one request mapping is required")]
    seen: set[tuple[str, ...]] = set()
    for index, mapping in enumerate(mappings):
        key = tuple(mapping.get(field) or "" for field in _MAPPED)
        name, resource, request = key
        if name not in containers:
            causes.append(invalid(f"{own}[{index}].containerName", name, f"must match the name of an entry in {_OF_CONTAINERS}"))
        elif resource not in ((containers[name].get("resources") or {}).get("requests") or {}):
            detail = f"must match the extended resource name of an entry in {_OF_REQUESTS}"
            causes.append(invalid(f"{own}[{index}].resourceName", resource, detail))
        causes += check_key(f"{path}.requestName", request, dns1123_label)
        if key in seen:
            causes += [duplicate(f"{own}[{index}].{field}", value) for field, value in zip(_MAPPED, key, strict=True)]
        seen.add(key)
    return causes + check_name(f"{path}.resourceClaimName", status.get("resourceClaimName"), dns1123_subdomain)


_MAPPED = ("containerName", "resourceName", "requestName")


def check_node_allocatable(statuses: Sequence[Object], status: Object, spec: Object, path: str) -> list[Cause]:
    """Amounts aren't looked at: upstream's rules are of an older form of them."""
    holders = (*(spec.get("resourceClaims") or ()), *(status.get("resourceClaimStatuses") or ()))
    known = {each["resourceClaimName"] for each in holders if each.get("resourceClaimName") is not None}
    causes: list[Cause] = []
    for index, each in enumerate(statuses):
        own, name = f"{path}[{index}]", each.get("resourceClaimName") or ""
        causes += [] if name else [required(f"{own}.resourceClaimName", "must not be empty")]
        if name not in known:
            causes.append(invalid(f"{own}.resourceClaimName", name, "no mapping found in pod reference"))
        causes += [] if each.get("containers") else [required(f"{own}.containers", "must not be empty")]
    return causes
