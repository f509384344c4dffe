"""What the tests of kinds share: an object with one change, and all that a kind's strategy has against it, one `field: message` each."""

import copy
from typing import Any

from proa.api.resource import Resource, StrategyContext

Object = dict[str, Any]
DELETE = object()
NOW = "2026-01-01T00:00:00Z"


def changed(base: Object, path: str, value: Any) -> Object:
    """`base` with the value at a path like `spec.containers.0.name`; no path, no change."""
    obj = copy.deepcopy(base)
    if not path:
        return obj
    parent: Any = obj
    *steps, last = path.split(".")
    for step in steps:
        parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
    if value is DELETE:
        del parent[last]
    elif isinstance(parent, list):
        parent.insert(int(last), value)
    else:
        parent[last] = value
    return obj


def born(resource: Resource, obj: Object) -> Object:
    """The object as it is stored after its creation, if it is valid."""
    obj = copy.deepcopy(obj) | {"apiVersion": resource.id.api_version, "kind": resource.id.kind}
    resource.strategy.default(obj)
    resource.strategy.prepare_for_create(obj, context())
    return obj


def context() -> StrategyContext:
    return StrategyContext(now=NOW)


def on_create(resource: Resource, obj: Object) -> list[str]:
    return [cause.detail for cause in resource.strategy.validate(born(resource, obj))]


def on_update(resource: Resource, base: Object, path: str, value: Any) -> list[str]:
    """Of the main endpoint, for an object as it is stored, with one change."""
    former = born(resource, base)
    fresh = changed(former, path, value)
    resource.strategy.default(fresh)
    resource.strategy.prepare_for_update(fresh, former, context())
    return [cause.detail for cause in resource.strategy.validate_update(fresh, former)]


def on_status(resource: Resource, obj: Object, status: Object, former: Object | None = None) -> list[str]:
    """Of /status, for an object whose status was `former`."""
    strategy = resource.subresources["status"].strategy
    assert strategy is not None
    old = born(resource, obj) | {"status": former or {}}
    new = copy.deepcopy(old) | {"status": status}
    strategy.prepare_for_update(new, old, context())
    return [cause.detail for cause in strategy.validate_update(new, old)]
