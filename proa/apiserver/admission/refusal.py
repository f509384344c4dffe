"""How admission says no: a Forbidden that names the object, with upstream's handling of names that are still to be generated."""

from proa.api import meta
from proa.api.errors import ApiError, Forbidden
from proa.apiserver.interface import Attributes


def object_name(attributes: Attributes) -> str:
    """The name in the request, else the object's own, else its generateName."""
    obj = attributes.object or {}
    return attributes.name or meta.name(obj) or obj.get("metadata", {}).get("generateName", "") or "Unknown"


def refuse(attributes: Attributes, why: str) -> Forbidden:
    group, plural = attributes.group_resource
    return Forbidden.of(group, plural, object_name(attributes), why)


def fail(why: str) -> ApiError:
    """Where upstream's plugin gives an error that is none of the API's own: 500 without a reason."""
    return ApiError(why, reason="")
