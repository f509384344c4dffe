"""Containers of all three lists: names, images, ports, mounts and what each list does not allow."""

from collections.abc import Mapping

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_found, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, port_name, port_number
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_name, too_many, within
from proa.apiserver.registry.pod_spec.env import validate_env, validate_env_from
from proa.apiserver.registry.pod_spec.mounts import validate_devices, validate_mounts
from proa.apiserver.registry.pod_spec.probes import validate_lifecycle, validate_probe
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.security import validate_security_context
from proa.apiserver.registry.pod_spec.whole import claim_names
from proa.lib.dataclass import dataclass

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTART_POLICIES, _RESTART_ACTIONS = ("Always", "Never", "OnFailure"), ("Restart", "RestartAllContainers")
MAX_RESTART_RULES, MAX_EXIT_CODES = 20, 255
_NOT_FOR_EPHEMERAL = ("ports", *_PROBES, "lifecycle", "resources")


def validate_containers(spec: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    """Init containers, containers and ephemeral containers of a spec."""
    regular = spec.get("containers")
    if not regular:
        return [required(f"{path}.containers")]
    causes: list[Cause] = []
    names: set[str] = set()
    pod = _Pod(volumes, claim_names(spec), spec.get("hostUsers") is not False, spec.get("terminationGracePeriodSeconds") or 0)
    for index, container in enumerate(regular):
        own = f"{path}.containers[{index}]"
        causes += _validate_container(container, pod, own, names) + _validate_probes(container, pod, own)
        causes += _validate_restart(container, own)
    for index, container in enumerate(spec.get("initContainers") or ()):
        own = f"{path}.initContainers[{index}]"
        causes += _validate_container(container, pod, own, names) + _validate_init(container, pod, own)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        own = f"{path}.ephemeralContainers[{index}]"
        causes += _validate_container(container, pod, own, names) + _validate_ephemeral(container, spec, own)
    return causes + _validate_host_ports(spec, path)


@dataclass(frozen=True, slots=True)
class _Pod:
    """What the rules of a container ask of its pod."""

    volumes: Mapping[str, Object]
    claims: frozenset[str]
    host_users: bool
    grace_period: int


def _validate_container(container: Object, pod: _Pod, path: str, names: set[str]) -> list[Cause]:
    name, image = container.get("name"), container.get("image")
    causes = check_name(f"{path}.name", name, dns1123_label)
    if name in names:
        causes.append(duplicate(f"{path}.name", name))
    names.add(name or "")
    if not image:
        causes.append(required(f"{path}.image"))
    elif image != image.strip():
        causes.append(invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
    causes += check_choice(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), _PULL_POLICIES)
    causes += check_choice(f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), _MESSAGE_POLICIES)
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
    if container.get("resources"):
        causes += validate_resources(container["resources"], f"{path}.resources", pod.claims)
    if "securityContext" in container:
        causes += validate_security_context(container["securityContext"], f"{path}.securityContext", host_users=pod.host_users)
    if "resizePolicy" in container:
        causes += _validate_resize_policy(container["resizePolicy"], f"{path}.resizePolicy")
    return causes


def _validate_probes(container: Object, pod: _Pod, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for probe in _PROBES:
        if probe in container:
            causes += validate_probe(container[probe], f"{path}.{probe}", must_succeed_once=probe != "readinessProbe")
    if "lifecycle" in container:
        causes += validate_lifecycle(container["lifecycle"], f"{path}.lifecycle", pod.grace_period)
    return causes


def _validate_restart(container: Object, path: str) -> list[Cause]:
    """A container's own restart policy, and rules for some exit codes (KEP-5307)."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    causes = check_choice(f"{path}.restartPolicy", policy, _RESTART_POLICIES, optional=True)
    if rules and not policy:
        causes.append(required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    causes += too_many(f"{path}.restartPolicyRules", len(rules), MAX_RESTART_RULES)
    for index, rule in enumerate(rules):
        own, codes = f"{path}.restartPolicyRules[{index}]", rule.get("exitCodes")
        causes += check_choice(f"{own}.action", rule.get("action"), _RESTART_ACTIONS)
        if codes is None:
            causes.append(required(f"{own}.exitCodes", "must be specified"))
        else:
            causes += check_choice(f"{own}.exitCodes.operator", codes.get("operator"), ("In", "NotIn"))
            causes += too_many(f"{own}.exitCodes.values", len(codes.get("values") or ()), MAX_EXIT_CODES)
    return causes


def _validate_resize_policy(policies: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name = policy.get("resourceName") or ""
        if name in seen:
            causes.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
        causes += check_choice(f"{path}.resourceName", name, ("cpu", "memory"))
        causes += check_choice(f"{path}.restartPolicy", policy.get("restartPolicy"), ("NotRequired", "RestartContainer"))
    return causes


def _validate_init(container: Object, pod: _Pod, path: str) -> list[Cause]:
    causes = _validate_restart(container, path)
    if container.get("restartPolicy") == "Always":
        return causes + _validate_probes(container, pod, path)
    for field in ("lifecycle", *_PROBES):
        if field in container:
            causes.append(forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always"))
    return causes


def _validate_ephemeral(container: Object, spec: Object, path: str) -> list[Cause]:
    causes = [
        forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container") for field in _NOT_FOR_EPHEMERAL if container.get(field)
    ]
    causes += [
        forbidden(f"{path}.volumeMounts[{index}].{field}", "cannot be set for an Ephemeral Container")
        for index, mount in enumerate(container.get("volumeMounts") or ())
        for field in ("subPath", "subPathExpr")
        if mount.get(field)
    ]
    target = container.get("targetContainerName")
    if target and all(each.get("name") != target for each in (spec.get("containers") or []) + (spec.get("initContainers") or [])):
        causes.append(not_found(f"{path}.targetContainerName", target))
    return causes


def _validate_ports(ports: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        own = f"{path}[{index}]"
        if name := port.get("name"):
            problems = port_name(name)
            causes += [invalid(f"{own}.name", name, problem) for problem in problems]
            if name in names and not problems:
                causes.append(duplicate(f"{own}.name", name))
            names.add(name)
        number = port.get("containerPort")
        if not number:
            causes.append(required(f"{own}.containerPort"))
        else:
            causes += [invalid(f"{own}.containerPort", number, problem) for problem in port_number(number)]
        if port.get("hostPort"):
            causes += within(f"{own}.hostPort", port["hostPort"], 1, 65535)
        causes += check_choice(f"{own}.protocol", port.get("protocol"), PROTOCOLS)
    return causes


def _validate_host_ports(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    used: set[tuple[str, str, int]] = set()
    for list_name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(list_name) or ()):
            for number, port in enumerate(container.get("ports") or ()):
                own = f"{path}.{list_name}[{index}].ports[{number}]"
                host_port = port.get("hostPort")
                if spec.get("hostNetwork") and host_port and host_port != port.get("containerPort"):
                    detail = "must match `containerPort` when `hostNetwork` is true"
                    causes.append(invalid(f"{own}.hostPort", host_port, detail))
                key = (port.get("protocol", ""), port.get("hostIP", ""), host_port or 0)
                if host_port and key in used and list_name == "containers":
                    causes.append(duplicate(f"{own}.hostPort", "/".join(map(str, key))))
                used.add(key)
    return causes
