"""CRI messages as the records of `proa.kubelet.cri.runtime`. Messages come in as Any: generated modules have no types here."""

from typing import Any, cast

from proa.kubelet.cri import cri_pb2
from proa.kubelet.cri.runtime import (
    Condition,
    Container,
    ContainerState,
    ContainerStats,
    Image,
    InterfaceUsage,
    RuntimeHandler,
    RuntimeStatus,
    Sandbox,
    SandboxStats,
    Usage,
)  # fmt: skip


def runtime_status(message: Any) -> RuntimeStatus:
    conditions = tuple(Condition(each.type, each.status, each.reason, each.message) for each in message.status.conditions)
    handlers = tuple(
        RuntimeHandler(each.name, each.features.recursive_read_only_mounts, each.features.user_namespaces)
        for each in message.runtime_handlers
    )
    return RuntimeStatus(conditions, handlers)


def sandbox(message: Any) -> Sandbox:
    """A PodSandbox, which has no addresses."""
    meta = message.metadata
    return Sandbox(
        id=message.id, name=meta.name, namespace=meta.namespace, uid=meta.uid, attempt=meta.attempt,
        ready=message.state == cri_pb2.SANDBOX_READY, created_at=message.created_at, labels=dict(message.labels),
        annotations=dict(message.annotations),
    )  # fmt: skip


def sandbox_status(message: Any) -> Sandbox:
    meta = message.metadata
    ips = [message.network.ip, *(each.ip for each in message.network.additional_ips)]
    return Sandbox(
        id=message.id, name=meta.name, namespace=meta.namespace, uid=meta.uid, attempt=meta.attempt,
        ready=message.state == cri_pb2.SANDBOX_READY, created_at=message.created_at, ips=tuple(ip for ip in ips if ip),
        labels=dict(message.labels), annotations=dict(message.annotations),
        host_network=message.linux.namespaces.options.network == cri_pb2.NODE,
    )  # fmt: skip


def container(message: Any) -> Container:
    return Container(
        id=message.id, name=message.metadata.name, attempt=message.metadata.attempt, sandbox_id=message.pod_sandbox_id,
        state=_state(message.state), created_at=message.created_at, image=message.image.image, image_ref=message.image_ref,
        labels=dict(message.labels), annotations=dict(message.annotations),
    )  # fmt: skip


def container_status(message: Any) -> Container:
    return Container(
        id=message.id, name=message.metadata.name, attempt=message.metadata.attempt, sandbox_id="", state=_state(message.state),
        created_at=message.created_at, started_at=message.started_at, finished_at=message.finished_at, exit_code=message.exit_code,
        reason=message.reason, message=message.message, image=message.image.image, image_ref=message.image_ref,
        image_id=message.image_id, log_path=message.log_path, labels=dict(message.labels), annotations=dict(message.annotations),
    )  # fmt: skip


def _state(number: int) -> ContainerState:
    return cast(ContainerState, cri_pb2.ContainerState.Name(number).removeprefix("CONTAINER_"))


def image(message: Any) -> Image:
    return Image(
        id=message.id, tags=tuple(message.repo_tags), digests=tuple(message.repo_digests), size=message.size,
        uid=message.uid.value if message.HasField("uid") else None, username=message.username, pinned=message.pinned,
    )  # fmt: skip


def container_stats(message: Any) -> ContainerStats:
    layer = message.writable_layer
    return ContainerStats(
        id=message.attributes.id, name=message.attributes.metadata.name, labels=dict(message.attributes.labels), usage=_usage(message),
        filesystem_timestamp=layer.timestamp, filesystem_mountpoint=layer.fs_id.mountpoint,
        filesystem_used_bytes=_value(layer, "used_bytes"), filesystem_inodes_used=_value(layer, "inodes_used"),
    )  # fmt: skip


def sandbox_stats(message: Any) -> SandboxStats:
    meta, linux = message.attributes.metadata, message.linux
    interfaces = [linux.network.default_interface] if linux.network.HasField("default_interface") else []
    return SandboxStats(
        id=message.attributes.id, name=meta.name, namespace=meta.namespace, uid=meta.uid, usage=_usage(linux),
        network_timestamp=linux.network.timestamp,
        interfaces=tuple(_interface(each) for each in [*interfaces, *linux.network.interfaces]),
        process_count=_value(linux.process, "process_count"), containers=tuple(container_stats(each) for each in linux.containers),
    )  # fmt: skip


def _interface(message: Any) -> InterfaceUsage:
    return InterfaceUsage(message.name, *(_value(message, name) for name in ("rx_bytes", "rx_errors", "tx_bytes", "tx_errors")))


def _usage(message: Any) -> Usage:
    cpu, memory = message.cpu, message.memory
    return Usage(
        timestamp=cpu.timestamp or memory.timestamp,
        cpu_usage_core_nano_seconds=_value(cpu, "usage_core_nano_seconds"), cpu_usage_nano_cores=_value(cpu, "usage_nano_cores"),
        memory_working_set_bytes=_value(memory, "working_set_bytes"), memory_available_bytes=_value(memory, "available_bytes"),
        memory_usage_bytes=_value(memory, "usage_bytes"), memory_rss_bytes=_value(memory, "rss_bytes"),
        memory_page_faults=_value(memory, "page_faults"), memory_major_page_faults=_value(memory, "major_page_faults"),
    )  # fmt: skip


def _value(message: Any, name: str) -> int | None:
    return int(getattr(message, name).value) if message.HasField(name) else None
