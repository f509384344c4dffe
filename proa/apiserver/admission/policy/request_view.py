"""What CEL expressions of admission see of a request. Source: the variables of "CEL for admission control"."""

from typing import Any

from proa.api.meta import Object
from proa.apiserver.interface import Attributes, ObjectReader

NAMESPACES = ("", "namespaces")


def namespace_of(attributes: Attributes, reader: ObjectReader) -> Object | None:
    if attributes.group_resource == NAMESPACES:
        return attributes.object if attributes.object is not None else attributes.old_object
    return reader.get("", "namespaces", attributes.namespace) if attributes.namespace else None


def seen_by_expressions(attributes: Attributes, reader: ObjectReader) -> dict[str, Any]:
    """The variables of every expression; `params` and `variables` are the policy's."""
    identity, user = attributes.resource.id, attributes.user
    resource = {"group": identity.group, "version": identity.version, "resource": identity.plural}
    shown = attributes.object or attributes.old_object or {}
    group, _, version = str(shown.get("apiVersion") or identity.api_version).rpartition("/")
    kind = {"group": group, "version": version, "kind": shown.get("kind") or identity.kind}
    who = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(each) for key, each in user.extra.items()},
    }
    request = {
        "kind": kind, "resource": resource, "subResource": attributes.subresource, "requestKind": kind, "requestResource": resource,
        "requestSubResource": attributes.subresource, "name": attributes.name, "namespace": attributes.namespace,
        "operation": attributes.operation, "userInfo": who, "dryRun": attributes.dry_run, "options": attributes.options,
    }  # fmt: skip
    namespace = None if attributes.group_resource == NAMESPACES else namespace_of(attributes, reader)
    return {
        "object": attributes.object, "oldObject": attributes.old_object, "request": request, "params": None,
        "namespaceObject": namespace, "variables": {},
    }  # fmt: skip
