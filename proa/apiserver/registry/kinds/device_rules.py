"""DeviceTaintRules, and requests for the state of pools."""

from typing import ClassVar

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_conditions, check_driver_name, check_key, too_many
from proa.apiserver.registry.kinds.device_checks import check_device_name, check_pool_name, check_taint
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable

MAX_CONDITIONS, MAX_POOLS = 8, 1000
_COUNTS = ("totalDevices", "allocatedDevices", "availableDevices", "unavailableDevices", "generation")


class DeviceTaintRuleStrategy(SpecStatusStrategy):
    def prepare(self, obj: Object, context: StrategyContext) -> None:
        _stamp((obj.get("spec") or {}).get("taint"), context.now)

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        taint, former = obj["spec"].get("taint") or {}, old["spec"].get("taint") or {}
        if taint.get("effect") != former.get("effect") and taint.get("timeAdded") == former.get("timeAdded"):
            taint.pop("timeAdded", None)
        _stamp(taint, context.now)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        selector, path = spec.get("deviceSelector") or {}, "spec.deviceSelector"
        causes = check_driver_name(f"{path}.driver", selector["driver"]) if "driver" in selector else []
        causes += check_pool_name(selector["pool"], f"{path}.pool") if "pool" in selector else []
        causes += check_device_name(selector["device"], f"{path}.device") if "device" in selector else []
        return causes + check_taint(spec.get("taint") or {}, "spec.taint")


def _stamp(taint: Object | None, now: str) -> None:
    """A taint says since when it holds; whoever sets it may leave that to the server."""
    if taint and now and not taint.get("timeAdded"):
        taint["timeAdded"] = now


def check_rule_status(obj: Object, old: Object) -> list[Cause]:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    path = "status.conditions"
    return check_conditions(conditions, path) + too_many(path, len(conditions), MAX_CONDITIONS)


class ResourcePoolStatusRequestStrategy(SpecStatusStrategy):
    tracks_generation = False
    empty_status: ClassVar[Object | None] = None

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        limit = spec.get("limit")
        driver = spec.get("driver")
        causes = check_driver_name("spec.driver", driver) if driver else [required("spec.driver", "driver name is required")]
        if spec.get("poolName"):
            causes += check_pool_name(spec["poolName"], "spec.poolName")
        if limit is not None and limit < 1:
            causes.append(invalid("spec.limit", limit, "must be at least 1"))
        if limit is not None and limit > MAX_POOLS:
            causes.append(invalid("spec.limit", limit, f"must not exceed {MAX_POOLS}"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec", obj.get("spec"), old.get("spec"))


def check_pool_status(obj: Object, old: Object) -> list[Cause]:
    """Once observed, the answer stands."""
    new, former = obj.get("status") or {}, old.get("status") or {}
    if former.get("observationTime"):
        return immutable("status", new, former)
    causes = [cause for index, pool in enumerate(new.get("pools") or ()) for cause in _check_pool(pool, f"status.pools[{index}]")]
    causes += check_conditions(new.get("conditions") or (), "status.conditions")
    for field in ("totalMatchingPools", "poolCount"):
        if (new.get(field) or 0) < 0:
            causes.append(invalid(f"status.{field}", new[field], "must be non-negative"))
    return causes


def _check_pool(pool: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", pool["driver"]) if pool.get("driver") else [required(f"{path}.driver")]
    causes += check_pool_name(pool.get("poolName"), f"{path}.poolName")
    if pool.get("nodeName"):
        causes += check_key(f"{path}.nodeName", pool["nodeName"], dns1123_subdomain)
    causes += [invalid(f"{path}.{field}", pool[field], "must be non-negative") for field in _COUNTS if (pool.get(field) or 0) < 0]
    if (pool.get("sliceCount") or 0) < 1 and "sliceCount" in pool:
        causes.append(invalid(f"{path}.sliceCount", pool["sliceCount"], "must be at least 1"))
    return causes
