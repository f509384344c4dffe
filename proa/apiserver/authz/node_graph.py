"""Which node has to do with which object, kept as pods and volumes change: node <- pod <- secret, config map, claim, service account,
resource claim, and from a claim on to its volume and the secrets that the volume needs.
"""

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.apiserver.authz import pod_references
from proa.apiserver.interface import ObjectReader
from proa.lib.dataclass import dataclass

Vertex = tuple[str, str, str]
"""(plural, namespace, name)."""


@dataclass(frozen=True, slots=True)
class PodEdges:
    """`fingerprint` is all of a pod that its edges depend on: most updates are of status, and change none."""

    fingerprint: tuple[object, ...]
    node: str
    vertices: frozenset[Vertex]


class NodeGraph:
    def __init__(self) -> None:
        self._pods: dict[str, PodEdges] = {}
        self._nodes: dict[Vertex, dict[str, int]] = {}
        self._claim_of_volume: dict[str, Vertex] = {}
        self._secrets_of_volume: dict[str, frozenset[Vertex]] = {}
        self._volumes_of_secret: dict[Vertex, set[str]] = {}
        self._node_of: dict[Vertex, str] = {}

    def follow(self, reader: ObjectReader) -> None:
        reader.observe("", "pods", self.observe_pod)
        reader.observe("", "persistentvolumes", self.observe_volume)
        reader.observe("storage.k8s.io", "volumeattachments", self.observe_attachment)
        reader.observe("resource.k8s.io", "resourceslices", self.observe_slice)

    def has_path(self, node: str, plural: str, namespace: str, name: str) -> bool:
        vertex = plural, namespace, name
        if vertex in self._node_of:
            return self._node_of[vertex] == node
        if plural == "persistentvolumes":
            claim = self._claim_of_volume.get(name)
            return claim is not None and self._is_on(node, claim)
        if self._is_on(node, vertex):
            return True
        return any(self.has_path(node, "persistentvolumes", "", volume) for volume in self._volumes_of_secret.get(vertex, ()))

    def _is_on(self, node: str, vertex: Vertex) -> bool:
        return node in self._nodes.get(vertex, ())

    def observe_pod(self, event: str, pod: Object) -> None:
        key, node = meta.key(pod), pod.get("spec", {}).get("nodeName", "")
        if event == "DELETED" or not node:
            self._remove(key)
            return
        fingerprint = _fingerprint(pod)
        known = self._pods.get(key)
        if known and known.fingerprint == fingerprint:
            return
        self._remove(key)
        edges = self._pods[key] = PodEdges(fingerprint, node, vertices_of(pod))
        for vertex in edges.vertices:
            counts = self._nodes.setdefault(vertex, {})
            counts[node] = counts.get(node, 0) + 1

    def _remove(self, key: str) -> None:
        edges = self._pods.pop(key, None)
        for vertex in edges.vertices if edges else ():
            assert edges is not None
            counts = self._nodes[vertex]
            counts[edges.node] -= 1
            if not counts[edges.node]:
                del counts[edges.node]
            if not counts:
                del self._nodes[vertex]

    def observe_volume(self, event: str, volume: Object) -> None:
        name, claim = meta.name(volume), volume.get("spec", {}).get("claimRef")
        for secret in self._secrets_of_volume.pop(name, frozenset()):
            self._volumes_of_secret[secret].discard(name)
        self._claim_of_volume.pop(name, None)
        if event == "DELETED" or not claim:
            return
        self._claim_of_volume[name] = ("persistentvolumeclaims", claim.get("namespace", ""), claim.get("name", ""))
        self._secrets_of_volume[name] = volume_secrets(volume, claim.get("namespace", ""))
        for secret in self._secrets_of_volume[name]:
            self._volumes_of_secret.setdefault(secret, set()).add(name)

    def observe_attachment(self, event: str, attachment: Object) -> None:
        self._observe_owned("volumeattachments", event, attachment)

    def observe_slice(self, event: str, resource_slice: Object) -> None:
        self._observe_owned("resourceslices", event, resource_slice)

    def _observe_owned(self, plural: str, event: str, obj: Object) -> None:
        vertex, node = (plural, "", meta.name(obj)), obj.get("spec", {}).get("nodeName", "")
        self._node_of.pop(vertex, None)
        if event != "DELETED" and node:
            self._node_of[vertex] = node


def vertices_of(pod: Object) -> frozenset[Vertex]:
    """The pod itself and what it needs. A mirror pod is the kubelet's own writing, so it opens nothing."""
    namespace = meta.namespace(pod)
    found = {("pods", namespace, meta.name(pod))}
    if MIRROR in meta.annotations(pod):
        return frozenset(found)
    account = pod["spec"].get("serviceAccountName", "")
    if account:
        found.add(("serviceaccounts", namespace, account))
    needed = pod_references.references(pod)
    found.update([("secrets", namespace, name) for name in needed.secrets])
    found.update([("configmaps", namespace, name) for name in needed.config_maps])
    found.update([("persistentvolumeclaims", namespace, name) for name in needed.claims])
    found.update([("resourceclaims", namespace, name) for name in pod_references.resource_claim_names(pod)])
    return frozenset(found)


def _fingerprint(pod: Object) -> tuple[object, ...]:
    """The rest of a bound pod's spec that names other objects can't change."""
    spec = pod["spec"]
    claims = tuple(sorted(pod_references.resource_claim_names(pod)))
    return meta.uid(pod), spec["nodeName"], len(spec.get("ephemeralContainers") or ()), claims


def volume_secrets(volume: Object, claim_namespace: str) -> frozenset[Vertex]:
    """The secrets that mounting a PersistentVolume needs; without a namespace of their own they are in the claim's."""
    found = set()
    spec = volume.get("spec", {})
    for kind, path in pod_references.SECRET_FIELDS.items():
        source = spec.get(kind) or {}
        if path == ("secretName",):
            name, namespace = source.get("secretName"), source.get("secretNamespace")
        else:
            reference = source.get(path[0]) or {}
            name, namespace = reference.get("name"), reference.get("namespace")
        if name:
            found.add(("secrets", namespace or claim_namespace, name))
    for member in ("nodeStageSecretRef", "nodeExpandSecretRef"):
        reference = (spec.get("csi") or {}).get(member)
        if reference:
            found.add(("secrets", reference.get("namespace") or claim_namespace, reference.get("name", "")))
    return frozenset(found)
