"""Likes nodes that hold the pod's images already, more for large ones, and less where few nodes hold them, lest all pods flock there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from proa.api.meta import Object
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.framework.status import SKIP, Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

_MEGABYTE = 1 << 20
_LEAST = 23 * _MEGABYTE
_MOST_PER_CONTAINER = 1000 * _MEGABYTE


class ImageLocality:
    name = "ImageLocality"

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        images = [image for image in images_of(pod.spec) if image in self._cache.image_nodes]
        total = len(self._cache.nodes)
        state.data[self.name] = [(image, self._cache.image_nodes[image] / total) for image in images]
        return None if images else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        size = sum(int(node.images[image] * share) for image, share in state.data[self.name] if image in node.images)
        most = _MOST_PER_CONTAINER * len(images_of(pod.spec))
        return MAX_NODE_SCORE * (min(max(size, _LEAST), most) - _LEAST) // (most - _LEAST)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return scores

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        if self.pre_score(state, pod, ()) is SKIP:
            return None
        key = (self.name, tuple(state.data[self.name]), tuple(images_of(pod.spec)))
        return columns.kept(key, lambda node: self.score(state, pod, node))[slots]


def images_of(spec: Object) -> list[str]:
    """As nodes list them: with a tag."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return [normalized(each["image"]) for each in containers if each.get("image")]


def normalized(image: str) -> str:
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
