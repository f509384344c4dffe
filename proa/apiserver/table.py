"""The Table form of an answer, bound to one request: its resource, its moment, and what `includeObject` asks for."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from proa.api.errors import BadRequest, invalid
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.columns.table import IncludeObject, to_table


class Tabulator:
    """Makes Tables of one resource at one moment (ages are relative to `now`, seconds since the epoch)."""

    def __init__(self, resource: Resource, now: float, include: str = "", version: str = "v1") -> None:
        if include and include not in get_args(IncludeObject):
            cause = invalid("includeObject", include, "must be 'Metadata', 'Object', 'None', or empty")
            raise BadRequest(f"Unable to convert to Table as requested: {cause.detail}")
        self._resource = resource
        self._now = now
        self._include: IncludeObject = include or "Metadata"  # type: ignore[assignment]
        self._version = version

    def document(self, objects: Iterable[Object], metadata: Mapping[str, Any], *, headers: bool = True) -> Object:
        """A whole Table; without headers it is one of a watch's later events."""
        return to_table(self._resource, objects, self._include, self._now, metadata=metadata, version=self._version, headers=headers)
