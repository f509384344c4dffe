"""Resources inside of a custom resource (`x-kubernetes-embedded-resource`): apiVersion, kind and metadata are held to what they are
everywhere; unknown fields of their metadata are taken out.
"""

from collections.abc import Callable, Iterator
from typing import Any

from proa.api.errors import Cause, invalid, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1035_label
from proa.api.validation import Findings
from proa.apiserver.crd.list_types import children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.registry.object_meta import validate_annotations

Decoder = Callable[[Any], Findings]


def has_embedded(schema: Schema) -> bool:
    return any(child.get("x-kubernetes-embedded-resource") or has_embedded(child) for child in children(schema))


def embedded(value: Any, schema: Schema, path: str = "") -> Iterator[tuple[str, Object]]:
    """(path, object) of every embedded resource that is there."""
    if value.__class__ is dict:
        if schema.get("x-kubernetes-embedded-resource") and path:
            yield path, value
        properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            inner = properties.get(key, additional)
            if inner.__class__ is dict:
                yield from embedded(item, inner, f"{path}.{key}" if path else key)
    elif value.__class__ is list and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from embedded(item, schema["items"], f"{path}[{index}]")


def clean(obj: Object, schema: Schema, decode_metadata: Decoder) -> list[str]:
    """Paths of unknown metadata fields, which are removed."""
    unknown: list[str] = []
    for path, resource in embedded(obj, schema):
        if isinstance(resource.get("metadata"), dict):
            unknown += [f"{path}.metadata.{name}" for name in decode_metadata(resource["metadata"]).unknown]
    return unknown


def validate_embedded(obj: Object, schema: Schema, decode_metadata: Decoder) -> list[Cause]:
    causes: list[Cause] = []
    for path, resource in embedded(obj, schema):
        causes += _type(resource, path)
        metadata = resource.get("metadata")
        if metadata is None:
            continue
        wrong = decode_metadata(metadata).causes if isinstance(metadata, dict) else [Cause("", "must be an object")]
        if wrong:
            causes.append(invalid(f"{path}.metadata", metadata, wrong[0].message))
        else:
            causes += validate_labels(metadata.get("labels") or {}, f"{path}.metadata.labels")
            causes += validate_annotations(metadata.get("annotations") or {}, f"{path}.metadata.annotations")
    return causes


def _type(resource: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}", "must not be empty") for field in ("apiVersion", "kind") if not resource.get(field)]
    kind = resource.get("kind")
    if isinstance(kind, str) and kind and (problems := dns1035_label(kind.lower())):
        text = f"may have mixed case, but should otherwise match: {','.join(problems)}"
        causes.append(invalid(f"{path}.kind", kind, text))
    return causes
