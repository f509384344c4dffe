"""What another server says of its resources, as this server's aggregated discovery shows it.

Servers that know aggregated discovery are asked for it; of the others the resource list of the group version is translated. What was heard
last stays, marked as stale, while a server does not answer.
"""

from dataclasses import field
from typing import Any

import orjson

from proa.api.meta import Object
from proa.apiserver.aggregation.remote import BadTrust, RemoteApi
from proa.apiserver.outbound import Unresolved
from proa.lib.dataclass import dataclass

ACCEPT = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")] + ["application/json"]
)


@dataclass(slots=True)
class RemoteDiscovery:
    """`document` is an APIVersionDiscovery."""

    version: str
    document: Object = field(default_factory=dict)
    etag: str = ""

    def shown(self, *, fresh: bool) -> Object:
        return {"version": self.version, **self.document, "freshness": "Current" if fresh else "Stale"}

    async def refresh(self, remote: RemoteApi) -> bool:
        """Whether the server has answered."""
        try:
            return await self._ask(remote)
        except (OSError, Unresolved, BadTrust, ValueError, KeyError, TypeError, AttributeError):
            return False

    async def _ask(self, remote: RemoteApi) -> bool:
        answer = await remote.fetch("/apis" if remote.group else "/api", ACCEPT, self.etag)
        if answer.status == 304:
            return True
        if answer.status == 200 and "as=APIGroupDiscoveryList" in answer.headers.get("content-type", "").replace(" ", ""):
            self.document = version_discovery(orjson.loads(answer.body), remote.group, remote.version)
            self.etag = answer.headers.get("etag", "")
            return True
        answer = await remote.fetch(remote.path, "application/json")
        if answer.status != 200:
            return False
        self.document, self.etag = from_resource_list(orjson.loads(answer.body), remote.group, remote.version), ""
        return True


def version_discovery(groups: Object, group: str, version: str) -> Object:
    """One version out of an APIGroupDiscoveryList; empty if it isn't there, as the APIService says that there is one."""
    for each in groups.get("items") or ():
        if (each.get("metadata") or {}).get("name", "") == group:
            for found in each.get("versions") or ():
                if found["version"] == version:
                    return {"version": version, "resources": found.get("resources") or []}
    return {"version": version}


def from_resource_list(listed: Object, group: str, version: str) -> Object:
    """An APIResourceList in the new form: subresources stand within their resources."""
    resources: dict[str, Object] = {}
    for entry in listed.get("resources") or ():
        name, _, subresource = entry["name"].partition("/")
        if not subresource:
            resources[name] = _resource(entry, group, version) | ({"subresources": s} if (s := _subresources(resources, name)) else {})
            continue
        parent = resources.setdefault(name, {"resource": name, "scope": _scope(entry), "verbs": []})
        described = {"subresource": subresource, "responseKind": _kind(entry, group, version), "verbs": sorted(entry.get("verbs") or ())}
        parent.setdefault("subresources", []).append(described)
    return {"version": version, "resources": list(resources.values())}


def _subresources(resources: dict[str, Object], name: str) -> list[Any]:
    found: list[Any] = resources.get(name, {}).get("subresources") or []
    return found


def _resource(entry: Object, group: str, version: str) -> Object:
    described: Object = {
        "resource": entry["name"],
        "responseKind": _kind(entry, group, version),
        "scope": _scope(entry),
        "singularResource": entry.get("singularName") or "",
        "verbs": sorted(entry.get("verbs") or ()),
    }
    return described | {field: entry[field] for field in ("shortNames", "categories") if entry.get(field)}


def _kind(entry: Object, group: str, version: str) -> Object:
    return {"group": entry.get("group") or group, "version": entry.get("version") or version, "kind": entry.get("kind") or ""}


def _scope(entry: Object) -> str:
    return "Namespaced" if entry.get("namespaced") else "Cluster"
