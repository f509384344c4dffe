"""What counts of a conversion webhook's answer: everything but identity. Name, namespace and UID stay, and of metadata only labels and
annotations are taken over.

Source: "Webhook conversion" in the Kubernetes documentation of CustomResourceDefinition versions.
"""

import copy
from collections.abc import Sequence
from typing import Any

from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.apiserver.registry.object_meta import validate_annotations

IDENTITY = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))
GO_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64", list: "[]interface {}", dict: "map[string]interface {}"}


class WebhookError(Exception):
    """Why there is no answer."""


class Unusable(Exception):
    """What the webhook returned that can't be used."""


def converted_objects(answer: Any, uid: str, version: str) -> list[Any]:
    """What a ConversionReview holds. Raises WebhookError. v1beta1 promises neither its kind nor the UID."""
    review = answer if isinstance(answer, dict) else {}
    if version == "v1" and (review.get("apiVersion"), review.get("kind")) != ("apiextensions.k8s.io/v1", "ConversionReview"):
        got = _kind_of(review)
        raise WebhookError(f"expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got {got}")
    response = review.get("response")
    if not isinstance(response, dict):
        raise WebhookError("no response provided")
    if version == "v1" and response.get("uid") != uid:
        raise WebhookError(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    result = response.get("result") or {}
    status = result.get("status") or ""
    if status != "Success":
        raise WebhookError(result.get("message") or f"response.result.status was '{status}', not 'Success'")
    return list(response.get("convertedObjects") or ())


def _kind_of(obj: Any) -> str:
    return f"{obj.get('apiVersion') or ''}, Kind={obj.get('kind') or ''}"


def accepted(converted: Sequence[Any], objects: Sequence[Object], api_version: str) -> list[Object]:
    """The converted objects, with what a webhook may not change put back. Raises Unusable."""
    if len(converted) != len(objects):
        raise Unusable(f"{len(converted)} objects, expected {len(objects)}")
    return [_restored(new, old, index, api_version) for index, (new, old) in enumerate(zip(converted, objects, strict=True))]


def _restored(new: Any, old: Object, index: int, api_version: str) -> Object:
    place = f"invalid object at index {index}"
    if not isinstance(new, dict) or new.get("apiVersion") != api_version:
        got = new.get("apiVersion") or "" if isinstance(new, dict) else ""
        raise Unusable(f"{place}: invalid groupVersion (expected {api_version}, received {got})")
    if new.get("kind") != old["kind"]:
        raise Unusable(f"{place}: invalid kind (expected {old['kind']}, received {new.get('kind') or ''})")
    given, before = new.get("metadata"), old["metadata"]
    shown = given if isinstance(given, dict) else {}
    for field, name in IDENTITY:
        if (shown.get(field) or "") != (before.get(field) or ""):
            raise Unusable(f"invalid object: must have the same {name}: {before.get(field) or ''} != {shown.get(field) or ''}")
    ordered: Object = {"apiVersion": api_version, "kind": old["kind"], "metadata": _metadata(given, before)}
    return ordered | {key: value for key, value in new.items() if key not in ordered}


def _metadata(given: Any, before: Object) -> Object:
    if given is None:
        raise Unusable("invalid metadata: missing metadata in converted object")
    if not isinstance(given, dict):
        raise Unusable(f"invalid metadata: invalid metadata of type {GO_TYPES[given.__class__]} in converted object")
    metadata: Object = copy.deepcopy({key: value for key, value in before.items() if key not in ("labels", "annotations")})
    for field in ("labels", "annotations"):
        if given.get(field) is not None:
            metadata[field] = _texts(given[field], before.get(field) or {}, field)
    return {key: value for key, value in metadata.items() if value or key not in ("labels", "annotations")}


def _texts(given: Any, before: Object, field: str) -> Object:
    if not isinstance(given, dict):
        raise Unusable(f"invalid metadata: invalid metadata.{field} of type {GO_TYPES[given.__class__]} in converted object")
    for key, value in given.items():
        if not isinstance(value, str):
            kind = GO_TYPES.get(value.__class__, "<nil>")
            raise Unusable(f"invalid metadata: metadata.{field}[{key}] must be a string, but is {kind} in converted object")
    if given != before:
        causes = validate_labels(given, "metadata.labels") if field == "labels" else validate_annotations(given, "metadata.annotation")
        if causes:
            told = ", ".join(cause.detail for cause in causes)
            raise Unusable(f"invalid metadata: {told if len(causes) == 1 else f'[{told}]'}")
    return given
