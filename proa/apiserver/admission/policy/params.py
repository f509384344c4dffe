"""The parameters of a binding: none, one by name, or all that a selector chooses. Source: policy/generic CollectParams."""

from proa.api import meta
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.admission.shown import Served
from proa.apiserver.interface import ObjectReader

NOT_FOUND = "no params found for policy binding with `Deny` parameterNotFoundAction"
CLUSTER_SCOPED = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
NO_NAMESPACE = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"


class ConfigurationError(Exception):
    """A policy or a binding can't be evaluated; what its failure policy says happens."""


class Parameters:
    def __init__(self, reader: ObjectReader, served: Served) -> None:
        self._reader, self._served = reader, served

    def resource(self, kind: Object) -> ResourceId:
        """Of a paramKind; raises ConfigurationError."""
        version, name = kind.get("apiVersion", ""), kind.get("kind", "")
        served = (each.resource.id for each in self._served.values() if not each.resource.virtual)
        found = next((each for each in served if (each.api_version, each.kind) == (version, name)), None)
        if found is None:
            told = version if "/" in version else f"/{version}"
            raise ConfigurationError(f"failed to find resource referenced by paramKind: '{told}, Kind={name}'")
        return found

    def collect(self, kind: Object | None, reference: Object | None, namespace: str) -> list[Object | None]:
        """[None] where the policy or the binding has none. Raises ConfigurationError."""
        if kind is None or reference is None:
            return [None]
        resource = self.resource(kind)
        if not resource.namespaced and reference.get("namespace"):
            raise ConfigurationError(CLUSTER_SCOPED)
        within = (reference.get("namespace") or namespace) if resource.namespaced else ""
        if resource.namespaced and not within:
            raise ConfigurationError(NO_NAMESPACE)
        found = [_typed(each, resource) for each in self._chosen(resource, within, reference)]
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError(NOT_FOUND)
        return list(found)

    def _chosen(self, resource: ResourceId, namespace: str, reference: Object) -> list[Object]:
        if reference.get("name"):
            one = self._reader.get(resource.group, resource.plural, reference["name"], namespace)
            return [one] if one is not None else []
        selector = selector_from_object(reference.get("selector") or {})
        listed = self._reader.list(resource.group, resource.plural, namespace)
        return [each for each in listed if selector.matches(meta.labels(each))]


def _typed(obj: Object, resource: ResourceId) -> Object:
    return obj if obj.get("kind") and obj.get("apiVersion") else {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
