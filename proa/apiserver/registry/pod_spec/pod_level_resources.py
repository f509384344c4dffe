"""spec.resources: what a pod asks for as a whole, which its containers share (KEP-2837).

What a pod with limits leaves out comes from its containers: the sum of their requests, and of their limits for huge pages; then its own
limits. A pod with requests alone gets the sum of the limits, if every container has one.
A pod that asks for less than its containers together, or limits a container beyond itself, is refused.
"""

from proa.api.errors import Cause, forbidden, invalid, not_supported
from proa.api.meta import Object
from proa.api.pod_resources import Amounts, amounts, pod_limits, pod_requests
from proa.api.resource_names import HUGE_PAGES, is_huge_page
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.resource_checks import check_resource_name

_OVERCOMMITTED = ("cpu", "memory")


def fill_pod_level_resources(spec: Object) -> None:
    """After the defaults of the containers. What can't be read is left to validation."""
    resources = spec["resources"]
    if not resources or not (resources.get("limits") or resources.get("requests")):
        return
    try:
        requested, limited = _of_containers(spec)
    except (ValueError, TypeError):
        return
    asked = resources.get("requests") or {}
    _fill(resources, "limits", {name: str(each) for name, each in limited.items() if is_huge_page(name) and name not in asked})
    if limits := resources.get("limits"):
        _fill(resources, "requests", {name: str(each) for name, each in requested.items() if name in _OVERCOMMITTED})
        _fill(resources, "requests", {name: each for name, each in limits.items() if _is_of_pods(name)})
    elif any(map(_is_of_pods, asked)):
        shared = (name for name in _OVERCOMMITTED if name in limited and _all_limit(spec, name))
        _fill(resources, "limits", {name: str(limited[name]) for name in shared})


def _is_of_pods(name: str) -> bool:
    return name in _OVERCOMMITTED or is_huge_page(name)


def _all_limit(spec: Object, name: str) -> bool:
    lists = (spec.get("containers") or (), spec.get("initContainers") or ())
    return all(name in ((each.get("resources") or {}).get("limits") or {}) for containers in lists for each in containers)


def _fill(resources: Object, field: str, defaults: Object) -> None:
    present = resources.get(field) or {}
    if missing := {name: amount for name, amount in defaults.items() if name not in present}:
        resources[field] = {**present, **missing}


def _of_containers(spec: Object) -> tuple[Amounts, Amounts]:
    containers = {field: spec.get(field) for field in ("containers", "initContainers")}
    return pod_requests(containers), pod_limits(containers)


def validate_pod_level_resources(spec: Object, path: str) -> list[Cause]:
    resources, own = spec["resources"] or {}, f"{path}.resources"
    if (spec.get("os") or {}).get("name") == "windows":
        return [forbidden(own, "may not be set for a windows pod")]
    causes = [forbidden(f"{own}.claims", "claims may not be set for Resources at pod-level")] if "claims" in resources else []
    causes += validate_resources(resources, own, check_resource=_check_name)
    return causes + _validate_against_containers(spec, resources, own)


def _check_name(name: str, path: str) -> list[Cause]:
    causes = check_resource_name(name, path)
    if not causes and not _is_of_pods(name):
        causes.append(not_supported(path, name, (*_OVERCOMMITTED, HUGE_PAGES)))
    return causes


def _validate_against_containers(spec: Object, resources: Object, path: str) -> list[Cause]:
    try:
        requests, limits = amounts(resources.get("requests")), amounts(resources.get("limits"))
        requested, limited = _of_containers(spec)
        bounded = [amounts((each.get("resources") or {}).get("limits")) for each in spec.get("containers") or ()]
    except (ValueError, TypeError):
        return []
    causes = _covering(requests, requested, f"{path}.requests", "requests")
    causes += _covering(limits, {name: each for name, each in limited.items() if is_huge_page(name)}, f"{path}.limits", "limits")
    for index, own in enumerate(bounded):
        for name, amount in own.items():
            if name in limits and amount.nano > limits[name].nano:
                where = f"{path}.containers[{index}][{name}].limits"
                causes.append(invalid(where, str(amount), f"must be less than or equal to pod limits of {limits[name]}"))
    return causes


def _covering(pod: Amounts, containers: Amounts, path: str, word: str) -> list[Cause]:
    detail = f"must be greater than or equal to aggregate container {word} of"
    return [
        invalid(f"{path}[{name}]", str(pod[name]), f"{detail} {amount}")
        for name, amount in containers.items()
        if name in pod and amount.nano > pod[name].nano
    ]
