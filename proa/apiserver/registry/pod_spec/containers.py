"""Containers of all three lists: names, images, ports, mounts and what each list does not allow."""

from collections.abc import Mapping

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_found, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, port_name, port_number
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_name, within
from proa.apiserver.registry.pod_spec.env import validate_env, validate_env_from
from proa.apiserver.registry.pod_spec.probes import validate_lifecycle, validate_probe
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.security import validate_security_context
from proa.apiserver.registry.pod_spec.volumes import validate_relative_path

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NOT_FOR_EPHEMERAL = ("ports", *_PROBES, "lifecycle", "resources")


def validate_containers(spec: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    """Init containers, containers and ephemeral containers of a spec."""
    regular = spec.get("containers")
    if not regular:
        return [required(f"{path}.containers")]
    causes: list[Cause] = []
    names: set[str] = set()
    host_users = spec.get("hostUsers") is not False
    for index, container in enumerate(regular):
        own = f"{path}.containers[{index}]"
        causes += _validate_container(container, volumes, own, names, host_users) + _validate_probes(container, own)
    for index, container in enumerate(spec.get("initContainers") or ()):
        own = f"{path}.initContainers[{index}]"
        causes += _validate_container(container, volumes, own, names, host_users) + _validate_init(container, own)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        own = f"{path}.ephemeralContainers[{index}]"
        causes += _validate_container(container, volumes, own, names, host_users) + _validate_ephemeral(container, spec, own)
    return causes + _validate_host_ports(spec, path)


def _validate_container(container: Object, volumes: Mapping[str, Object], path: str, names: set[str], host_users: bool) -> list[Cause]:
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
        causes += _validate_mounts(container["volumeMounts"], volumes, f"{path}.volumeMounts")
    if "volumeDevices" in container:
        causes += _validate_devices(container["volumeDevices"], volumes, f"{path}.volumeDevices")
    if container.get("resources"):
        causes += validate_resources(container["resources"], f"{path}.resources")
    if "securityContext" in container:
        causes += validate_security_context(container["securityContext"], f"{path}.securityContext", host_users=host_users)
    return causes


def _validate_probes(container: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for probe in _PROBES:
        if probe in container:
            causes += validate_probe(container[probe], f"{path}.{probe}", must_succeed_once=probe != "readinessProbe")
    if "lifecycle" in container:
        causes += validate_lifecycle(container["lifecycle"], f"{path}.lifecycle")
    return causes


def _validate_init(container: Object, path: str) -> list[Cause]:
    policy = container.get("restartPolicy")
    if policy == "Always":
        return _validate_probes(container, path)
    causes = check_choice(f"{path}.restartPolicy", policy, ("Always", "Never", "OnFailure"), optional=True)
    for field in ("lifecycle", *_PROBES):
        if field in container:
            causes.append(forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always"))
    return causes


def _validate_ephemeral(container: Object, spec: Object, path: str) -> list[Cause]:
    causes = [
        forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container") for field in _NOT_FOR_EPHEMERAL if container.get(field)
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
                if spec.get("hostNetwork") and host_port != port.get("containerPort"):
                    detail = "must match `hostPort` when `hostNetwork` is true"
                    causes.append(invalid(f"{own}.containerPort", port.get("containerPort"), detail))
                key = (port.get("protocol", ""), port.get("hostIP", ""), host_port or 0)
                if host_port and key in used and list_name == "containers":
                    causes.append(duplicate(f"{own}.hostPort", "/".join(map(str, key))))
                used.add(key)
    return causes


def _validate_mounts(mounts: list[Object], volumes: Mapping[str, Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        own = f"{path}[{index}]"
        name, target = mount.get("name"), mount.get("mountPath")
        if not name:
            causes.append(required(f"{own}.name"))
        elif name not in volumes:
            causes.append(not_found(f"{own}.name", name))
        if not target:
            causes.append(required(f"{own}.mountPath"))
        elif target in seen:
            causes.append(invalid(f"{own}.mountPath", target, "must be unique"))
        seen.add(target or "")
        if sub_path := mount.get("subPath"):
            causes += validate_relative_path(f"{own}.subPath", sub_path)
            if mount.get("subPathExpr"):
                causes.append(invalid(f"{own}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive"))
        if sub_path := mount.get("subPathExpr"):
            causes += validate_relative_path(f"{own}.subPathExpr", sub_path)
        allowed = ("Bidirectional", "HostToContainer", "None")
        causes += check_choice(f"{own}.mountPropagation", mount.get("mountPropagation"), allowed, optional=True)
    return causes


def _validate_devices(devices: list[Object], volumes: Mapping[str, Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, device in enumerate(devices):
        own = f"{path}[{index}]"
        name = device.get("name")
        if not name:
            causes.append(required(f"{own}.name"))
        elif name not in volumes:
            causes.append(not_found(f"{own}.name", name))
        elif not {"persistentVolumeClaim", "ephemeral"} & volumes[name].keys():
            causes.append(
                invalid(f"{own}.name", name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")
            )
        if not device.get("devicePath"):
            causes.append(required(f"{own}.devicePath"))
    return causes
