"""A pod that is bound to a node takes over the zone and region of that node, unless it has labels of these names already."""

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(PassiveAdmission):
    name = "PodTopologyLabels"
    resources = frozenset({("", "pods")})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if attributes.operation != "CREATE" or obj is None:
            return
        if attributes.subresource == "binding":
            target = obj.get("target") or {}
            if target.get("kind") == "Node":
                self._copy_labels(obj, target.get("name", ""))
        elif not attributes.subresource and (obj.get("spec") or {}).get("nodeName"):
            self._copy_labels(obj, obj["spec"]["nodeName"])

    def _copy_labels(self, obj: Object, node_name: str) -> None:
        node = self._reader.get("", "nodes", node_name)
        of_node = meta.labels(node) if node is not None else {}
        copied = {key: of_node[key] for key in LABELS if key in of_node}
        if copied:
            metadata = meta.metadata(obj)
            metadata["labels"] = copied | (metadata.get("labels") or {})
