"""How a denial reads: what users, scripts and `kubectl` match on, so it is upstream's wording to the letter."""

import json
from typing import Any

from proa.api.errors import Forbidden
from proa.apiserver.interface import RequestInfo, User


class ForbiddenPath(Forbidden):
    """A path is no object: upstream's details are there, and empty."""

    def to_status(self) -> dict[str, Any]:
        return super().to_status() | {"details": {}}


def describe(user: User, info: RequestInfo) -> str:
    """`User "x" cannot list resource "pods" in API group "" in the namespace "default"`."""
    who, verb = quoted(user.name), info.verb
    if not info.is_resource:
        return f"User {who} cannot {verb} path {quoted(info.path)}"
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    scope = f"in the namespace {quoted(info.namespace)}" if info.namespace else "at the cluster scope"
    return f"User {who} cannot {verb} resource {quoted(resource)} in API group {quoted(info.group)} {scope}"


def quoted(text: str) -> str:
    """As Go quotes, and without what a browser would take for a tag."""
    return json.dumps(text, ensure_ascii=False).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def forbidden(user: User, info: RequestInfo, reason: str = "") -> Forbidden:
    why = describe(user, info) + (f": {reason}" if reason else "")
    if not info.is_resource:
        return ForbiddenPath(f"forbidden: {why}")
    return Forbidden.of(info.group, info.resource, info.name, why)
