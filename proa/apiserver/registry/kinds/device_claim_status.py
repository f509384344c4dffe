"""The status of a ResourceClaim: allocation, who holds it, and what drivers report of its devices."""

import ipaddress
from typing import Any

from proa.api.errors import Cause, forbidden, invalid, required, too_long
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice, check_conditions, check_driver_name, too_many
from proa.apiserver.registry.conversion_devices import claim_to_v1
from proa.apiserver.registry.kinds.device_checks import (
    MAX_CONFIGURATIONS,
    check_configuration,
    check_device_name,
    check_list,
    check_pool_name,
    check_raw,
    check_set,
)
from proa.apiserver.registry.kinds.device_claims import Names, check_reference, check_references, request_names
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.scheduling import validate_node_selector

MAX_RESERVED, MAX_RESULTS, MAX_CONDITIONS, MAX_DATA, MAX_IPS, MAX_INTERFACE, MAX_HARDWARE = 256, 32, 8, 10 * 1024, 16, 256, 128


def check_claim_status(obj: Object, old: Object) -> list[Cause]:
    new, former = obj.get("status") or {}, old.get("status") or {}
    names = request_names((claim_to_v1(obj).get("spec") or {}).get("devices") or {})
    allocation, reserved = new.get("allocation"), new.get("reservedFor") or []
    causes = check_set(reserved, MAX_RESERVED, _check_consumer, lambda each: each.get("uid") or "", "status.reservedFor")
    allocated = {_identity(each) for each in ((allocation or {}).get("devices") or {}).get("results") or ()}
    causes += check_set(
        new.get("devices") or (), -1, lambda each, at: _check_device(each, allocated, at), lambda each: "/".join(_identity(each)),
        "status.devices",
    )  # fmt: skip
    if reserved and allocation is None:
        causes.append(forbidden("status.reservedFor", "may not be specified when `allocated` is not set"))
    elif obj["metadata"].get("deletionTimestamp") and any(each not in (former.get("reservedFor") or []) for each in reserved):
        detail = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
        causes.append(forbidden("status.reservedFor", detail))
    if former.get("allocation") is not None and allocation is not None:
        return causes + immutable("status.allocation", allocation, former["allocation"])
    return causes + (_check_allocation(allocation, names) if allocation is not None else [])


def _identity(device: Object) -> tuple[str, ...]:
    return tuple(device.get(field) or "" for field in ("driver", "pool", "device", "shareID"))


def _check_consumer(consumer: Object, path: str) -> list[Cause]:
    return [required(f"{path}.{field}") for field in ("resource", "name", "uid") if not consumer.get(field)]


def _check_allocation(allocation: Object, names: Names) -> list[Cause]:
    path, devices = "status.allocation.devices", allocation.get("devices") or {}
    causes = check_list(devices.get("results") or (), MAX_RESULTS, lambda each, at: _check_result(each, names, at), f"{path}.results")
    causes += check_list(
        devices.get("config") or (), 2 * MAX_CONFIGURATIONS, lambda each, at: _check_source(each, names, at), f"{path}.config"
    )
    if "nodeSelector" in allocation:
        causes += validate_node_selector(allocation["nodeSelector"], "status.allocation.nodeSelector")
    return causes


def _check_result(result: Object, names: Names, path: str) -> list[Cause]:
    return check_reference(result.get("request") or "", names, f"{path}.request") + _check_where(result, path)


def _check_where(device: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", device.get("driver")) + check_pool_name(device.get("pool"), f"{path}.pool")
    return causes + check_device_name(device.get("device"), f"{path}.device")


def _check_source(config: Object, names: Names, path: str) -> list[Cause]:
    causes = check_choice(f"{path}.source", config.get("source"), ("FromClaim", "FromClass"))
    return causes + check_references(config, names, path) + check_configuration(config, path)


def _check_device(device: Object, allocated: set[tuple[str, ...]], path: str) -> list[Cause]:
    causes = _check_where(device, path)
    if _identity(device) not in allocated:
        causes.append(invalid(path, "/".join(_identity(device)[:3]), "must be an allocated device in the claim"))
    conditions = device.get("conditions") or ()
    causes += too_many(f"{path}.conditions", len(conditions), MAX_CONDITIONS) + check_conditions(conditions, f"{path}.conditions")
    if device.get("data"):
        causes += check_raw(device["data"], MAX_DATA, f"{path}.data")
    return causes + _check_network(device.get("networkData") or {}, f"{path}.networkData")


def _check_network(data: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for field, limit in (("interfaceName", MAX_INTERFACE), ("hardwareAddress", MAX_HARDWARE)):
        if len(data.get(field) or "") > limit:
            causes.append(too_long(f"{path}.{field}", limit))
    return causes + check_set(data.get("ips") or (), MAX_IPS, _check_interface_address, lambda each: each, f"{path}.ips")


def _check_interface_address(value: Any, path: str) -> list[Cause]:
    try:
        parsed = ipaddress.ip_interface(value)
    except ValueError:
        return [invalid(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")]
    if "/" not in value:
        return [invalid(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")]
    return [] if str(parsed) == value else [invalid(path, value, f'must be in canonical form ("{parsed}")')]
