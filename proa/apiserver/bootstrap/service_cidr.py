"""The default ServiceCIDR `kubernetes`: made from the configured ranges, told ready, and widened from one family to two when the
configuration is; for any other difference the stored object counts. Source: KEP-1880.
"""

import logging

from proa.api import meta
from proa.api.kinds import SERVICE_CIDRS
from proa.api.meta import Object
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader, ObjectWriter

log = logging.getLogger(__name__)

NAME = "kubernetes"
READY = {"type": "Ready", "status": "True", "reason": "", "message": "Kubernetes default Service CIDR is ready"}


def wanted_service_cidr(config: ApiServerConfig) -> Object:
    metadata = {"name": NAME}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": metadata,
        "spec": {"cidrs": list(config.service_cidrs)},
    }


def next_step(wanted: Object, present: Object | None) -> str:
    """create, widen, tell (that it is ready), mismatch, or nothing: pure."""
    if present is None:
        return "create"
    cidrs, stored = wanted["spec"]["cidrs"], present["spec"]["cidrs"]
    if meta.is_terminating(present):
        return ""
    if len(stored) == 1 and len(cidrs) == 2 and stored[0] == cidrs[0]:
        return "widen"
    if cidrs != stored:
        return "mismatch"
    return "" if meta.condition(present, "Ready") else "tell"


async def ensure_service_cidr(reader: ObjectReader, writer: ObjectWriter, config: ApiServerConfig, now: str) -> int:
    """Returns how many writes it took; raises ApiError."""
    wanted, present = wanted_service_cidr(config), reader.get(SERVICE_CIDRS.group, SERVICE_CIDRS.plural, NAME)
    step, writes, path = next_step(wanted, present), 0, SERVICE_CIDRS.path("", NAME)
    if step == "create":
        present = await writer.request("POST", SERVICE_CIDRS.path(), wanted)
    elif step == "widen":
        present = await writer.request("PATCH", path, {"spec": wanted["spec"]})
    elif step == "mismatch" and present is not None:
        stored = present["spec"]["cidrs"]
        log.warning("the default ServiceCIDR has %s, the server is configured for %s: the former counts", stored, wanted["spec"]["cidrs"])
    if step in ("create", "widen"):
        writes, step = 1, next_step(wanted, present)
    if step == "tell":
        await writer.request("PATCH", f"{path}/status", {"status": {"conditions": [READY | {"lastTransitionTime": now}]}})
        writes += 1
    return writes
