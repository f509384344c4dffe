"""The values that the scale subresource of a custom resource reads: at the paths that its definition names, numbers and a selector."""

from typing import Any

from proa.api.errors import Cause, go_value, invalid
from proa.api.meta import Object

MOST_REPLICAS = 2**31 - 1
_GO_TYPES = {str: "string", bool: "bool", float: "float64", dict: "map[string]interface {}", list: "[]interface {}", int: "int64"}


def steps(path: str) -> list[str]:
    return path.removeprefix(".").split(".")


def put(obj: Object, path: str, value: Any) -> None:
    """Set the value at a path; raises ValueError where something that is no object is in the way."""
    *parents, last = steps(path)
    for index, name in enumerate(parents):
        obj = obj.setdefault(name, {})
        if not isinstance(obj, dict):
            raise ValueError(f"value cannot be set because .{'.'.join(parents[: index + 1])} is not a map[string]interface{{}}")
    obj[last] = value


def read(obj: Object, path: str, kind: type) -> Any:
    """The value at a path, None where there is none. Raises ValueError for one of another type, in the words of upstream's accessors."""
    value: Any = obj
    for index, name in enumerate(steps(path)):
        if value is None:
            return None
        if not isinstance(value, dict):
            shown = ".".join(steps(path)[: index + 1])
            raise ValueError(f".{shown} accessor error: {_go(value)} is of the type {_type(value)}, expected map[string]interface{{}}")
        if name not in value:
            return None
        value = value[name]
    if value.__class__ is not kind:
        raise ValueError(f"{path} accessor error: {_go(value)} is of the type {_type(value)}, expected {_GO_TYPES[kind]}")
    return value


def _go(value: Any) -> str:
    return "<nil>" if value is None else value if isinstance(value, str) else go_value(value)


def _type(value: Any) -> str:
    return _GO_TYPES.get(value.__class__, "<nil>")


def validate_replicas(obj: Object, paths: Object) -> list[Cause]:
    return _count(obj, paths["specReplicasPath"]) + validate_scale_status(obj, paths)


def validate_scale_status(obj: Object, paths: Object) -> list[Cause]:
    causes = _count(obj, paths["statusReplicasPath"])
    if selector := paths.get("labelSelectorPath"):
        try:
            read(obj, selector, str)
        except ValueError as error:
            causes.append(invalid(selector, "", str(error)))
    return causes


def _count(obj: Object, path: str) -> list[Cause]:
    try:
        count = read(obj, path, int) or 0
    except ValueError as error:
        return [invalid(path, 0, str(error))]
    if count < 0:
        return [invalid(path, count, "should be a non-negative integer")]
    if count > MOST_REPLICAS:
        return [invalid(path, count, f"should be less than or equal to {MOST_REPLICAS}")]
    return []
