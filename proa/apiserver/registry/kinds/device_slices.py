"""ResourceSlices: what devices a driver offers, on which nodes, with which attributes, capacities, counters and taints."""

import re

from proa.api.errors import Cause, duplicate, forbidden, invalid, required, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, qualified_name
from proa.apiserver.registry.checks import check_driver_name, check_key, check_name, too_many
from proa.apiserver.registry.conversion_devices import slice_to_v1
from proa.apiserver.registry.kinds.device_capacity import check_request_policy
from proa.apiserver.registry.kinds.device_checks import (
    check_device_name,
    check_list,
    check_pool_name,
    check_qualified,
    check_set,
    check_taint,
)
from proa.apiserver.registry.kinds.plain import GenerationStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.scheduling import validate_node_selector

MAX_DEVICES, MAX_COMPLEX_DEVICES, MAX_ATTRIBUTES, MAX_TAINTS, MAX_COUNTER_SETS, MAX_COUNTERS = 128, 64, 32, 16, 8, 32
MAX_CONSUMPTIONS, MAX_BINDING_CONDITIONS, MAX_VALUE = 2, 4, 64
_PRE = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_version = re.compile(
    rf"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-{_PRE}(?:\.{_PRE})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
).fullmatch
_WHERE = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_ONE_OF = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
_OF_DEVICE = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"  # noqa: E501
_NOT_OF_DEVICE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
_VALUES = ("bool", "int", "string", "version", "bools", "ints", "strings", "versions")


class ResourceSliceStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        return validate_slice(slice_to_v1(obj).get("spec") or {}, "spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj.get("spec") or {}, old.get("spec") or {}
        causes = self.check(obj)
        causes += immutable("spec.pool.name", (new.get("pool") or {}).get("name"), (former.get("pool") or {}).get("name"))
        return causes + [
            cause for field in ("driver", "nodeName") for cause in immutable(f"spec.{field}", new.get(field), former.get(field))
        ]


def validate_slice(spec: Object, path: str) -> list[Cause]:
    causes = check_driver_name(f"{path}.driver", spec.get("driver")) + _check_pool(spec.get("pool") or {}, f"{path}.pool")
    causes += _check_nodes(spec, path)
    devices = spec.get("devices") or []
    if "sharedCounters" in spec and "devices" in spec:
        causes.append(invalid(path, "", "only one of `sharedCounters` or `devices` is allowed"))
    complex_ = any(device.get("taints") or device.get("consumesCounters") for device in devices)
    limit, per_device = MAX_COMPLEX_DEVICES if complex_ else MAX_DEVICES, bool(spec.get("perDeviceNodeSelection"))
    causes += check_set(devices, limit, lambda each, at: _check_device(each, per_device, at), _name, f"{path}.devices")
    return causes + check_set(spec.get("sharedCounters") or (), MAX_COUNTER_SETS, _check_counter_set, _name, f"{path}.sharedCounters")


def _name(item: Object) -> str:
    return item.get("name") or ""


def _check_pool(pool: Object, path: str) -> list[Cause]:
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    causes = check_pool_name(pool.get("name"), f"{path}.name")
    if count <= 0:
        causes.append(invalid(f"{path}.resourceSliceCount", count, "must be greater than zero"))
    if generation < 0:
        causes.append(invalid(f"{path}.generation", generation, "must be greater than or equal to zero"))
    return causes


def _check_place(part: Object, path: str, empty: str) -> tuple[list[str], list[Cause]]:
    """(which of the fields say where, causes)."""
    chosen: list[str] = []
    causes: list[Cause] = []
    for field in _WHERE:
        value = part.get(field)
        if value is None:
            continue
        if value == "":
            causes.append(invalid(f"{path}.{field}", value, empty))
        elif value is False:
            causes.append(invalid(f"{path}.{field}", value, "must be either unset or set to true"))
        else:
            chosen.append(f"`{field}`")
    if part.get("nodeName"):
        causes += check_name(f"{path}.nodeName", part["nodeName"], dns1123_subdomain)
    if "nodeSelector" in part:
        causes += validate_node_selector(part["nodeSelector"], f"{path}.nodeSelector")
    return chosen, causes


def _check_nodes(spec: Object, path: str) -> list[Cause]:
    chosen, causes = _check_place(spec, path, "must be either unset or set to a non-empty string")
    terms = (spec.get("nodeSelector") or {}).get("nodeSelectorTerms") or []
    if "nodeSelector" in spec and len(terms) != 1:
        causes.append(invalid(f"{path}.nodeSelector.nodeSelectorTerms", terms, "must have exactly one node selector term"))
    if not chosen:
        causes.append(required(path, _ONE_OF))
    elif len(chosen) > 1:
        causes.append(invalid(path, f"{{{', '.join(chosen)}}}", f"{_ONE_OF}, but multiple fields are set"))
    return causes


def _check_device(device: Object, per_device: bool, path: str) -> list[Cause]:
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    causes = check_device_name(device.get("name"), f"{path}.name")
    if len(attributes) + len(capacity) > MAX_ATTRIBUTES:
        detail = f"the total number of attributes and capacities must not exceed {MAX_ATTRIBUTES}"
        causes.append(invalid(path, len(attributes) + len(capacity), detail))
    for name, attribute in attributes.items():
        own = f"{path}.attributes[{name}]"
        causes += check_qualified(name, own) + _check_attribute(attribute, own)
    for name, amount in capacity.items():
        own = f"{path}.capacity[{name}]"
        causes += check_qualified(name, own) + _check_capacity(amount, bool(device.get("allowMultipleAllocations")), own)
    causes += check_list(device.get("taints") or (), MAX_TAINTS, check_taint, f"{path}.taints")
    causes += check_set(
        device.get("consumesCounters") or (), MAX_CONSUMPTIONS, _check_consumption, lambda each: each.get("counterSet") or "",
        f"{path}.consumesCounters",
    )  # fmt: skip
    return causes + _check_device_nodes(device, per_device, path) + _check_binding(device, path)


def _check_device_nodes(device: Object, per_device: bool, path: str) -> list[Cause]:
    if not per_device:
        placed = any(device.get(field) is not None for field in ("nodeName", "nodeSelector", "allNodes"))
        return [invalid(path, None, _NOT_OF_DEVICE)] if placed else []
    chosen, causes = _check_place(device, path, "must not be empty")
    if not chosen:
        causes.append(required(path, _OF_DEVICE))
    elif len(chosen) > 1:
        causes.append(invalid(path, f"{{{', '.join(chosen)}}}", _OF_DEVICE))
    return causes


def _check_attribute(attribute: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for field in ("string", "version"):
        text = attribute.get(field)
        if field == "version" and text is not None and not _version(text):
            causes.append(invalid(f"{path}.version", text, "must be a string compatible with semver.org spec 2.0.0"))
        if text is not None and len(text) > MAX_VALUE:
            causes.append(too_long(f"{path}.{field}", MAX_VALUE))
    given = [field for field in _VALUES if attribute.get(field) is not None]
    if len(given) != 1:
        causes.append(invalid(path, attribute if given else "", "exactly one value must be specified"))
    return causes


def _check_capacity(capacity: Object, shared: bool, path: str) -> list[Cause]:
    policy = capacity.get("requestPolicy")
    if policy is None:
        return []
    if not shared:
        return [forbidden(f"{path}.requestPolicy", "allowMultipleAllocations must be true")]
    return check_request_policy(capacity.get("value", "0"), policy, f"{path}.requestPolicy")


def _check_counter_set(counters: Object, path: str) -> list[Cause]:
    return check_name(f"{path}.name", counters.get("name"), dns1123_label) + _check_counters(counters, path)


def _check_consumption(consumption: Object, path: str) -> list[Cause]:
    return check_name(f"{path}.counterSet", consumption.get("counterSet"), dns1123_label) + _check_counters(consumption, path)


def _check_counters(part: Object, path: str) -> list[Cause]:
    counters, own = part.get("counters") or {}, f"{path}.counters"
    if not counters:
        return [required(own)]
    if len(counters) > MAX_COUNTERS:
        return too_many(own, len(counters), MAX_COUNTERS)
    return [cause for name in counters for cause in check_key(f"{own}[{name}]", name, dns1123_label)]


def _check_binding(device: Object, path: str) -> list[Cause]:
    """Conditions for a binding and for its failure come together, and apart."""
    wanted, failing = device.get("bindingConditions") or [], device.get("bindingFailureConditions") or []
    causes: list[Cause] = []
    for field, names in (("bindingConditions", wanted), ("bindingFailureConditions", failing)):
        own = f"{path}.{field}"
        causes += check_list(names, MAX_BINDING_CONDITIONS, lambda name, at: check_key(at, name, qualified_name), own)
        causes += [duplicate(f"{own}[{index}]", name) for index, name in enumerate(names) if name in names[:index]]
    for index, name in enumerate(failing):
        if name in wanted:
            detail = "bindingFailureConditions must not overlap with bindingConditions"
            causes.append(invalid(f"{path}.bindingFailureConditions[{index}]", name, detail))
    if failing and not wanted:
        detail = "bindingConditions are required to use bindingFailureConditions"
        causes.append(invalid(f"{path}.bindingConditions", wanted, detail))
    if wanted and not failing:
        detail = "bindingFailureConditions are required to use bindingConditions"
        causes.append(invalid(f"{path}.bindingFailureConditions", failing, detail))
    return causes
