"""From requests and limits to what the kernel takes: QoS class, CPU shares and quota, memory limit, OOM score.

Source: the Kubernetes documentation of resource management and QoS classes; the numbers are those of cgroup v1, which runtimes convert.
"""

from typing import Any

from proa.api import pod_resources, pod_template
from proa.api.meta import Object
from proa.api.quantity import ZERO, Quantity, parse
from proa.kubelet import pod_spec

CPU_PERIOD = 100_000
MINIMUM_SHARES = 2
MAXIMUM_SHARES = 262_144
MINIMUM_QUOTA = 1000
_GUARANTEED_OOM_SCORE = -997
_BEST_EFFORT_OOM_SCORE = 1000


def requests(container: Object) -> dict[str, str]:
    return dict((container.get("resources") or {}).get("requests") or {})


def limits(container: Object) -> dict[str, str]:
    return dict((container.get("resources") or {}).get("limits") or {})


def qos_class(pod: Object) -> str:
    """The API server may already have decided; else the same rule here."""
    return pod.get("status", {}).get("qosClass") or pod_template.qos_class(pod["spec"])


def cpu_shares(milli_cpu: int) -> int:
    return min(max(milli_cpu * 1024 // 1000, MINIMUM_SHARES), MAXIMUM_SHARES) if milli_cpu else MINIMUM_SHARES


def cpu_quota(milli_cpu: int) -> int:
    """Microseconds in each period of 100 ms; 0 for no limit."""
    return max(milli_cpu * CPU_PERIOD // 1000, MINIMUM_QUOTA) if milli_cpu else 0


def oom_score_adj(pod: Object, container: Object, node_memory: int) -> int:
    """Less memory asked of the node means earlier death: 1000 - 1000 * request / capacity, within 3..999."""
    quality = qos_class(pod)
    if pod["spec"].get("priorityClassName") == "system-node-critical" or quality == "Guaranteed":
        return _GUARANTEED_OOM_SCORE
    if quality == "BestEffort":
        return _BEST_EFFORT_OOM_SCORE
    asked = parse(requests(container).get("memory") or "0").value
    score = 1000 - 1000 * asked // max(node_memory, 1)
    if pod_spec.is_sidecar(container):
        regular = [
            1000 - 1000 * parse(requests(each).get("memory") or "0").value // max(node_memory, 1) for each in pod_spec.containers(pod)
        ]
        score = min([score, *regular])
    return min(max(score, 1000 + _GUARANTEED_OOM_SCORE), 999)


def linux_resources(pod: Object, container: Object, node_memory: int, *, cfs_quota: bool = True) -> dict[str, Any]:
    """LinuxContainerResources of one container. A limit without a request is also the request."""
    asked, limited = requests(container), limits(container)
    cpu_limit = parse(limited.get("cpu") or "0").milli_value
    cpu_request = parse(asked["cpu"]).milli_value if "cpu" in asked else cpu_limit
    result: dict[str, Any] = {
        "cpu_shares": cpu_shares(cpu_request),
        "memory_limit_in_bytes": parse(limited.get("memory") or "0").value,
        "oom_score_adj": oom_score_adj(pod, container, node_memory),
        "hugepage_limits": hugepage_limits(limited),
    }
    if cfs_quota and cpu_limit:
        result |= {"cpu_quota": cpu_quota(cpu_limit), "cpu_period": CPU_PERIOD}
    return result


def hugepage_limits(limited: dict[str, str]) -> list[dict[str, Any]]:
    """`hugepages-2Mi` -> page size 2MB, as the hugetlb controller names it."""
    found = []
    for name, amount in sorted(limited.items()):
        if name.startswith("hugepages-"):
            size = parse(name.removeprefix("hugepages-")).value
            unit = f"{size >> 30}GB" if size >= 1 << 30 else f"{size >> 20}MB" if size >= 1 << 20 else f"{size >> 10}KB"
            found.append({"page_size": unit, "limit": parse(amount).value})
    return found


def pod_requests(pod: Object) -> dict[str, Quantity]:
    """What the pod counts for: containers and sidecars together, or the largest init container, plus overhead."""
    return pod_resources.pod_requests(pod["spec"])


def pod_limits(pod: Object) -> dict[str, Quantity]:
    return pod_resources.pod_limits(pod["spec"])


def pod_cgroup_limits(pod: Object) -> dict[str, int]:
    """Limits of the pod's own cgroup: shares always; quota and memory only where every container has a limit."""
    quality = qos_class(pod)
    asked, limited = pod_requests(pod), pod_limits(pod)
    everyone = [*pod_spec.containers(pod), *pod_spec.init_containers(pod)]
    result = {"cpu_shares": cpu_shares(asked.get("cpu", limited.get("cpu", ZERO)).milli_value)}
    if quality == "BestEffort":
        return {"cpu_shares": MINIMUM_SHARES}
    if all("cpu" in limits(each) for each in everyone) or "cpu" in ((pod["spec"].get("resources") or {}).get("limits") or {}):
        result["cpu_quota"] = cpu_quota(limited["cpu"].milli_value)
    if all("memory" in limits(each) for each in everyone) or "memory" in ((pod["spec"].get("resources") or {}).get("limits") or {}):
        result["memory_limit"] = limited["memory"].value
    return result


def cgroup_parent(pod: Object, kubepods: str) -> str:
    """`kubepods/pod<uid>` for Guaranteed, `kubepods/burstable/pod<uid>`, `kubepods/besteffort/pod<uid>`."""
    quality = qos_class(pod)
    own = f"pod{pod['metadata']['uid']}"
    return f"{kubepods}/{own}" if quality == "Guaranteed" else f"{kubepods}/{quality.lower()}/{own}"
