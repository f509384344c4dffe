"""What pods need to know of their node, and the parts of the agent that every pod's worker uses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from proa.api.meta import Object
from proa.client.interface import Client
from proa.kubelet.cgroups import PodCgroups
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.runtime import RuntimeHandler, RuntimeService
from proa.kubelet.image_manager import ImageManager
from proa.kubelet.probes.manager import ProbeManager
from proa.kubelet.status_manager import StatusManager
from proa.kubelet.volumes.manager import VolumeManager
from proa.kubelet.volumes.objects import WatchedObjects
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.runtime.event_recorder import Recorder


@dataclass(slots=True)
class NodeFacts:
    """Filled in when the agent starts, kept up to date by its node status loop."""

    host_ips: tuple[str, ...] = ()
    memory: int = 0
    allocatable: Mapping[str, str] = field(default_factory=dict)
    node: Object = field(default_factory=dict)
    handlers: Mapping[str, RuntimeHandler] = field(default_factory=lambda: {"": RuntimeHandler("")})
    apparmor: bool = False


@dataclass(frozen=True, slots=True)
class NodeContext:
    """`services(namespace)` gives the services that a pod of that namespace sees; `pods()` all pods that count on this node."""

    configuration: KubeletConfiguration
    client: Client
    runtime: RuntimeService
    images: ImageManager
    volumes: VolumeManager
    objects: WatchedObjects
    cgroups: PodCgroups
    probes: ProbeManager
    status: StatusManager
    recorder: Recorder
    clock: Clock
    facts: NodeFacts
    services: Callable[[str], Sequence[Object]]
    pods: Callable[[], Sequence[Object]]
