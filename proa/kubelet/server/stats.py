"""What pods and the node use, from the runtime's counters, as the Summary document.

Only what was measured is there; a counter that the runtime does not give is left out, never zero. Rates that the runtime does not give
are made from two readings.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet.cri.runtime import LABEL_CONTAINER_NAME, LABEL_POD_UID, ContainerStats, InterfaceUsage, SandboxStats, Usage
from proa.lib.clock import format_time
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NodeUsage:
    """CPU in core-nanoseconds since some beginning, memory in bytes; `time` in nanoseconds since 1970."""

    time: int
    cpu_usage_core_nano_seconds: int | None = None
    memory_working_set_bytes: int | None = None
    memory_available_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was measured at one time."""

    pods: Sequence[Object]
    containers: Sequence[ContainerStats]
    sandboxes: Sequence[SandboxStats]
    node: NodeUsage

    def of_pod(self, uid: str) -> list[ContainerStats]:
        """Each container's newest attempt; sandboxes themselves are not among them."""
        named = [each for each in self.containers if each.labels.get(LABEL_POD_UID) == uid and each.labels.get(LABEL_CONTAINER_NAME)]
        return list({each.name: each for each in sorted(named, key=lambda each: each.usage.timestamp)}.values())

    def sandbox(self, uid: str) -> SandboxStats | None:
        return next((each for each in self.sandboxes if each.uid == uid), None)


class Rates:
    """Nano-cores from successive readings of a counter."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int, int | None]] = {}

    def nano_cores(self, key: str, time: int, counter: int | None) -> int | None:
        if counter is None:
            return None
        before = self._last.get(key)
        if before is not None and time <= before[0]:
            return before[2]
        rate = None if before is None or counter < before[1] else (counter - before[1]) * 10**9 // (time - before[0])
        self._last[key] = time, counter, rate
        return rate

    def keep(self, keys: Iterable[str]) -> None:
        known = set(keys)
        self._last = {key: value for key, value in self._last.items() if key in known}


def summary(reading: Reading, node_name: str, rates: Rates) -> Object:
    """The document at /stats/summary."""
    pods = [_pod(reading, pod, rates) for pod in reading.pods if reading.of_pod(meta.uid(pod)) or reading.sandbox(meta.uid(pod))]
    rates.keep({each.id for each in reading.containers} | {each.id for each in reading.sandboxes} | {"node"})
    node = reading.node
    cpu = {
        "usageNanoCores": rates.nano_cores("node", node.time, node.cpu_usage_core_nano_seconds),
        "usageCoreNanoSeconds": node.cpu_usage_core_nano_seconds,
    }
    memory = {"availableBytes": node.memory_available_bytes, "workingSetBytes": node.memory_working_set_bytes}
    return {"node": {"nodeName": node_name, **_timed("cpu", node.time, cpu), **_timed("memory", node.time, memory)}, "pods": pods}


def _pod(reading: Reading, pod: Object, rates: Rates) -> Object:
    uid = meta.uid(pod)
    containers, sandbox = reading.of_pod(uid), reading.sandbox(uid)
    usages = [each.usage for each in containers]
    document: Object = {
        "podRef": {"name": meta.name(pod), "namespace": meta.namespace(pod), "uid": uid},
        "startTime": (pod.get("status") or {}).get("startTime"),
        "containers": [_container(pod, each, rates) for each in containers],
        **(_usage(sandbox.id, sandbox.usage, rates) if sandbox is not None else _usage(uid, summed(usages), rates)),
    }
    if sandbox is not None and sandbox.interfaces:
        interfaces = [_interface(each) for each in sandbox.interfaces]
        document["network"] = {
            "time": _time(sandbox.network_timestamp or sandbox.usage.timestamp),
            **interfaces[0],
            "interfaces": interfaces,
        }
    if sandbox is not None and sandbox.process_count is not None:
        document["process_stats"] = {"process_count": sandbox.process_count}
    return document


def _container(pod: Object, stats: ContainerStats, rates: Rates) -> Object:
    document: Object = {"name": stats.name, "startTime": started_at(pod, stats.name), **_usage(stats.id, stats.usage, rates)}
    files = {"usedBytes": stats.filesystem_used_bytes, "inodesUsed": stats.filesystem_inodes_used}
    return document | _timed("rootfs", stats.filesystem_timestamp, files)


def started_at(pod: Object, container: str) -> str | None:
    status = pod.get("status") or {}
    for each in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        if each["name"] == container:
            started: str | None = ((each.get("state") or {}).get("running") or {}).get("startedAt")
            return started
    return None


def _usage(key: str, usage: Usage, rates: Rates) -> Object:
    # containerd answers 0 for a rate that it has not worked out, and for what is available where there is no limit.
    rate = usage.cpu_usage_nano_cores or rates.nano_cores(key, usage.timestamp, usage.cpu_usage_core_nano_seconds)
    cpu = {"usageNanoCores": rate, "usageCoreNanoSeconds": usage.cpu_usage_core_nano_seconds}
    memory = {
        "availableBytes": usage.memory_available_bytes or None,
        "usageBytes": usage.memory_usage_bytes,
        "workingSetBytes": usage.memory_working_set_bytes,
        "rssBytes": usage.memory_rss_bytes,
        "pageFaults": usage.memory_page_faults,
        "majorPageFaults": usage.memory_major_page_faults,
    }
    return _timed("cpu", usage.timestamp, cpu) | _timed("memory", usage.timestamp, memory)


def summed(usages: Sequence[Usage]) -> Usage:
    def total(name: str) -> int | None:
        values = [getattr(each, name) for each in usages]
        return sum(values) if values and None not in values else None

    names = ("cpu_usage_core_nano_seconds", "cpu_usage_nano_cores", "memory_working_set_bytes", "memory_usage_bytes", "memory_rss_bytes")
    return Usage(max((each.timestamp for each in usages), default=0), **{name: total(name) for name in names})


def _interface(usage: InterfaceUsage) -> Object:
    values = {"rxBytes": usage.rx_bytes, "rxErrors": usage.rx_errors, "txBytes": usage.tx_bytes, "txErrors": usage.tx_errors}
    return {"name": usage.name, **{key: value for key, value in values.items() if value is not None}}


def _timed(name: str, time: int, values: Mapping[str, int | None]) -> Object:
    known = {key: value for key, value in values.items() if value is not None}
    return {name: {"time": _time(time), **known}} if known else {}


def _time(nanoseconds: int) -> str:
    return format_time(datetime.fromtimestamp(nanoseconds / 10**9, UTC))
