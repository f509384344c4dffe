"""Which function answers which verb: the whole routing of resource requests, in three tables."""

from collections.abc import Awaitable, Callable, Mapping

from proa.apiserver.call import Call
from proa.apiserver.interface import RequestInfo
from proa.apiserver.verbs.binding import create_binding
from proa.apiserver.verbs.component_status import get_component_status, list_component_statuses
from proa.apiserver.verbs.create import create
from proa.apiserver.verbs.delete import delete
from proa.apiserver.verbs.delete_collection import delete_collection
from proa.apiserver.verbs.eviction import create_eviction
from proa.apiserver.verbs.get import get
from proa.apiserver.verbs.list import list_objects
from proa.apiserver.verbs.patch import patch
from proa.apiserver.verbs.scale import get_scale, patch_scale, update_scale
from proa.apiserver.verbs.token import create_token
from proa.apiserver.verbs.update import update
from proa.apiserver.verbs.watch import watch
from proa.lib.http.message import AnyResponse

Verb = Callable[[Call], Awaitable[AnyResponse]]

RESOURCE_VERBS: Mapping[str, Verb] = {
    "get": get,
    "list": list_objects,
    "watch": watch,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": delete_collection,
}

SUBRESOURCE_VERBS: Mapping[str, Verb] = {"get": get, "update": update, "patch": patch}
"""status and everything else whose kind is that of the resource; its strategy says what passes."""

SPECIAL: Mapping[tuple[str, str], Verb] = {
    ("scale", "get"): get_scale,
    ("scale", "update"): update_scale,
    ("scale", "patch"): patch_scale,
    ("binding", "create"): create_binding,
    ("eviction", "create"): create_eviction,
    ("token", "create"): create_token,
}
"""Subresources with a kind of their own, by (subresource, verb)."""

SPECIAL_RESOURCES: Mapping[tuple[str, str, str], Verb] = {
    ("", "bindings", "create"): create_binding,
    ("", "componentstatuses", "list"): list_component_statuses,
    ("", "componentstatuses", "get"): get_component_status,
}
"""Resources that are answered and not stored, beside the reviews."""


def _is_elsewhere(info: RequestInfo) -> bool:
    """Objects are created in their collection, and changed by their own path."""
    return info.verb == "create" if info.name else info.verb in ("update", "patch")


def find_verb(call: Call) -> Verb | None:
    """None where the resource has no such verb (405)."""
    info, resource = call.info, call.served.resource
    if not info.subresource:
        if info.verb not in resource.verbs or _is_elsewhere(info):
            return None
        return SPECIAL_RESOURCES.get((info.group, info.resource, info.verb)) or RESOURCE_VERBS.get(info.verb)
    special = SPECIAL.get((info.subresource, info.verb))
    if special is not None:
        return special
    subresource = resource.subresources[info.subresource]
    if info.verb not in subresource.verbs or subresource.strategy is None:
        return None
    return SUBRESOURCE_VERBS.get(info.verb)
