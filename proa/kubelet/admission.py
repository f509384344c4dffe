"""Whether a pod that was bound to this node may run here: the node agent's last word, as the scheduler may have decided on old knowledge.

A rejected pod becomes Failed with the reason and message that upstream gives. Pure.
"""

import re
from collections.abc import Iterable, Mapping

from proa.api.meta import Object
from proa.api.quantity import ZERO, Quantity, parse
from proa.api.scheduling.node_affinity import required_node_affinity
from proa.kubelet.resources import pod_requests

SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
)  # fmt: skip
Rejection = tuple[str, str]


def admit(
    pod: Object,
    others: Iterable[Object],
    node: Object,
    allocatable: Mapping[str, str],
    allowed_unsafe_sysctls: Iterable[str],
    *,
    apparmor: bool,
) -> Rejection | None:
    """(reason, message), or None. `others` are the pods that already count here."""
    return (
        _node_affinity(pod, node)
        or _resources(pod, list(others), {**_extended((node.get("status") or {}).get("allocatable") or {}), **allocatable})
        or _sysctls(pod, allowed_unsafe_sysctls)
        or _apparmor(pod, apparmor)
    )


def _node_affinity(pod: Object, node: Object) -> Rejection | None:
    if node and not required_node_affinity(pod["spec"]).matches(node):
        return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    return None


def _resources(pod: Object, others: list[Object], allocatable: Mapping[str, str]) -> Rejection | None:
    capacity = int(allocatable.get("pods", "110"))
    if len(others) + 1 > capacity:
        return "OutOfpods", f"Node didn't have enough resource: pods, requested: 1, used: {len(others)}, capacity: {capacity}"
    wanted = pod_requests(pod)
    used = [pod_requests(each) for each in others] if wanted else []
    for name, amount in sorted(wanted.items()):
        if is_extended(name) and name not in allocatable:
            # Some resources are counted for the whole cluster, by a scheduler's extender, and no node has them.
            continue
        taken = sum((each.get(name, ZERO) for each in used), ZERO)
        available = parse(allocatable.get(name, "0"))
        if amount and (taken + amount).nano > available.nano:
            asked, spent, total = (_number(name, each) for each in (amount, taken, available))
            return f"OutOf{name}", f"Node didn't have enough resource: {name}, requested: {asked}, used: {spent}, capacity: {total}"
    return None


def _extended(allocatable: Mapping[str, str]) -> dict[str, str]:
    """What others have said that the node has; of its own resources the agent knows better."""
    return {name: amount for name, amount in allocatable.items() if is_extended(name)}


def is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name


def _number(name: str, amount: Quantity) -> int:
    return amount.milli_value if name == "cpu" else amount.value


def _sysctls(pod: Object, allowed: Iterable[str]) -> Rejection | None:
    patterns = [re.escape(each).replace(r"\*", ".*") for each in (*SAFE_SYSCTLS, *allowed)]
    for entry in (pod["spec"].get("securityContext") or {}).get("sysctls") or []:
        name = entry["name"].replace("/", ".")
        if not any(re.fullmatch(pattern, name) for pattern in patterns):
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted'
        if problem := _namespace_problem(pod["spec"], name):
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with {problem} enabled'
    return None


def _namespace_problem(spec: Object, name: str) -> str:
    if name.startswith("net.") and spec.get("hostNetwork"):
        return "host net"
    if name.startswith(("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")) and spec.get("hostIPC"):
        return "host ipc"
    return ""


def _apparmor(pod: Object, available: bool) -> Rejection | None:
    contexts = [pod["spec"].get("securityContext"), *((each.get("securityContext")) for each in pod["spec"]["containers"])]
    profiles = [(each or {}).get("appArmorProfile") or {} for each in contexts]
    if not available and any(profile.get("type", "Unconfined") != "Unconfined" for profile in profiles):
        return "AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host"
    return None
