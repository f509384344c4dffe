"""Which pods were promised a place on a node, because others are being removed from it for them (status.nominatedNodeName)."""

from proa.scheduler.pod_info import PodInfo


class Nominator:
    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, PodInfo]] = {}
        self._nodes: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._nodes)

    def add(self, pod: PodInfo, node: str) -> None:
        self.remove(pod.key)
        if node:
            self._nodes[pod.key] = node
            self._by_node.setdefault(node, {})[pod.key] = pod

    def remove(self, key: str) -> None:
        node = self._nodes.pop(key, None)
        if node is not None:
            del self._by_node[node][key]
            if not self._by_node[node]:
                del self._by_node[node]

    def node_of(self, key: str) -> str:
        return self._nodes.get(key, "")

    def nodes(self) -> set[str]:
        return set(self._by_node)

    def ahead_of(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Others with a promise there that are at least as important."""
        if not self._nodes:
            return []
        return [each for each in self._by_node.get(node, {}).values() if each.key != pod.key and each.priority >= pod.priority]

    def below(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Less important ones, whose promise no longer holds once `pod` goes there."""
        return [each for each in self._by_node.get(node, {}).values() if each.priority < pod.priority]
