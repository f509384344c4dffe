"""What a pod asks of its node, as integers: milli-CPUs for `cpu`, whole units for everything else. Pure.

Containers and sidecars count together, init containers only where they need more at their turn; requests at pod level replace what they
name (cpu, memory, huge pages), and the overhead of the runtime class comes on top. Source: KEP-753, KEP-688, KEP-2837.
"""

from collections.abc import Iterable, Mapping

from proa.api.meta import Object
from proa.api.pod_template import is_sidecar
from proa.api.quantity import parse

Requests = dict[str, int]
NO_DEFAULTS: Mapping[str, int] = {}
SCORING_DEFAULTS: Mapping[str, int] = {"cpu": 100, "memory": 200 << 20}
"""What a container that states nothing is thought to need when nodes are compared, so that such pods don't all land on one node."""


def amount(resource: str, quantity: str | int | float) -> int:
    parsed = parse(quantity)
    return parsed.milli_value if resource == "cpu" else parsed.value


def amounts(quantities: Mapping[str, str] | None) -> Requests:
    return {name: amount(name, quantity) for name, quantity in (quantities or {}).items()}


def pod_requests(spec: Object, defaults: Mapping[str, int] = NO_DEFAULTS) -> Requests:
    """`defaults` stand in for what a container does not state."""
    total = _sum(_container(each, defaults) for each in spec.get("containers") or ())
    if init_containers := spec.get("initContainers"):
        total = _with_init_containers(total, init_containers, defaults)
    if pod_level := (spec.get("resources") or {}).get("requests"):
        total |= {name: value for name, value in amounts(pod_level).items() if _at_pod_level(name)}
    if overhead := spec.get("overhead"):
        total = _sum([total, amounts(overhead)])
    return total


def _at_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _container(container: Object, defaults: Mapping[str, int]) -> Requests:
    stated = amounts((container.get("resources") or {}).get("requests"))
    return {**defaults, **stated} if defaults else stated


def _with_init_containers(total: Requests, init_containers: Iterable[Object], defaults: Mapping[str, int]) -> Requests:
    """Sidecars keep running: each counts for the whole pod, and for every init container that starts after it."""
    running: Requests = {}
    peak: Requests = {}
    for container in init_containers:
        own = _sum([running, _container(container, defaults)])
        if is_sidecar(container):
            total, running = _sum([total, _container(container, defaults)]), own
        peak = _largest(peak, own)
    return _largest(total, peak)


def _sum(parts: Iterable[Requests]) -> Requests:
    total: Requests = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total


def _largest(left: Requests, right: Requests) -> Requests:
    return {name: max(left.get(name, 0), right.get(name, 0)) for name in [*left, *right]}
