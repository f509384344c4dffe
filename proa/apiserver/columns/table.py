"""Objects to a meta.k8s.io Table: what `kubectl get` shows when it asks the server to print."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from proa.api.meta import Object
from proa.api.resource import Column, Resource
from proa.apiserver.columns.builtin import columns_for
from proa.apiserver.columns.pods import row_conditions

IncludeObject = Literal["None", "Metadata", "Object"]


def _precedence(obj: Object) -> tuple[int, str]:
    return obj.get("spec", {}).get("matchingPrecedence") or 0, obj["metadata"].get("name", "")


ROW_ORDER: Mapping[tuple[str, str], Callable[[Object], Any]] = {("flowcontrol.apiserver.k8s.io", "flowschemas"): _precedence}
"""Kinds whose rows come in the order in which they take effect instead of the list's."""


def to_table(
    resource: Resource, objects: Iterable[Object], include_object: IncludeObject, now: float, *, metadata: Mapping[str, Any] | None = None,
    version: str = "v1", headers: bool = True,
) -> Object:  # fmt: skip
    """A Table of `version` (v1, v1beta1) with one row per object. `now` is in seconds since the epoch.

    `metadata` is the list's (resourceVersion, continue, remainingItemCount), for a single object its resourceVersion alone. A watch sends
    the column definitions with its first event only: `headers` False leaves them out.
    """
    columns = resource.columns or columns_for(resource.id.group, resource.id.plural)
    order = ROW_ORDER.get((resource.id.group, resource.id.plural))
    is_pod = (resource.id.group, resource.id.plural) == ("", "pods")
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {key: value for key, value in (metadata or {}).items() if value not in ("", None)},
        "columnDefinitions": [_definition(column) for column in columns] if headers else None,
        "rows": [_row(columns, obj, include_object, now, version, is_pod) for obj in (sorted(objects, key=order) if order else objects)],
    }


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(columns: tuple[Column, ...], obj: Object, include_object: IncludeObject, now: float, version: str, is_pod: bool) -> Object:
    row: Object = {"cells": [column.cell(obj, now) for column in columns]}
    if is_pod and (conditions := row_conditions(obj)):
        row["conditions"] = conditions
    if include_object == "Metadata":
        row["object"] = partial_object_metadata(obj, version)
    else:
        row["object"] = obj if include_object == "Object" else None
    return row


def partial_object_metadata(obj: Object, version: str = "v1") -> Object:
    """An object with nothing but its metadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj.get("metadata", {})}


def partial_object_metadata_list(objects: Iterable[Object], metadata: Mapping[str, Any], version: str = "v1") -> Object:
    """A list of them, for `as=PartialObjectMetadataList`."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(metadata),
        "items": [partial_object_metadata(obj, version) for obj in objects],
    }
