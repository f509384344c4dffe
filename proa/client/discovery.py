"""Which resources a server has, from its discovery documents: two requests where it aggregates them, one per version where not."""

import asyncio
from typing import Any

import orjson

from proa.api.errors import ApiError
from proa.api.resource import ResourceId
from proa.client.interface import Client
from proa.lib.dataclass import dataclass

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@dataclass(frozen=True, slots=True)
class Discovered:
    """Each resource once, in its group's preferred version if that has it. `failures` are messages by group version."""

    resources: dict[ResourceId, frozenset[str]]
    failures: dict[str, str]

    def with_verbs(self, *verbs: str) -> list[ResourceId]:
        return [resource for resource, offered in self.resources.items() if set(verbs) <= offered]


_Found = list[tuple[ResourceId, frozenset[str]]]


async def discover(client: Client) -> Discovered:
    """Raises ApiError, OSError if the lists of groups can't be read; single versions that fail are told in the result."""
    failures: dict[str, str] = {}
    core, named = await asyncio.gather(_root(client, "/api", failures), _root(client, "/apis", failures))
    chosen: dict[tuple[str, str], tuple[ResourceId, frozenset[str]]] = {}
    for resource, verbs in (*core, *named):
        chosen.setdefault((resource.group, resource.plural), (resource, verbs))
    return Discovered(dict(chosen.values()), failures)


async def _root(client: Client, path: str, failures: dict[str, str]) -> _Found:
    document = await _get(client, path, _AGGREGATED)
    if document.get("kind") == "APIGroupDiscoveryList":
        return [found for group in document.get("items") or () for found in _aggregated(group, failures)]
    if path == "/api":
        versions = [("", each) for each in document.get("versions") or ()]
    else:
        versions = [(group["name"], version) for group in document.get("groups") or () for version in _ordered(group)]
    listed = await asyncio.gather(*(_version(client, group, version, failures) for group, version in versions))
    return [found for each in listed for found in each]


def _aggregated(group: dict[str, Any], failures: dict[str, str]) -> _Found:
    name = group.get("metadata", {}).get("name", "")
    found: _Found = []
    for version in group.get("versions") or ():
        if version.get("freshness") == "Stale":
            failures[f"{name}/{version['version']}"] = "stale GroupVersion discovery"
        for each in version.get("resources") or ():
            kind = (each.get("responseKind") or {}).get("kind", "")
            resource = ResourceId(name, version["version"], each["resource"], kind, each.get("scope") == "Namespaced")
            found.append((resource, frozenset(each.get("verbs") or ())))
    return found


def _ordered(group: dict[str, Any]) -> list[str]:
    preferred = (group.get("preferredVersion") or {}).get("version")
    versions = [each["version"] for each in group.get("versions") or ()]
    return sorted(versions, key=lambda each: each != preferred)


async def _version(client: Client, group: str, version: str, failures: dict[str, str]) -> _Found:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        document = await _get(client, path, "application/json")
    except ApiError as error:
        failures[f"{group}/{version}"] = error.message
        return []
    return [
        (ResourceId(group, version, each["name"], each["kind"], each["namespaced"]), frozenset(each.get("verbs") or ()))
        for each in document.get("resources") or ()
        if "/" not in each["name"]
    ]


async def _get(client: Client, path: str, accept: str) -> dict[str, Any]:
    status, _, body = await client.request("GET", path, headers={"accept": accept})
    if status != 200:
        raise ApiError(f"GET {path} answered {status}: {body[:200].decode(errors='replace')}", code=status, reason="")
    document: dict[str, Any] = orjson.loads(body)
    return document
