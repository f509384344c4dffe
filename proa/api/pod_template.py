"""What is read from pod specs and pod templates in many places: their containers, the template's hash, and the QoS class."""

from collections.abc import Iterator
from typing import Any

import orjson

from proa.api.meta import Object
from proa.api.quantity import parse

POD_TEMPLATE_HASH = "pod-template-hash"
_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def containers(spec: Object) -> Iterator[tuple[str, Object]]:
    """(path below spec, container) of init, regular and ephemeral containers, in this order."""
    for name in CONTAINER_LISTS:
        for index, container in enumerate(spec.get(name) or ()):
            yield f"{name}[{index}]", container


def is_sidecar(container: Object) -> bool:
    """An init container that keeps running (KEP-753)."""
    return container.get("restartPolicy") == "Always"


def template_hash(template: Object, collision_count: int | None = None) -> str:
    """The value of `pod-template-hash`: FNV-1a (32 bit) of the template, in letters that spell no words.

    The digits are not upstream's (those hash Go's memory layout); only stability within one cluster counts.
    """
    data = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collision_count is not None:
        data += collision_count.to_bytes(8, "little")
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(_SAFE_ALPHABET[ord(digit) % len(_SAFE_ALPHABET)] for digit in str(value))


def without_hash(template: Object) -> Object:
    """The template as the Deployment wrote it: without the `pod-template-hash` label that its ReplicaSets carry."""
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != POD_TEMPLATE_HASH}
    kept = {key: value for key, value in meta.items() if key != "labels"}
    return template | {"metadata": kept | {"labels": labels} if labels else kept}


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort (only cpu and memory count; pod-level resources go first)."""
    pod_level = spec.get("resources") or {}
    if pod_level.get("requests") or pod_level.get("limits"):
        return _qos_class([pod_level])
    return _qos_class([container.get("resources") or {} for container in _lasting(spec)])


def _lasting(spec: Object) -> list[Object]:
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def _qos_class(resources: list[Object]) -> str:
    requested = limited = False
    guaranteed = True
    for each in resources:
        requests, limits = _positive(each.get("requests")), _positive(each.get("limits"))
        requested, limited = requested or bool(requests), limited or bool(limits)
        guaranteed = (
            guaranteed and limits.keys() == {"cpu", "memory"} and all(requests.get(key, limits[key]) == limits[key] for key in limits)
        )
    if not requested and not limited:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _positive(quantities: Any) -> dict[str, int]:
    found = {key: parse(quantities[key]).nano for key in ("cpu", "memory") if key in quantities} if quantities else {}
    return {key: value for key, value in found.items() if value > 0}
