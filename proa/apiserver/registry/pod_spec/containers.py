"""Containers of all three lists: names, images, ports, mounts and what each list does not allow."""

from collections.abc import Mapping, Sequence

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_found, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, port_name, port_number
from proa.api.pod_template import is_sidecar
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_name
from proa.apiserver.registry.pod_spec.container_restart import validate_restart, validate_restart_of_init
from proa.apiserver.registry.pod_spec.env import validate_env, validate_env_from
from proa.apiserver.registry.pod_spec.mounts import validate_devices, validate_mounts
from proa.apiserver.registry.pod_spec.probes import validate_lifecycle, validate_probe
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.security import validate_security_context
from proa.apiserver.registry.pod_spec.whole import claim_names
from proa.lib.dataclass import dataclass

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NOT_FOR_EPHEMERAL = ("ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", *_PROBES, "lifecycle")
_PADDED = "must not have leading or trailing whitespace"


def validate_containers(spec: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    """Containers, init containers and ephemeral containers of a spec."""
    regular = spec.get("containers")
    pod = _Pod(
        spec,
        volumes,
        claim_names(spec),
        spec.get("hostUsers") is not False,
        spec.get("terminationGracePeriodSeconds") or 0,
    )
    causes: list[Cause] = [] if regular else [required(f"{path}.containers")]
    names: set[str] = set()
    for index, container in enumerate(regular or ()):
        own = f"{path}.containers[{index}]"
        causes += _validate_container(container, pod, own) + _take_name(container, names, own) + _validate_probes(container, pod, own)
        if "restartPolicy" in container or "restartPolicyRules" in container:
            causes += validate_restart(container, own)
    causes += _validate_host_ports(regular or (), f"{path}.containers")
    for index, container in enumerate(spec.get("initContainers") or ()):
        causes += _validate_init(container, pod, names, f"{path}.initContainers", index)
    others = frozenset(names)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        causes += _validate_ephemeral(container, pod, names, others, f"{path}.ephemeralContainers[{index}]")
    return causes


@dataclass(frozen=True, slots=True)
class _Pod:
    """What the rules of a container ask of its pod."""

    spec: Object
    volumes: Mapping[str, Object]
    claims: frozenset[str]
    host_users: bool
    grace_period: int


def _take_name(container: Object, names: set[str], path: str) -> list[Cause]:
    name = container.get("name") or ""
    if name in names:
        return [duplicate(f"{path}.name", name)]
    names.add(name)
    return []


def _validate_container(container: Object, pod: _Pod, path: str) -> list[Cause]:
    causes = check_name(f"{path}.name", container.get("name"), dns1123_label)
    if not container.get("image"):
        causes.append(required(f"{path}.image"))
    message_policy = container.get("terminationMessagePolicy")
    causes += check_choice(f"{path}.terminationMessagePolicy", message_policy, _MESSAGE_POLICIES, in_order=False)
    if "ports" in container:
        causes += _validate_ports(container["ports"], f"{path}.ports")
    if "env" in container:
        causes += validate_env(container["env"], f"{path}.env")
    if "envFrom" in container:
        causes += validate_env_from(container["envFrom"], f"{path}.envFrom")
    if "volumeMounts" in container:
        causes += validate_mounts(container, pod.volumes, f"{path}.volumeMounts")
    if "volumeDevices" in container:
        causes += validate_devices(container, pod.volumes, f"{path}.volumeDevices")
    causes += check_choice(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), _PULL_POLICIES)
    if container.get("resources"):
        causes += validate_resources(container["resources"], f"{path}.resources", claims=pod.claims)
    if "resizePolicy" in container:
        causes += _validate_resize_policy(container["resizePolicy"], f"{path}.resizePolicy", pod.spec.get("restartPolicy"))
    if "securityContext" in container:
        causes += validate_security_context(container["securityContext"], f"{path}.securityContext", host_users=pod.host_users)
    return causes


