"""What is read from Node objects in many places: whether it is ready, where it is reached, which addresses its pods have."""

from proa.api import meta
from proa.api.meta import Object


def ready_status(node: Object) -> str:
    """True, False or Unknown; Unknown if nothing was ever said."""
    ready = meta.condition(node, "Ready")
    return str(ready["status"]) if ready else "Unknown"


def pod_cidrs(node: Object) -> list[str]:
    spec = node.get("spec") or {}
    return list(spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else []))


def internal_ip(node: Object, *, ipv6: bool = False) -> str:
    """The first address of that family inside the cluster, "" if it has none."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((str(each["address"]) for each in addresses if each.get("type") == "InternalIP" and (":" in each["address"]) == ipv6), "")
