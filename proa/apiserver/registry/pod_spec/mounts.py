"""Where a container sees volumes: as files below a path, or as block devices. No name and no path serves twice."""

from collections.abc import Mapping

from proa.api.errors import Cause, forbidden, invalid, not_found, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps, validate_relative_path

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_READ_ONLY = ("Disabled", "Enabled", "IfPossible")
_BLOCK_SOURCES = {"persistentVolumeClaim", "ephemeral"}


def validate_mounts(container: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    mounts = container["volumeMounts"]
    devices = container.get("volumeDevices") or ()
    names, paths = {each.get("name") for each in devices}, {each.get("devicePath") for each in devices}
    privileged = bool((container.get("securityContext") or {}).get("privileged"))
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
        if name in names:
            causes.append(invalid(f"{own}.name", name, "must not already exist in volumeDevices"))
        if target in paths:
            causes.append(invalid(f"{own}.mountPath", target, "must not already exist as a path in volumeDevices"))
        if "subPath" in mount or "subPathExpr" in mount:
            causes += _validate_sub_paths(mount, own)
        causes += _validate_modes(mount, own, privileged=privileged)
    return causes


def _validate_sub_paths(mount: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if sub_path := mount.get("subPath"):
        causes += validate_relative_path(f"{path}.subPath", sub_path)
    if expression := mount.get("subPathExpr"):
        if sub_path:
            causes.append(invalid(f"{path}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive"))
        causes += validate_relative_path(f"{path}.subPathExpr", expression)
    return causes


def _validate_modes(mount: Object, path: str, *, privileged: bool) -> list[Cause]:
    propagation, read_only = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    causes = check_choice(f"{path}.mountPropagation", propagation, _PROPAGATION, optional=True)
    if propagation == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        causes.append(forbidden(f"{path}.mountPropagation", detail))
    if read_only is None or read_only == "Disabled":
        return causes
    own = f"{path}.recursiveReadOnly"
    if read_only not in _READ_ONLY:
        return causes + check_choice(own, read_only, _READ_ONLY)
    if not mount.get("readOnly"):
        causes.append(forbidden(own, "may only be specified when readOnly is true"))
    if propagation not in (None, "None"):
        causes.append(forbidden(own, "may only be specified when mountPropagation is None or not specified"))
    return causes


def validate_devices(container: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    mounts = container.get("volumeMounts") or ()
    names, paths = {each.get("name") for each in mounts}, {each.get("mountPath") for each in mounts}
    causes: list[Cause] = []
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container["volumeDevices"]):
        own = f"{path}[{index}]"
        name, target = device.get("name"), device.get("devicePath")
        if not name:
            causes.append(required(f"{own}.name"))
        elif name in seen_names:
            causes.append(invalid(f"{own}.name", name, "must be unique"))
        elif name not in volumes:
            causes.append(not_found(f"{own}.name", name))
        elif not _BLOCK_SOURCES & volumes[name].keys():
            detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            causes.append(invalid(f"{own}.name", name, detail))
        if not target:
            causes.append(required(f"{own}.devicePath"))
        elif target in seen_paths:
            causes.append(invalid(f"{own}.devicePath", target, "must be unique"))
        else:
            causes += validate_no_backsteps(f"{own}.devicePath", target)
        if name in names:
            causes.append(invalid(f"{own}.name", name, "must not already exist in volumeMounts"))
        if target in paths:
            causes.append(invalid(f"{own}.devicePath", target, "must not already exist as a path in volumeMounts"))
        seen_names.add(name or "")
        seen_paths.add(target or "")
    return causes
