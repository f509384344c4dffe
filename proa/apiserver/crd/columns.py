"""Printed columns of a custom resource: its name, then what `additionalPrinterColumns` reads by JSONPath, or else its age."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from proa.api.meta import Object
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, Cell
from proa.apiserver.columns.duration import since
from proa.apiserver.crd.json_path import find

AGE_COLUMN = Column("Age", "date", AGE.description, AGE.cell)


def printer_columns(declared: Sequence[Object]) -> tuple[Column, ...]:
    return (NAME, *(map(_column, declared) if declared else (AGE_COLUMN,)))


def _column(declared: Object) -> Column:
    path = declared["jsonPath"]
    description = declared.get("description") or f"Custom resource definition column (in JSONPath format): {path}"
    cell = _cell(path, declared["type"])
    return Column(declared["name"], declared["type"], description, cell, declared.get("priority", 0), declared.get("format", ""))


def _cell(path: str, kind: str) -> Cell:
    shown = SHOWN[kind]

    def cell(obj: Object, now: float) -> Any:
        found = find(obj, path)
        return None if not found or found[0] is None else shown(found[0], now)

    return cell


def _text(value: Any, now: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def _integer(value: Any, now: float) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number(value: Any, now: float) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any, now: float) -> bool | None:
    return value if isinstance(value, bool) else None


def _date(value: Any, now: float) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return since(value, now)
    except ValueError:
        return "<invalid>"


SHOWN: dict[str, Callable[[Any, float], Any]] = {
    "boolean": _boolean,
    "date": _date,
    "integer": _integer,
    "number": _number,
    "string": _text,
}
