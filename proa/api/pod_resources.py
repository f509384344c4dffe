"""What a pod asks for and is limited to, as exact quantities: the sums that quotas and limit ranges count.

Containers and sidecars add up, init containers count where they need more at their turn, what is said at pod level replaces what it
names, and the overhead of the runtime class comes on top. Source: KEP-753, KEP-688, KEP-2837.
"""

from collections.abc import Iterable, Mapping

from proa.api.meta import Object
from proa.api.pod_template import is_sidecar
from proa.api.quantity import Quantity, parse

Amounts = dict[str, Quantity]


def amounts(quantities: Mapping[str, str] | None) -> Amounts:
    return {name: parse(quantity) for name, quantity in (quantities or {}).items()}


def pod_requests(spec: Object, *, overhead: bool = True) -> Amounts:
    total = _total(spec, "requests")
    return added([total, amounts(spec.get("overhead"))]) if overhead and spec.get("overhead") else total


def pod_limits(spec: Object, *, overhead: bool = True) -> Amounts:
    """The overhead raises only limits that there are."""
    total = _total(spec, "limits")
    if overhead:
        for name, amount in amounts(spec.get("overhead")).items():
            if total.get(name):
                total[name] += amount
    return total


def _total(spec: Object, field: str) -> Amounts:
    total = added(_container(each, field) for each in spec.get("containers") or ())
    running: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = added([running, _container(container, field)])
        if is_sidecar(container):
            total, running = added([total, _container(container, field)]), own
        peak = _largest(peak, own)
    pod_level = amounts((spec.get("resources") or {}).get(field))
    return _largest(total, peak) | {name: amount for name, amount in pod_level.items() if _at_pod_level(name)}


def _at_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _container(container: Object, field: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(field))


def added(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total[name] + amount if name in total else amount
    return total


def _largest(left: Amounts, right: Amounts) -> Amounts:
    larger = dict(left)
    for name, amount in right.items():
        if name not in larger or larger[name].nano < amount.nano:
            larger[name] = amount
    return larger
