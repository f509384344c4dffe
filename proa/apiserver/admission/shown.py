"""In which form webhooks and policies see an object: in the version that their rules name, and of a scaled workload its Scale.

Rules that ask for one version mean the stored object, whatever version or group a client uses, or a policy would end where another
version begins.
"""

from collections.abc import Mapping

from proa.api.meta import Object
from proa.api.resource import Resource
from proa.apiserver.interface import Attributes
from proa.apiserver.served import GroupVersionResource, ServedResource

SCALE = "autoscaling/v1"
Served = Mapping[GroupVersionResource, ServedResource]


class Equivalents:
    """The resources that serve the same stored objects, the asked one first; found anew when resources come or go."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._known: dict[GroupVersionResource, tuple[Resource, ...]] = {}
        self._count = 0

    def of(self, resource: Resource) -> tuple[Resource, ...]:
        if self._count != len(self._served):
            self._count = len(self._served)
            self._known.clear()
        key = resource.id.group, resource.id.version, resource.id.plural
        found = self._known.get(key)
        if found is None:
            others = (each.resource for each in self._served.values())
            same = (each for each in others if each.storage_key == resource.storage_key and each.id != resource.id)
            found = self._known[key] = (resource, *same)
        return found


def shown_object(obj: Object | None, attributes: Attributes, resource: Resource) -> Object | None:
    if obj is None:
        return None
    if attributes.subresource == "scale" and obj.get("kind") != "Scale":
        return _scale(obj)
    if resource.id != attributes.resource.id and obj.get("apiVersion") == attributes.resource.id.api_version:
        return resource.convert(obj, resource.id.version)
    return obj


def _scale(obj: Object) -> Object:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    body = {"spec": {"replicas": spec.get("replicas", 0)}, "status": {"replicas": status.get("replicas", 0)}}
    return {"kind": "Scale", "apiVersion": SCALE, "metadata": metadata, **body}
