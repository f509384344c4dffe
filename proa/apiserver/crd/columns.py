"""Printed columns of a custom resource: its name, then what `additionalPrinterColumns` reads by JSONPath, or else its age.

A path that does not parse ends the columns there: a definition is not refused for it, and its objects can be listed all the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from proa.api.meta import Object
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, Cell
from proa.apiserver.columns.duration import since
from proa.apiserver.crd.go_text import go_number
from proa.apiserver.crd.json_path import BadPath, find, parse_path

AGE_COLUMN = Column("Age", "date", AGE.description, AGE.cell)


def printer_columns(declared: Sequence[Object]) -> tuple[Column, ...]:
    if not declared:
        return NAME, AGE_COLUMN
    columns = [NAME]
    for each in declared:
        try:
            parse_path(each["jsonPath"])
        except BadPath:
            break
        columns.append(_column(each))
    return tuple(columns)


def _column(declared: Object) -> Column:
    path = declared["jsonPath"]
    description = declared.get("description") or f"Custom resource definition column (in JSONPath format): {path}"
    cell = _cell(path, declared["type"])
    return Column(declared["name"], declared["type"], description, cell, declared.get("priority", 0), declared.get("format", ""))


def _cell(path: str, kind: str) -> Cell:
    shown = SHOWN[kind]

    def cell(obj: Object, now: float) -> Any:
        found = find(obj, path)
        return shown(found[0], now) if found else None

    return cell


def _text(value: Any, now: float) -> str:
    """As kubectl's -o jsonpath would print it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return go_number(value) if isinstance(value, float) else str(value)


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
