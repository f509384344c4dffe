"""What CEL expressions of admission see of a request. Source: the variables of "CEL for admission control"."""

from typing import Any

from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.admission.shown import shown_object
from proa.apiserver.interface import Attributes, ObjectReader

NAMESPACES = ("", "namespaces")
_NAMESPACE_METADATA = frozenset(
    {
        "name", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "labels", "annotations", "finalizers",
    }
)  # fmt: skip


def namespace_of(attributes: Attributes, reader: ObjectReader) -> Object | None:
    if attributes.group_resource == NAMESPACES:
        return attributes.object if attributes.object is not None else attributes.old_object
    return reader.get("", "namespaces", attributes.namespace) if attributes.namespace else None


def seen_by_expressions(attributes: Attributes, reader: ObjectReader, resource: Resource) -> dict[str, Any]:
    """The variables of every expression, with the object as `resource` has it; `params` and `variables` are the policy's."""
    obj, old = (shown_object(each, attributes, resource) for each in (attributes.object, attributes.old_object))
    shown_as, asked_as = _named(resource, obj or old), _named(attributes.resource, attributes.object or attributes.old_object)
    user = attributes.user
    who = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(each) for key, each in user.extra.items()},
    }
    request = {
        "kind": shown_as[0], "resource": shown_as[1], "subResource": attributes.subresource, "requestKind": asked_as[0],
        "requestResource": asked_as[1],
        "requestSubResource": attributes.subresource, "name": attributes.name, "namespace": attributes.namespace,
        "operation": attributes.operation, "userInfo": _present(who), "dryRun": attributes.dry_run, "options": attributes.options or None,
    }  # fmt: skip
    request = {key: value for key, value in request.items() if value not in ("", None)}
    namespace = None if attributes.group_resource == NAMESPACES else namespace_of(attributes, reader)
    return {"object": obj, "oldObject": old, "request": request, "namespaceObject": _shown_namespace(namespace)}


def _present(values: Object) -> Object:
    """Without what is empty: as a request says it in JSON."""
    return {key: value for key, value in values.items() if value}


def _shown_namespace(namespace: Object | None) -> Object | None:
    if namespace is None:
        return None
    metadata = {key: value for key, value in namespace.get("metadata", {}).items() if key in _NAMESPACE_METADATA}
    return {"metadata": metadata, "spec": namespace.get("spec") or {}, "status": namespace.get("status") or {}}


def _named(resource: Resource, obj: Object | None) -> tuple[Object, Object]:
    """(kind, resource) of an object."""
    identity, shown = resource.id, obj or {}
    group, _, version = str(shown.get("apiVersion") or identity.api_version).rpartition("/")
    kind = {"group": group, "version": version, "kind": shown.get("kind") or identity.kind}
    return kind, {"group": identity.group, "version": identity.version, "resource": identity.plural}
