"""Tables as kubectl asks for them: the resource's columns, one row an object, and of each object what `includeObject` says."""

from collections.abc import Iterable, Mapping
from typing import Any

from proa.api.errors import BadRequest
from proa.api.meta import Object
from proa.api.resource import Resource

INCLUDE_OBJECT = ("None", "Metadata", "Object")


class Tabulator:
    """Makes Tables of one resource at one moment (ages are relative to `now`, seconds since the epoch)."""

    def __init__(self, resource: Resource, now: float, include: str = "", version: str = "v1") -> None:
        if include and include not in INCLUDE_OBJECT:
            raise BadRequest(f'invalid includeObject value: "{include}"')
        self._columns = resource.columns
        self._now = now
        self._include = include or "Metadata"
        self._api_version = f"meta.k8s.io/{version}"

    def document(self, objects: Iterable[Object], metadata: Mapping[str, Any], *, headers: bool = True) -> Object:
        """A whole Table; without headers it is one of a watch's later events."""
        return {
            "kind": "Table",
            "apiVersion": self._api_version,
            "metadata": dict(metadata),
            "columnDefinitions": self._definitions() if headers else [],
            "rows": [self._row(obj) for obj in objects],
        }

    def _definitions(self) -> list[Object]:
        return [
            {
                "name": column.name,
                "type": column.type,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            }
            for column in self._columns
        ]

    def _row(self, obj: Object) -> Object:
        row: Object = {"cells": [column.cell(obj, self._now) for column in self._columns]}
        if self._include == "Object":
            row["object"] = obj
        elif self._include == "Metadata":
            metadata = obj.get("metadata") or {}
            row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": self._api_version, "metadata": metadata}
        return row
