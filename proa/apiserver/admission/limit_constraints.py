"""What a LimitRange has against a pod or a claim, each sentence as upstream words it. Pure."""

from collections.abc import Callable, Iterator

from proa.api.meta import Object
from proa.api.pod_resources import Amounts, amounts, pod_limits, pod_requests
from proa.api.quantity import Quantity, parse

Check = Callable[[str, str, Quantity, Amounts, Amounts], str]
_MAX_MILLI = 9_223_372_036_854_775


def violations(obj: Object, is_pod: bool, limit_range: Object) -> Iterator[str]:
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if is_pod:
            yield from _pod(obj.get("spec") or {}, limit)
        elif limit.get("type") == "PersistentVolumeClaim":
            yield from _claim(obj.get("spec") or {}, limit)


def _pod(spec: Object, limit: Object) -> Iterator[str]:
    checks: tuple[tuple[str, Check], ...] = (("min", _minimum), ("max", _maximum), ("maxLimitRequestRatio", _ratio))
    kind = limit.get("type", "")
    if kind == "Container":
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            yield from _apply(checks, limit, amounts(resources.get("requests")), amounts(resources.get("limits")))
    elif kind == "Pod":
        yield from _apply(checks, limit, pod_requests(spec, overhead=False), pod_limits(spec, overhead=False))


def _claim(spec: Object, limit: Object) -> Iterator[str]:
    checks: tuple[tuple[str, Check], ...] = (("min", _minimum), ("max", _maximum_request))
    yield from _apply(checks, limit, amounts((spec.get("resources") or {}).get("requests")), {})


def _apply(checks: tuple[tuple[str, Check], ...], limit: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for field, check in checks:
        for resource, bound in sorted((limit.get(field) or {}).items()):
            if problem := check(limit["type"], resource, parse(bound), requests, limits):
                yield problem


def _minimum(kind: str, resource: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    subject = f"minimum {resource} usage per {kind} is {bound}"
    if resource not in requests:
        return f"{subject}.  No request is specified"
    if requests[resource].nano < bound.nano:
        return f"{subject}, but request is {requests[resource]}"
    if resource in limits and limits[resource].nano < bound.nano:
        return f"{subject}, but limit is {limits[resource]}"
    return ""


def _maximum(kind: str, resource: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    subject = f"maximum {resource} usage per {kind} is {bound}"
    if resource not in limits:
        return f"{subject}.  No limit is specified"
    if limits[resource].nano > bound.nano:
        return f"{subject}, but limit is {limits[resource]}"
    if resource in requests and requests[resource].nano > bound.nano:
        return f"{subject}, but request is {requests[resource]}"
    return ""


def _maximum_request(kind: str, resource: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    subject = f"maximum {resource} usage per {kind} is {bound}"
    if resource not in requests:
        return f"{subject}.  No request is specified"
    return f"{subject}, but request is {requests[resource]}" if requests[resource].nano > bound.nano else ""


def _ratio(kind: str, resource: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    subject = f"{resource} max limit to request ratio per {kind} is {bound}"
    if not requests.get(resource):
        return f"{subject}, but no request is specified or request is 0"
    if not limits.get(resource):
        return f"{subject}, but no limit is specified or limit is 0"
    ratio = limits[resource].nano / requests[resource].nano
    allowed = bound.milli_value / 1000 if bound.value <= _MAX_MILLI else bound.value
    return f"{subject}, but provided ratio is {ratio:f}" if ratio > allowed else ""