def _validate_probes(container: Object, pod: _Pod, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if "lifecycle" in container:
        causes += validate_lifecycle(container["lifecycle"], f"{path}.lifecycle", pod.grace_period, pod.spec.get("os"))
    for probe in _PROBES:
        if probe in container:
            causes += validate_probe(container[probe], f"{path}.{probe}", must_succeed_once=probe != "readinessProbe")
    return causes


def _validate_resize_policy(policies: list[Object], path: str, pod_policy: str | None) -> list[Cause]:
    """Upstream tells what is wrong with one entry at the list."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            causes.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
        causes += check_choice(path, name, ("cpu", "memory"))
        causes += check_choice(path, restart, ("NotRequired", "RestartContainer"))
        if pod_policy == "Never" and restart != "NotRequired":
            causes.append(invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    return causes


def _validate_init(container: Object, pod: _Pod, names: set[str], list_path: str, index: int) -> list[Cause]:
    """Those that end run one after another, so only one of them at a time has its host ports."""
    path, lasting = f"{list_path}[{index}]", is_sidecar(container)
    causes = _validate_container(container, pod, path) + validate_restart_of_init(container, path)
    name = container.get("name") or ""
    if name in names:
        causes.append(duplicate(f"{path}.name", name))
    elif name:
        names.add(name)
    causes += _validate_host_ports((container,), list_path)
    if lasting:
        return causes + _validate_probes(container, pod, path)
    detail = "may not be set for init containers without restartPolicy=Always"
    causes += [forbidden(f"{path}.{field}", detail) for field in ("lifecycle", *_PROBES) if field in container]
    detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
    for number, policy in enumerate(container.get("resizePolicy") or ()):
        if policy.get("restartPolicy") == "RestartContainer":
            causes.append(invalid(f"{path}.resizePolicy[{number}].restartPolicy", "RestartContainer", detail))
    return causes


def _validate_ephemeral(container: Object, pod: _Pod, names: set[str], others: frozenset[str], path: str) -> list[Cause]:
    causes = _validate_container(container, pod, path) + validate_image_is_bare(container, path) + _take_name(container, names, path)
    target = container.get("targetContainerName")
    if target and target not in others:
        causes.append(not_found(f"{path}.targetContainerName", target))
    detail = "cannot be set for an Ephemeral Container"
    causes += [forbidden(f"{path}.{field}", detail) for field in _NOT_FOR_EPHEMERAL if container.get(field)]
    return causes + [
        forbidden(f"{path}.volumeMounts[{index}].{field}", detail)
        for index, mount in enumerate(container.get("volumeMounts") or ())
        for field in ("subPath", "subPathExpr")
        if mount.get(field)
    ]


def validate_image_is_bare(container: Object, path: str) -> list[Cause]:
    """Asked of pods; templates may have such images."""
    image = container.get("image") or ""
    return [invalid(f"{path}.image", image, _PADDED)] if image != image.strip() else []


def _validate_ports(ports: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        own = f"{path}[{index}]"
        if name := port.get("name"):
            problems = port_name(name)
            causes += [invalid(f"{own}.name", name, problem) for problem in problems]
            if name in names:
                causes.append(duplicate(f"{own}.name", name))
            elif not problems:
                names.add(name)
        number = port.get("containerPort")
        if not number:
            causes.append(required(f"{own}.containerPort"))
        else:
            causes += [invalid(f"{own}.containerPort", number, problem) for problem in port_number(number)]
        if port.get("hostPort"):
            causes += [invalid(f"{own}.hostPort", port["hostPort"], problem) for problem in port_number(port["hostPort"])]
        causes += check_choice(f"{own}.protocol", port.get("protocol"), PROTOCOLS)
    return causes


def _validate_host_ports(containers: Sequence[Object], path: str) -> list[Cause]:
    """No two of these containers want the same port of the node."""
    causes: list[Cause] = []
    used: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in used:
                causes.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", key))
            used.add(key)
    return causes


def validate_ports_on_host(spec: Object, path: str, *, is_pod: bool) -> list[Cause]:
    """In the node's network a container has the ports of the node. A template may leave the second number out."""
    if not spec.get("hostNetwork"):
        return []
    causes: list[Cause] = []
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            host_port = port.get("hostPort") or 0
            if (is_pod or host_port) and host_port != (port.get("containerPort") or 0):
                own = f"{path}.containers[{index}].ports[{number}].hostPort"
                causes.append(invalid(own, host_port, "must match `containerPort` when `hostNetwork` is true"))
    return causes
