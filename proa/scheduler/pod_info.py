"""A pod as the scheduler looks at it: what every cycle asks for is worked out once, when the pod is first seen."""

from proa.api import meta
from proa.api.meta import Object
from proa.api.scheduling.host_ports import HostPort, host_ports
from proa.api.scheduling.pod_affinity import PodAffinityTerms, pod_affinity_terms
from proa.api.scheduling.requests import SCORING_DEFAULTS, Requests, pod_requests


class PodInfo:
    """`requests` counts exactly, `scored` as if each container asked for a little."""

    __slots__ = ("affinity", "host_ports", "key", "labels", "namespace", "pod", "priority", "requests", "scored", "terminating", "uid")

    def __init__(self, pod: Object) -> None:
        spec = pod["spec"]
        self.pod = pod
        self.key = meta.key(pod)
        self.uid = meta.uid(pod)
        self.namespace = meta.namespace(pod)
        self.labels = meta.labels(pod)
        self.terminating = meta.is_terminating(pod)
        self.priority = int(spec.get("priority") or 0)
        self.requests: Requests = pod_requests(spec)
        scored = pod_requests(spec, SCORING_DEFAULTS)
        self.scored = (scored["cpu"], scored["memory"])
        self.host_ports: tuple[HostPort, ...] = host_ports(spec)
        self.affinity: PodAffinityTerms = pod_affinity_terms(pod)

    @property
    def spec(self) -> Object:
        spec: Object = self.pod["spec"]
        return spec

    @property
    def node_name(self) -> str:
        return self.spec.get("nodeName") or ""

    @property
    def nominated_node(self) -> str:
        return self.pod.get("status", {}).get("nominatedNodeName") or ""

    def counts_as(self, other: "PodInfo") -> bool:
        """Whether it weighs on its node exactly as `other` does."""
        return (
            self.uid == other.uid
            and self.terminating == other.terminating
            and self.labels == other.labels
            and self.requests == other.requests
            and self.priority == other.priority
        )
