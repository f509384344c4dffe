"""The cells that many kinds share, and the shorthand in which the tables of columns are written.

A cell is `(object, now) -> value`; `field("spec", "nodeName")` makes one that reads a path.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from proa.api.meta import Object
from proa.api.resource import Column
from proa.apiserver.columns.duration import since

Cell = Callable[[Object, float], Any]
NONE, UNSET = "<none>", "<unset>"


def column(name: str, cell: Cell, description: str = "", *, type: str = "string", wide: bool = False, format: str = "") -> Column:  # noqa: A002
    return Column(name, type, description, cell, 1 if wide else 0, format)


def at(obj: Any, *path: str) -> Any:
    """The value at a path of fields, None where any of them is missing."""
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def field(*path: str, default: Any = "") -> Cell:
    """The value at a path, `default` where it is missing or empty text."""

    def cell(obj: Object, now: float) -> Any:
        value = at(obj, *path)
        return default if value is None or value == "" else value

    return cell


def number(*path: str) -> Cell:
    return field(*path, default=0)


def count(*path: str) -> Cell:
    """How many elements a list or map has."""
    return lambda obj, now: len(at(obj, *path) or ())


def ago(*path: str, default: str = "<unknown>") -> Cell:
    """The age of the timestamp at a path."""

    def cell(obj: Object, now: float) -> str:
        timestamp = at(obj, *path)
        return since(timestamp, now) if timestamp else default

    return cell


NAME = column("Name", field("metadata", "name"), "The object's name, unique among its kind in its namespace.", format="name")
AGE = column("Age", ago("metadata", "creationTimestamp"), "The time since the object was created.")


def format_labels(labels: Any) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) if labels else NONE


def selector_text(selector: Any) -> str:
    """A LabelSelector in the syntax of -l; empty for one that selects all or is absent."""
    requirements = [(key, f"{key}={value}") for key, value in (at(selector, "matchLabels") or {}).items()]
    requirements += [(each["key"], _expression(each)) for each in at(selector, "matchExpressions") or ()]
    return ",".join(text for _, text in sorted(requirements, key=lambda pair: pair[0]))


def _expression(requirement: Object) -> str:
    key, operator = requirement["key"], requirement["operator"]
    if operator in ("In", "NotIn"):
        return f"{key} {operator.lower()} ({','.join(sorted(requirement.get('values') or ()))})"
    return f"!{key}" if operator == "DoesNotExist" else str(key)


def format_selector(*path: str) -> Cell:
    return lambda obj, now: selector_text(at(obj, *path)) or NONE


def joined(values: Iterable[Any], separator: str = ",") -> str:
    return separator.join(str(value) for value in values)


def containers_and_images(*pod_spec: str) -> tuple[Column, Column]:
    """The two wide columns of everything that has a pod template."""

    def listed(key: str) -> Cell:
        return lambda obj, now: joined(each.get(key, "") for each in at(obj, *pod_spec, "containers") or ())

    return (
        column("Containers", listed("name"), "The names of the template's containers.", wide=True),
        column("Images", listed("image"), "The images of the template's containers.", wide=True),
    )


def abbreviated(values: Sequence[str], limit: int, *, total: int | None = None, empty: str = UNSET) -> str:
    """The first few, and how many more there are."""
    shown = ",".join(values[:limit])
    more = (len(values) if total is None else total) - limit
    return f"{shown} + {more} more..." if more > 0 else shown or empty


def go_boolean(value: Any) -> str:
    return UNSET if value is None else str(bool(value))
