"""The server's rules that the fake client plays by: discovery documents, grace periods, selection, partial objects."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from proa.api import meta
from proa.api.fields import FieldRequirement, parse_field_selector
from proa.api.labels import parse_selector
from proa.api.meta import Object
from proa.api.resource import ALL_VERBS, ResourceId

_VIRTUAL = {"bindings", "subjectaccessreviews", "tokenreviews"}


def _described(resource: ResourceId) -> Object:
    verbs = ["create"] if resource.plural in _VIRTUAL else list(ALL_VERBS)
    return {"name": resource.plural, "kind": resource.kind, "namespaced": resource.namespaced, "verbs": verbs}


def discovery_document(resources: Sequence[ResourceId], path: str) -> Object | None:
    """What a server answers for the roots of discovery and each group version; None for any other path."""
    groups = sorted({(each.group, each.version) for each in resources if each.group})
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        named = [{"groupVersion": f"{group}/{version}", "version": version} for group, version in groups]
        listed = [{"name": group, "versions": [own], "preferredVersion": own} for (group, _), own in zip(groups, named, strict=True)]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    wanted = path.removeprefix("/apis/").removeprefix("/api/")
    found = [each for each in resources if each.api_version == wanted]
    return {"kind": "APIResourceList", "groupVersion": wanted, "resources": [_described(each) for each in found]} if found else None


def is_graceful(resource: ResourceId, obj: Object) -> bool:
    if resource.plural == "namespaces":
        return bool(obj.get("spec", {}).get("finalizers"))
    return bool(obj["metadata"].get("deletionGracePeriodSeconds"))


def grace_period(resource: ResourceId, obj: Object, asked: int | None) -> int:
    """Pods that run on a node stay until the node agent deletes them with 0."""
    if resource.plural != "pods" or not obj.get("spec", {}).get("nodeName") or asked == 0:
        return 0
    if obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    return asked if asked is not None else int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def selection(namespace: str, label_selector: str, field_selector: str) -> Callable[[Object], bool]:
    labels, fields = parse_selector(label_selector), parse_field_selector(field_selector).requirements

    def selected(obj: Object) -> bool:
        if namespace and meta.namespace(obj) != namespace:
            return False
        return labels.matches(meta.labels(obj)) and all(_field_matches(obj, term) for term in fields)

    return selected


def _field_matches(obj: Object, term: FieldRequirement) -> bool:
    value: Any = obj
    for step in term.field.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return (text == term.value) == (term.operator == "=")


def presented(obj: Object, metadata_only: bool) -> Object:
    if metadata_only:
        return copy.deepcopy({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": obj["metadata"]})
    return copy.deepcopy(obj)
