"""Resources inside of a custom resource (`x-kubernetes-embedded-resource`): apiVersion, kind and metadata are held to what they are
everywhere; unknown fields of their metadata are taken out.
"""

from collections.abc import Callable, Iterator
from typing import Any

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, path_segment
from proa.api.validation import Findings
from proa.apiserver.crd.list_types import child_of, child_path, children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.registry.object_meta import validate_object_meta

Decoder = Callable[[Any], Findings]


def has_embedded(schema: Schema) -> bool:
    return any(child.get("x-kubernetes-embedded-resource") or has_embedded(child) for child in children(schema))


def embedded(value: Any, schema: Schema, path: str = "") -> Iterator[tuple[str, Object]]:
    """(path, object) of every embedded resource that is there."""
    if value.__class__ is dict:
        if schema.get("x-kubernetes-embedded-resource") and path:
            yield path, value
        for key, item in value.items():
            inner = child_of(schema, key)
            if inner is not None:
                yield from embedded(item, inner, child_path(schema, path, key))
    elif value.__class__ is list and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from embedded(item, schema["items"], f"{path}[{index}]")


def clean(obj: Object, schema: Schema, decode_metadata: Decoder) -> Findings:
    """Unknown fields of metadata, which are removed, and what is of a wrong type."""
    unknown: list[str] = []
    causes: list[Cause] = []
    for path, resource in embedded(obj, schema):
        odd = [field for field in ("apiVersion", "kind") if not isinstance(resource.get(field, ""), str)]
        causes += [_wrong(f"{path}.{field}", resource[field], "must be a string") for field in odd]
        metadata = resource.get("metadata")
        if metadata is None:
            continue
        if not isinstance(metadata, dict):
            causes.append(_wrong(f"{path}.metadata", metadata, "must be an object"))
            continue
        found = decode_metadata(metadata)
        unknown += [f"{path}.metadata.{name}" for name in found.unknown]
        causes += [_wrong(f"{path}.metadata", metadata, cause.message) for cause in found.causes[:1]]
    return Findings(tuple(sorted(unknown)), tuple(causes))


def _wrong(path: str, value: Any, text: str) -> Cause:
    """A complaint of the decoder, which is told by its text alone."""
    return Cause(path, f"{path}: {invalid(path, value, text).message}")


def validate_embedded(obj: Any, schema: Schema) -> list[Cause]:
    causes: list[Cause] = []
    for path, resource in embedded(obj, schema):
        causes += validate_resource(resource, path)
    return causes


def validate_resource(resource: Object, path: str) -> list[Cause]:
    """One of them: apiVersion and kind are there, and metadata is what it is everywhere; its name may be any path segment."""
    causes = [required(f"{path}.{field}") for field in ("apiVersion", "kind") if field not in resource]
    for field in ("apiVersion", "kind"):
        value = resource.get(field)
        if value is not None and not isinstance(value, str):
            causes.append(invalid(f"{path}.{field}", value, "must be a string"))
        elif value == "":
            causes.append(invalid(f"{path}.{field}", value, "must not be empty"))
    causes += _group_version(resource.get("apiVersion"), f"{path}.apiVersion") + _kind(resource.get("kind"), f"{path}.kind")
    metadata = resource.get("metadata")
    if isinstance(metadata, dict):
        named = metadata if metadata.get("name") else metadata | {"name": "fakename"}
        causes += validate_object_meta(named, bool(metadata.get("namespace")), path_segment, f"{path}.metadata")
    return causes


def _group_version(value: Any, path: str) -> list[Cause]:
    if isinstance(value, str) and value.count("/") > 1:
        return [invalid(path, value, f"unexpected GroupVersion string: {value}")]
    return []


def _kind(value: Any, path: str) -> list[Cause]:
    if isinstance(value, str) and value and (problems := dns1035_label(value.lower())):
        return [invalid(path, value, f"may have mixed case, but should otherwise match: {','.join(problems)}")]
    return []
