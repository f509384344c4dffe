"""The Node object: what the agent registers and what it reports in its status. Pure, from observations."""

from collections.abc import Mapping, Sequence
from dataclasses import field

from proa.api import meta
from proa.api.meta import Object
from proa.api.quantity import canonical, parse
from proa.api.resource_names import is_extended
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.runtime import Image, RuntimeStatus
from proa.lib.dataclass import dataclass

MAXIMUM_IMAGES = 50
OWN_LABELS = ("kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch")
NOT_READY_TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Pressure:
    """Whether the machine runs short."""

    memory: bool = False
    disk: bool = False
    pids: bool = False


@dataclass(frozen=True, slots=True)
class NodeObservation:
    """What was found out for one report."""

    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    node_info: Mapping[str, object]
    addresses: Sequence[tuple[str, str]]
    images: Sequence[Image] = ()
    pressure: Pressure = field(default_factory=Pressure)
    runtime: RuntimeStatus | None = None
    runtime_error: str = ""


def node_labels(configuration: KubeletConfiguration, architecture: str) -> dict[str, str]:
    own = {
        "kubernetes.io/hostname": configuration.node_name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
    }
    return own | configuration.node_labels


def new_node(configuration: KubeletConfiguration, architecture: str, status: Object) -> Object:
    """As registered: no pods before the network is there."""
    node: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": configuration.node_name,
            "labels": node_labels(configuration, architecture),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {},
        "status": status,
    }
    if configuration.provider_id:
        node["spec"]["providerID"] = configuration.provider_id
    if configuration.register_taints:
        node["spec"]["taints"] = list(configuration.register_taints)
    return node


def label_patch(node: Object, configuration: KubeletConfiguration, architecture: str) -> Object | None:
    """A merge patch that brings a known node's labels up to date; None if they are."""
    wanted = node_labels(configuration, architecture)
    changed = {key: value for key, value in wanted.items() if meta.labels(node).get(key) != value}
    return {"metadata": {"labels": changed}} if changed else None


def allocatable(capacity: Mapping[str, str], configuration: KubeletConfiguration) -> dict[str, str]:
    """Capacity without what is reserved and without the hard eviction thresholds."""
    result = {}
    for name, amount in capacity.items():
        left = parse(amount)
        for reserved in (configuration.system_reserved, configuration.kube_reserved):
            if name in reserved:
                left = left - parse(reserved[name])
        if name == "memory":
            left = left - parse(str(configuration.eviction_memory_available))
        if name == "ephemeral-storage":
            left = left - parse(str(int(left.value * configuration.eviction_nodefs_available_percent / 100)))
        result[name] = canonical(left) if left.nano > 0 else "0"
    return result


def build_node_status(observed: NodeObservation, configuration: KubeletConfiguration, old: Object, now: str) -> Object:
    """NodeStatus without what others own; conditions keep their transition times.

    An extended resource is advertised by writing it into the capacity; the kubelet makes it allocatable. Source: the task "Advertise
    Extended Resources for a Node".
    """
    conditions = build_node_conditions(observed, list(old.get("conditions") or []), now)
    advertised = {name: amount for name, amount in (old.get("capacity") or {}).items() if is_extended(name)}
    return {
        "capacity": advertised | dict(observed.capacity),
        "allocatable": allocatable(advertised, configuration) | dict(observed.allocatable),
        "conditions": conditions,
        "addresses": [{"type": kind, "address": address} for kind, address in observed.addresses],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": configuration.port}},
        "nodeInfo": dict(observed.node_info),
        "images": node_images(observed.images),
        "runtimeHandlers": [
            {
                "name": each.name,
                "features": {"recursiveReadOnlyMounts": each.recursive_read_only_mounts, "userNamespaces": each.user_namespaces},
            }
            for each in (observed.runtime.handlers if observed.runtime else ())
        ],
        "features": {"supplementalGroupsPolicy": False},
    }


def status_patch(old: Object, new: Object) -> Object:
    """A strategic merge patch of what differs: conditions merge by type, resources by name, addresses are replaced whole."""
    changes = {key: value for key, value in new.items() if key not in ("conditions", "addresses") and old.get(key) != value}
    for resources in ("capacity", "allocatable"):
        if resources in changes:
            changes[resources] = {name: None for name in old.get(resources) or {} if name not in new[resources]} | new[resources]
    if old.get("addresses") != new["addresses"]:
        changes["addresses"] = [{"$patch": "replace"}, *new["addresses"]]
    return changes | {"conditions": _own(new["conditions"])}


def node_images(images: Sequence[Image]) -> list[Object]:
    """The largest ones, as the scheduler's image locality wants to know."""
    largest = sorted((each for each in images if each.tags or each.digests), key=lambda each: -each.size)[:MAXIMUM_IMAGES]
    return [{"names": [*each.digests, *each.tags][:5], "sizeBytes": each.size} for each in largest]


def build_node_conditions(observed: NodeObservation, old: list[Object], now: str) -> list[Object]:
    pressure = observed.pressure
    own = [
        _pressure("MemoryPressure", pressure.memory, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available",
                  "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        _pressure("DiskPressure", pressure.disk, "KubeletHasDiskPressure", "kubelet has disk pressure",
                  "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        _pressure("PIDPressure", pressure.pids, "KubeletHasInsufficientPID", "kubelet has insufficient PID available",
                  "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        _ready(observed),
    ]  # fmt: skip
    before = {each["type"]: each for each in old}
    return [_timed(each, before.get(each["type"]), now) for each in own]


def _timed(condition: Object, old: Object | None, now: str) -> Object:
    same = old is not None and old.get("status") == condition["status"]
    return condition | {"lastHeartbeatTime": now, "lastTransitionTime": (old or {}).get("lastTransitionTime", now) if same else now}


def _pressure(kind: str, under: bool, bad: str, bad_message: str, good: str, good_message: str) -> Object:
    if under:
        return {"type": kind, "status": "True", "reason": bad, "message": bad_message}
    return {"type": kind, "status": "False", "reason": good, "message": good_message}


def _ready(observed: NodeObservation) -> Object:
    problems = _problems(observed)
    if problems:
        message = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        return {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": message}
    return {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}


def _problems(observed: NodeObservation) -> list[str]:
    if observed.runtime is None:
        return [f"container runtime is down: {observed.runtime_error}" if observed.runtime_error else "container runtime is down"]
    conditions = {each.type: each for each in observed.runtime.conditions}
    problems = []
    for kind, words in (("RuntimeReady", "container runtime not ready"), ("NetworkReady", "container runtime network not ready")):
        found = conditions.get(kind)
        if found is None:
            problems.append(f"{words}: {kind} condition is missing")
        elif not found.status:
            problems.append(f"{words}: {kind}=false reason:{found.reason} message:{found.message}")
    return problems


def status_changed(old: Object, new: Object) -> bool:
    """Whether there is more to say than that the agent is alive: the Lease says that."""

    def stripped(status: Object) -> Object:
        conditions = [{key: value for key, value in each.items() if key != "lastHeartbeatTime"} for each in status.get("conditions") or []]
        return {name: status.get(name) for name in new if name != "conditions"} | {"conditions": _own(conditions)}

    return stripped(old) != stripped(new)


def _own(conditions: list[Object]) -> list[Object]:
    kinds = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    return sorted((each for each in conditions if each.get("type") in kinds), key=lambda each: kinds.index(each["type"]))
