"""What pods and the node use as Prometheus samples: /metrics/resource and /metrics/cadvisor."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from proa.api import meta
from proa.kubelet.cri.runtime import SandboxStats, Usage
from proa.kubelet.server.stats import NodeUsage, Reading, started_at, summed
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float
    time: int


_HELP = {
    "node_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the node in core-seconds"),
    "node_memory_working_set_bytes": ("gauge", "Current working set of the node in bytes"),
    "container_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the container in core-seconds"),
    "container_memory_working_set_bytes": ("gauge", "Current working set of the container in bytes"),
    "container_start_time_seconds": ("gauge", "Start time of the container since unix epoch in seconds"),
    "pod_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the pod in core-seconds"),
    "pod_memory_working_set_bytes": ("gauge", "Current working set of the pod in bytes"),
    "container_memory_usage_bytes": ("gauge", "Current memory usage in bytes, including all memory regardless of when it was accessed"),
    "container_memory_rss": ("gauge", "Size of RSS in bytes."),
    "container_fs_usage_bytes": ("gauge", "Number of bytes that are consumed by the container on this filesystem."),
    "container_network_receive_bytes_total": ("counter", "Cumulative count of bytes received"),
    "container_network_transmit_bytes_total": ("counter", "Cumulative count of bytes transmitted"),
    "resource_scrape_error": ("gauge", "1 if there was an error while getting container metrics, 0 otherwise"),
    "scrape_error": ("gauge", "1 if there was an error while getting container metrics, 0 otherwise"),
}


def resource_samples(reading: Reading) -> Iterator[Sample]:
    """What stands at /metrics/resource."""
    yield from _usage_samples("node", {}, reading.node, reading.node.time)
    for pod in reading.pods:
        labels = {"namespace": meta.namespace(pod), "pod": meta.name(pod)}
        containers, sandbox = reading.of_pod(meta.uid(pod)), reading.sandbox(meta.uid(pod))
        for each in containers:
            inner = {"container": each.name, **labels}
            yield from _usage_samples("container", inner, each.usage, each.usage.timestamp)
            if started := started_at(pod, each.name):
                yield Sample("container_start_time_seconds", inner, datetime.fromisoformat(started).timestamp(), 0)
        if containers or sandbox is not None:
            usage = sandbox.usage if sandbox is not None else summed([each.usage for each in containers])
            yield from _usage_samples("pod", labels, usage, usage.timestamp)
    yield Sample("resource_scrape_error", {}, 0, 0)
    yield Sample("scrape_error", {}, 0, 0)


def cadvisor_samples(reading: Reading) -> Iterator[Sample]:
    """What stands at /metrics/cadvisor: the names that dashboards use, for what the runtime measures."""
    for pod in reading.pods:
        labels = {"namespace": meta.namespace(pod), "pod": meta.name(pod)}
        for each in reading.of_pod(meta.uid(pod)):
            inner = {"container": each.name, "id": each.id, "name": each.id, **labels}
            yield from _usage_samples("container", inner, each.usage, each.usage.timestamp)
            extra = {
                "container_memory_usage_bytes": each.usage.memory_usage_bytes,
                "container_memory_rss": each.usage.memory_rss_bytes,
                "container_fs_usage_bytes": each.filesystem_used_bytes,
            }
            yield from (Sample(name, inner, value, each.usage.timestamp) for name, value in extra.items() if value is not None)
        if (sandbox := reading.sandbox(meta.uid(pod))) is not None:
            yield from _network_samples(sandbox, labels)


def _network_samples(sandbox: SandboxStats, labels: Mapping[str, str]) -> Iterator[Sample]:
    for each in sandbox.interfaces:
        inner = {"interface": each.name, **labels}
        if each.rx_bytes is not None:
            yield Sample(
                "container_network_receive_bytes_total", inner, each.rx_bytes, sandbox.network_timestamp or sandbox.usage.timestamp
            )
        if each.tx_bytes is not None:
            yield Sample(
                "container_network_transmit_bytes_total", inner, each.tx_bytes, sandbox.network_timestamp or sandbox.usage.timestamp
            )


def _usage_samples(prefix: str, labels: Mapping[str, str], usage: Usage | NodeUsage, time: int) -> Iterator[Sample]:
    if usage.cpu_usage_core_nano_seconds is not None:
        yield Sample(f"{prefix}_cpu_usage_seconds_total", labels, usage.cpu_usage_core_nano_seconds / 10**9, time)
    if usage.memory_working_set_bytes is not None:
        yield Sample(f"{prefix}_memory_working_set_bytes", labels, usage.memory_working_set_bytes, time)


def render(samples: Iterable[Sample]) -> bytes:
    """Prometheus text, with the moment of measuring in milliseconds."""
    families: dict[str, list[Sample]] = {}
    for each in samples:
        families.setdefault(each.name, []).append(each)
    lines: list[str] = []
    for name, members in families.items():
        kind, text = _HELP[name]
        lines += (f"# HELP {name} {text}", f"# TYPE {name} {kind}")
        for each in members:
            labels = ",".join(f'{key}="{value}"' for key, value in each.labels.items())
            lines.append(f"{name}{'{' + labels + '}' if labels else ''} {each.value:.15g}{f' {each.time // 10**6}' if each.time else ''}")
    return ("\n".join(lines) + "\n").encode()
