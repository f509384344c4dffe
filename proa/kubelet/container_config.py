"""ContainerConfig of one attempt at a container, from values that are all there already."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.runtime import LABEL_CONTAINER_NAME, Config, Image
from proa.kubelet.expansion import expand
from proa.kubelet.resources import linux_resources
from proa.kubelet.sandbox_config import pod_labels
from proa.kubelet.security_context import container_security_context
from proa.lib.dataclass import dataclass

ANNOTATION_HASH = "io.kubernetes.container.hash"
ANNOTATION_RESTART_COUNT = "io.kubernetes.container.restartCount"
ANNOTATION_TERMINATION_PATH = "io.kubernetes.container.terminationMessagePath"
ANNOTATION_TERMINATION_POLICY = "io.kubernetes.container.terminationMessagePolicy"
ANNOTATION_TERMINATION_FILE = "proa.dev/termination-message-file"
"""Where on the host the termination message lies; read after the exit, also by an agent that did not start the container."""
ANNOTATION_GRACE_PERIOD = "io.kubernetes.pod.terminationGracePeriod"
ANNOTATION_PRE_STOP = "io.kubernetes.container.preStopHandler"
DEFAULT_TERMINATION_PATH = "/dev/termination-log"
_PROPAGATION = {
    "HostToContainer": "PROPAGATION_HOST_TO_CONTAINER",
    "Bidirectional": "PROPAGATION_BIDIRECTIONAL",
    "None": "PROPAGATION_PRIVATE",
}


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """A mount whose source is ready on the host."""

    container_path: str
    host_path: str
    readonly: bool = False
    propagation: str = "None"
    recursive_read_only: bool = False


@dataclass(frozen=True, slots=True)
class ContainerInputs:
    """What was found out for this start."""

    attempt: int
    image: Image
    environment: Mapping[str, str]
    mounts: Sequence[VolumeMount]
    termination_file: str
    node_memory: int
    target_id: str = ""


def container_hash(container: Object) -> str:
    """Changes when a running container must be replaced: only the image may change in place."""
    text = json.dumps([container["name"], container.get("image")])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def build_container_config(pod: Object, container: Object, inputs: ContainerInputs, configuration: KubeletConfiguration) -> Config:
    """Raises ConfigError (runAsNonRoot)."""
    name, attempt = container["name"], inputs.attempt
    values = inputs.environment
    return {
        "metadata": {"name": name, "attempt": attempt},
        "image": {"image": inputs.image.id, "user_specified_image": container["image"]},
        "command": [expand(each, values) for each in container.get("command") or []],
        "args": [expand(each, values) for each in container.get("args") or []],
        "working_dir": container.get("workingDir") or "",
        "envs": [{"key": key, "value": value} for key, value in values.items()],
        "mounts": _mounts(container, inputs),
        "labels": pod_labels(pod) | {LABEL_CONTAINER_NAME: name},
        "annotations": _annotations(pod, container, inputs),
        "log_path": f"{name}/{attempt}.log",
        "stdin": bool(container.get("stdin")),
        "stdin_once": bool(container.get("stdinOnce")),
        "tty": bool(container.get("tty")),
        "linux": {
            "resources": _resources(pod, container, inputs, configuration),
            "security_context": container_security_context(
                pod, container, inputs.image, configuration.seccomp_root, target_id=inputs.target_id
            ),
        },
    }


def _resources(pod: Object, container: Object, inputs: ContainerInputs, configuration: KubeletConfiguration) -> dict[str, Any]:
    resources = linux_resources(pod, container, inputs.node_memory, cfs_quota=configuration.cpu_cfs_quota)
    if not configuration.oom_score_adjustment:
        # Without CAP_SYS_RESOURCE a score can be raised, not lowered.
        resources["oom_score_adj"] = max(resources["oom_score_adj"], 0)
    return resources


def _mounts(container: Object, inputs: ContainerInputs) -> list[dict[str, Any]]:
    mounts = [
        {
            "container_path": each.container_path,
            "host_path": each.host_path,
            "readonly": each.readonly,
            "propagation": _PROPAGATION[each.propagation],
            "recursive_read_only": each.recursive_read_only,
        }
        for each in inputs.mounts
    ]
    if inputs.termination_file:
        path = container.get("terminationMessagePath") or DEFAULT_TERMINATION_PATH
        mounts.append({"container_path": path, "host_path": inputs.termination_file, "readonly": False})
    return mounts


def _annotations(pod: Object, container: Object, inputs: ContainerInputs) -> dict[str, str]:
    annotations = {
        ANNOTATION_HASH: container_hash(container),
        ANNOTATION_RESTART_COUNT: str(inputs.attempt),
        ANNOTATION_TERMINATION_PATH: container.get("terminationMessagePath") or DEFAULT_TERMINATION_PATH,
        ANNOTATION_TERMINATION_POLICY: container.get("terminationMessagePolicy") or "File",
        ANNOTATION_TERMINATION_FILE: inputs.termination_file,
        ANNOTATION_GRACE_PERIOD: str(pod_spec.grace_seconds(pod)),
    }
    hook = (container.get("lifecycle") or {}).get("preStop")
    return annotations | ({ANNOTATION_PRE_STOP: json.dumps(hook)} if hook else {})
