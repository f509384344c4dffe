"""Aggregated discovery: everything that /api or /apis serve in one document, in the versions v2 and v2beta1."""

import hashlib
from collections.abc import Iterable, Sequence

from proa.api.meta import Object
from proa.api.resource import Resource, Subresource
from proa.apiserver.discovery.documents import singular
from proa.apiserver.discovery.groups import NOTHING, Registered, by_group
from proa.apiserver.negotiation import JSON, PROTOBUF

VERSIONS = ("v2", "v2beta1")


def content_type(media_type: str, version: str) -> str:
    return f"{media_type};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def wanted_form(accept: str) -> tuple[str, str] | None:
    """(media type, version) of aggregated discovery that an Accept header puts before its old form; None where that is wanted."""
    for media_range in accept.split(","):
        media_type, *parameters = (part.strip() for part in media_range.split(";"))
        given = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        if media_type not in (JSON, PROTOBUF, "*/*", "application/*"):
            continue
        if given.get("as") != "APIGroupDiscoveryList":
            return None
        if given.get("g") == "apidiscovery.k8s.io" and given.get("v") in VERSIONS:
            return PROTOBUF if media_type == PROTOBUF else JSON, given["v"]
    return None


def api_group_discovery_list(
    resources: Iterable[Resource], *, core: bool, version: str = "v2", registered: Registered = NOTHING
) -> Object:  # fmt: skip
    """What /api (`core`) or /apis answer to a client that asked for aggregated discovery."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [registered.remote.get((group, name)) or _version(name, served) for name, served in versions.items()],
        }
        for group, versions in by_group(resources, registered).items()
        if (group == "") == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}", "metadata": {}, "items": items}


def etag(document: bytes) -> str:
    """The entity tag of an encoded document, as clients cache it."""
    return f'"{hashlib.sha512(document).hexdigest().upper()}"'


def _version(version: str, resources: Sequence[Resource]) -> Object:
    return {"version": version, "resources": [_resource(each) for each in resources], "freshness": "Current"}


def _resource(resource: Resource) -> Object:
    described: Object = {
        "resource": resource.id.plural,
        "responseKind": {"group": resource.id.group, "version": resource.id.version, "kind": resource.id.kind},
        "scope": "Namespaced" if resource.id.namespaced else "Cluster",
        "singularResource": singular(resource),
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        described["shortNames"] = list(resource.short_names)
    if resource.categories:
        described["categories"] = list(resource.categories)
    if resource.subresources:
        described["subresources"] = [_subresource(resource, resource.subresources[name]) for name in sorted(resource.subresources)]
    return described


def _subresource(resource: Resource, subresource: Subresource) -> Object:
    group, version = (subresource.group, subresource.version) if subresource.version else (resource.id.group, resource.id.version)
    return {
        "subresource": subresource.name,
        "responseKind": {"group": group, "version": version, "kind": subresource.kind},
        "verbs": sorted(subresource.verbs),
    }
