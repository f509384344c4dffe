"""How a denial reads: what users, scripts and `kubectl` match on, so it is upstream's wording to the letter."""

from proa.api.errors import Forbidden
from proa.apiserver.interface import RequestInfo, User


def describe(user: User, info: RequestInfo) -> str:
    """`User "x" cannot list resource "pods" in API group "" in the namespace "default"`."""
    if not info.is_resource:
        return f'User "{user.name}" cannot {info.verb} path "{info.path}"'
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    scope = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {scope}'


def forbidden(user: User, info: RequestInfo, reason: str = "") -> Forbidden:
    why = describe(user, info) + (f": {reason}" if reason else "")
    if not info.is_resource:
        return Forbidden(f"forbidden: {why}")
    return Forbidden.of(info.group, info.resource, info.name, why)
