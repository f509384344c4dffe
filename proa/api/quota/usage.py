"""What one object uses of a quota, by the quota's names for it, and which names each kind answers for. Pure.

Every kind but events is counted as `count/PLURAL.GROUP` as long as it is stored; pods, services and claims of volumes and of devices use
more than that. A pod that has finished, or that is overdue to go, uses nothing but its place. Source: "Resource Quotas" and the
evaluators' rules.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from proa.api.meta import Object
from proa.api.pod_resources import Amounts, amounts, pod_limits, pod_requests
from proa.api.quantity import NANO, ZERO, Quantity
from proa.lib.clock import parse_time

ONE = Quantity(NANO)
PODS, SERVICES, CLAIMS = ("", "pods"), ("", "services"), ("", "persistentvolumeclaims")
DEVICE_CLAIMS = ("resource.k8s.io", "resourceclaims")
NEVER_COUNTED = frozenset({("", "events"), ("", "bindings"), ("authorization.k8s.io", "localsubjectaccessreviews")})
"""Kinds in namespaces that quotas leave alone."""
COUNTED_BY_NAME = ("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services")
"""Core kinds whose plural alone is a quota's name for them."""
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_POD_NAMES = frozenset({"pods", *_COMPUTE, *(f"{side}.{name}" for side in ("requests", "limits") for name in _COMPUTE)})
_SERVICE_NAMES = frozenset({"services", "services.nodeports", "services.loadbalancers"})
_CLASS = ".storageclass.storage.k8s.io/"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEVICES = ".deviceclass.resource.k8s.io/devices"
_DEVICES_AS_RESOURCE = "deviceclass.resource.kubernetes.io/"
"""Devices of a class as containers may ask for them, by the class's name; quotas put `requests.` in front."""
_MAX_DEVICES = 32
"""What a request for all devices may get."""


def count_name(group: str, plural: str) -> str:
    return f"count/{plural}.{group}" if group else f"count/{plural}"


def names_for(kind: tuple[str, str], names: Iterable[str]) -> set[str]:
    """Those of a quota's names that this kind uses."""
    group, plural = kind
    if kind in NEVER_COUNTED:
        return set()
    own = {count_name(group, plural)} | ({plural} if not group and plural in COUNTED_BY_NAME else set())
    more = _NAMES.get(kind)
    return {name for name in names if name in own or (more is not None and more(name))}


def _is_pod_name(name: str) -> bool:
    if name in _POD_NAMES or name.startswith(("hugepages-", "requests.hugepages-")):
        return True
    return name.startswith("requests.") and _counts_as_request(name.removeprefix("requests."))


def _counts_as_request(resource: str) -> bool:
    return is_extended(resource) or resource.startswith(_DEVICES_AS_RESOURCE)


def is_extended(resource: str) -> bool:
    """A resource of somebody's own domain."""
    return "/" in resource and "kubernetes.io/" not in resource


def _is_claim_name(name: str) -> bool:
    return name == "requests.storage" or name.endswith((f"{_CLASS}requests.storage", f"{_CLASS}persistentvolumeclaims"))


_NAMES: Mapping[tuple[str, str], Callable[[str], bool]] = {
    PODS: _is_pod_name,
    SERVICES: lambda name: name in _SERVICE_NAMES,
    CLAIMS: _is_claim_name,
    DEVICE_CLAIMS: lambda name: name.endswith(_DEVICES) or name.startswith(f"requests.{_DEVICES_AS_RESOURCE}"),
}


def usage_of(kind: tuple[str, str], obj: Object, now: datetime) -> Amounts:
    group, plural = kind
    used: Amounts = {count_name(group, plural): ONE}
    if not group and plural in COUNTED_BY_NAME:
        used[plural] = ONE
    if kind == PODS:
        return used | (_pod(obj) if uses_resources(obj, now) else {})
    if kind == SERVICES:
        return used | _service(obj)
    if kind == DEVICE_CLAIMS:
        return used | _devices(obj)
    return used | _claim(obj) if kind == CLAIMS else used


def uses_resources(pod: Object, now: datetime) -> bool:
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    metadata = pod.get("metadata") or {}
    deleted, grace = metadata.get("deletionTimestamp"), metadata.get("deletionGracePeriodSeconds")
    return not deleted or grace is None or now <= parse_time(deleted) + timedelta(seconds=grace)


def _pod(pod: Object) -> Amounts:
    spec = pod.get("spec") or {}
    return {"pods": ONE} | compute_usage(pod_requests(spec), pod_limits(spec))


def compute_usage(requests: Amounts, limits: Amounts) -> Amounts:
    """Requests count under their own name as well; of what is not compute, only requests count."""
    used: Amounts = {}
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            used[name] = used[f"requests.{name}"] = amount
        elif _counts_as_request(name):
            used[f"requests.{name}"] = amount
    used.update({f"limits.{name}": amount for name, amount in limits.items() if name in _COMPUTE})
    return used


def _service(service: Object) -> Amounts:
    spec = service.get("spec") or {}
    ports, kind = spec.get("ports") or (), spec.get("type")
    node_ports = 0
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
        node_ports = len(ports)
    elif kind == "LoadBalancer":
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    balancers = int(kind == "LoadBalancer")
    return {"services.nodeports": Quantity(node_ports * NANO), "services.loadbalancers": Quantity(balancers * NANO)}


def _claim(claim: Object) -> Amounts:
    spec = claim.get("spec") or {}
    annotations = (claim.get("metadata") or {}).get("annotations") or {}
    storage_class = annotations.get(_BETA_CLASS) or spec.get("storageClassName") or ""
    used: Amounts = {f"{storage_class}{_CLASS}persistentvolumeclaims": ONE} if storage_class else {}
    asked = amounts((spec.get("resources") or {}).get("requests")).get("storage")
    if asked is not None:
        allocated = amounts((claim.get("status") or {}).get("allocatedResources")).get("storage", asked)
        stored = max(asked, allocated, key=lambda each: each.nano)
        used["requests.storage"] = Quantity(stored.value * NANO, stored.format)
        if storage_class:
            used[f"{storage_class}{_CLASS}requests.storage"] = used["requests.storage"]
    return used


def _devices(claim: Object) -> Amounts:
    """How many devices of each class the claim may get at worst: of the alternatives of a request, the most of each class."""
    used: Amounts = {}
    for request in ((claim.get("spec") or {}).get("devices") or {}).get("requests") or ():
        most: dict[str, int] = {}
        for each in request.get("firstAvailable") or [request.get("exactly")]:
            if each is not None and each.get("deviceClassName"):
                most[each["deviceClassName"]] = max(most.get(each["deviceClassName"], 0), _number(each))
        for device_class, number in most.items():
            for name in (f"{device_class}{_DEVICES}", f"requests.{_DEVICES_AS_RESOURCE}{device_class}"):
                used[name] = used.get(name, ZERO) + Quantity(number * NANO)
    return used


def _number(request: Object) -> int:
    match request.get("allocationMode", "ExactCount"):
        case "ExactCount":
            return int(request.get("count", 1))
        case "All":
            return _MAX_DEVICES
    return 0
