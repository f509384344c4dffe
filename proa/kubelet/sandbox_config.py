"""PodSandboxConfig of a pod: what a runtime needs to know before any container."""

from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.runtime import LABEL_POD_NAME, LABEL_POD_NAMESPACE, LABEL_POD_UID, Config
from proa.kubelet.hosts_file import sandbox_hostname
from proa.kubelet.resources import cgroup_parent
from proa.kubelet.security_context import sandbox_security_context

HOST_NAME_LIMIT = 64


def pod_log_directory(pod: Object, root: str) -> str:
    """`ROOT/NAMESPACE_NAME_UID`, where log collectors look."""
    return f"{root}/{meta.namespace(pod)}_{meta.name(pod)}_{meta.uid(pod)}"


def pod_labels(pod: Object) -> dict[str, str]:
    return {LABEL_POD_NAME: meta.name(pod), LABEL_POD_NAMESPACE: meta.namespace(pod), LABEL_POD_UID: meta.uid(pod)}


def build_sandbox_config(pod: Object, attempt: int, dns: dict[str, Any], configuration: KubeletConfiguration) -> Config:
    context = pod["spec"].get("securityContext") or {}
    config: Config = {
        "metadata": {"name": meta.name(pod), "namespace": meta.namespace(pod), "uid": meta.uid(pod), "attempt": attempt},
        "hostname": "",
        "log_directory": pod_log_directory(pod, configuration.pod_log_directory),
        "dns_config": dns,
        "port_mappings": port_mappings(pod),
        "labels": dict(meta.labels(pod)) | pod_labels(pod),
        "annotations": dict(meta.annotations(pod)),
        "linux": {
            "cgroup_parent": cgroup_parent(pod, configuration.kubepods_cgroup),
            "security_context": sandbox_security_context(pod, configuration.seccomp_root),
            "sysctls": {each["name"].replace("/", "."): each["value"] for each in context.get("sysctls") or []},
        },
    }
    # On the host's network there is no UTS namespace of its own, and CRI wants no name then.
    if not pod_spec.is_host_network(pod):
        config["hostname"] = sandbox_hostname(pod, configuration.node_name, configuration.cluster_domain)
    return config


def port_mappings(pod: Object) -> list[dict[str, Any]]:
    """Host ports, which the portmap CNI plugin makes true."""
    if pod_spec.is_host_network(pod):
        return []
    return [
        {
            "protocol": port.get("protocol") or "TCP",
            "container_port": port["containerPort"],
            "host_port": port["hostPort"],
            "host_ip": port.get("hostIP") or "",
        }
        for container in [*pod_spec.containers(pod), *pod_spec.sidecars(pod)]
        for port in container.get("ports") or []
        if port.get("hostPort")
    ]
