"""Selection and indexing, plain and optional."""

from typing import Any

from proa.api.cel.errors import EvaluationError, no_overload
from proa.api.cel.values import NOTHING, Optional, Uint


def index(container: Any, key: Any) -> Any:
    if container.__class__ is Optional:
        return index_optional(container, key)
    if container.__class__ is list:
        position = _position(key)
        if not 0 <= position < len(container):
            raise EvaluationError(f"index out of bounds: {position}")
        return container[position]
    if isinstance(container, dict):
        try:
            return container[key]
        except (KeyError, TypeError):
            raise EvaluationError(f"no such key: {key}") from None
    raise no_overload()


def _position(key: Any) -> int:
    if key.__class__ is int or key.__class__ is Uint:
        return int(key)
    if key.__class__ is float and key.is_integer():
        return int(key)
    raise EvaluationError(f"unsupported index type in list: {key}") if key.__class__ is not float else no_overload()


def index_optional(container: Any, key: Any) -> Any:
    if container.__class__ is Optional:
        return index_optional(container.value, key) if container.present else NOTHING
    try:
        return Optional(index(container, key))
    except EvaluationError:
        return NOTHING


def select_optional(container: Any, key: Any) -> Any:
    if container.__class__ is Optional:
        return select_optional(container.value, key) if container.present else NOTHING
    if isinstance(container, dict) and key in container:
        return Optional(container[key])
    return NOTHING
