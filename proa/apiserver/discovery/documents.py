"""The discovery documents that every client understands: APIVersions, APIGroupList, APIGroup and APIResourceList."""

import base64
import hashlib
from collections.abc import Iterable, Iterator

from proa.api.meta import Object
from proa.api.resource import Resource, Subresource
from proa.apiserver.discovery.groups import NOTHING, Registered, by_group, group_version


def api_versions(server_address: str) -> Object:
    """What /api answers. `server_address` is "host:port" as clients reach the server."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}],
    }


def api_group_list(resources: Iterable[Resource], registered: Registered = NOTHING) -> Object:
    """What /apis answers."""
    groups = [_group(group, versions) for group, versions in by_group(resources, registered).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(resources: Iterable[Resource], group: str, registered: Registered = NOTHING) -> Object | None:
    """What /apis/GROUP answers; None if nothing of the group is served."""
    versions = by_group((each for each in resources if each.id.group == group), registered).get(group)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)} if versions else None


def _group(group: str, versions: Iterable[str]) -> Object:
    named = [{"groupVersion": group_version(group, version), "version": version} for version in versions]
    return {"name": group, "versions": named, "preferredVersion": named[0]}


def api_resource_list(resources: Iterable[Resource], group: str, version: str) -> Object | None:
    """What /api/v1 and /apis/GROUP/VERSION answer; None if nothing of the version is served."""
    served = by_group(each for each in resources if (each.id.group, each.id.version) == (group, version))
    if not served:
        return None
    described = [entry for resource in served[group][version] for entry in _entries(resource)]
    # The core group's document has always lacked its apiVersion.
    head = {"kind": "APIResourceList", "apiVersion": "v1"} if group else {"kind": "APIResourceList"}
    return head | {"groupVersion": group_version(group, version), "resources": described}


def _entries(resource: Resource) -> Iterator[Object]:
    if resource.verbs:
        yield _resource_entry(resource)
    for name in sorted(resource.subresources):
        yield _subresource_entry(resource, resource.subresources[name])


def _resource_entry(resource: Resource) -> Object:
    entry: Object = {
        "name": resource.id.plural,
        "singularName": singular(resource),
        "namespaced": resource.id.namespaced,
        "kind": resource.id.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if not resource.virtual:
        entry["storageVersionHash"] = storage_version_hash(resource)
    return entry


def _subresource_entry(resource: Resource, subresource: Subresource) -> Object:
    entry: Object = {"name": f"{resource.id.plural}/{subresource.name}", "singularName": "", "namespaced": resource.id.namespaced}
    if subresource.version:
        entry |= {"group": subresource.group, "version": subresource.version}
    return entry | {"kind": subresource.kind, "verbs": sorted(subresource.verbs)}


def singular(resource: Resource) -> str:
    return resource.singular or resource.id.kind.lower()


def storage_version_hash(resource: Resource) -> str:
    """What tells clients that the stored form changed: a digest of the group, version and kind that are written."""
    stored = f"{resource.id.group}/{resource.storage_version or resource.id.version}/{resource.id.kind}"
    return base64.b64encode(hashlib.sha256(stored.encode()).digest()[:8]).decode()
