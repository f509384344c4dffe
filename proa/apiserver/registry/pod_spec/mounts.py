"""Where a container sees volumes: as files below a path, or as block devices. No name and no path serves twice.

Upstream tells what is wrong with a mount's sub paths and modes without the mount's index.
"""

from collections.abc import Mapping

from proa.api.errors import Cause, forbidden, invalid, not_found, not_supported, required
from proa.api.meta import Object
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps, validate_relative_path

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_READ_ONLY = ("Disabled", "Enabled", "IfPossible")
_BLOCK_SOURCES = {"persistentVolumeClaim", "ephemeral"}


def validate_mounts(container: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    devices = {each.get("name"): each.get("devicePath") for each in container.get("volumeDevices") or ()}
    privileged = bool((container.get("securityContext") or {}).get("privileged"))
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, mount in enumerate(container["volumeMounts"]):
        own = f"{path}[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            causes.append(required(f"{own}.name"))
        if name not in volumes:
            causes.append(not_found(f"{own}.name", name))
        if not target:
            causes.append(required(f"{own}.mountPath"))
        if target in seen:
            causes.append(invalid(f"{own}.mountPath", target, "must be unique"))
        seen.add(target)
        if devices:
            causes += _both(name, target, devices, own, "mountPath", "volumeDevices")
        if "subPath" in mount or "subPathExpr" in mount:
            causes += _validate_sub_paths(mount, own, path)
        if "mountPropagation" in mount or "recursiveReadOnly" in mount:
            causes += _validate_modes(mount, path, privileged=privileged)
    return causes


def _both(name: str, target: str, others: Mapping[str | None, str | None], path: str, field: str, where: str) -> list[Cause]:
    """Against a volume, or a path, that is there as a device and as files."""
    causes = [invalid(f"{path}.name", name, f"must not already exist in {where}")] if name in others else []
    if target in others.values():
        causes.append(invalid(f"{path}.{field}", target, f"must not already exist as a path in {where}"))
    return causes


def _validate_sub_paths(mount: Object, own: str, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if sub_path := mount.get("subPath"):
        causes += validate_relative_path(f"{path}.subPath", sub_path)
    if expression := mount.get("subPathExpr"):
        if sub_path:
            causes.append(invalid(f"{own}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive"))
        causes += validate_relative_path(f"{path}.subPathExpr", expression)
    return causes


def _validate_modes(mount: Object, path: str, *, privileged: bool) -> list[Cause]:
    propagation, read_only = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    causes: list[Cause] = []
    if propagation is not None and propagation not in _PROPAGATION:
        causes.append(not_supported(f"{path}.mountPropagation", propagation, _PROPAGATION))
    if propagation == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        causes.append(forbidden(f"{path}.mountPropagation", detail))
    if read_only in (None, "Disabled"):
        return causes
    own = f"{path}.recursiveReadOnly"
    if read_only not in _READ_ONLY:
        return [*causes, not_supported(own, read_only, _READ_ONLY)]
    if not mount.get("readOnly"):
        causes.append(forbidden(own, "may only be specified when readOnly is true"))
    if propagation not in (None, "None"):
        causes.append(forbidden(own, "may only be specified when mountPropagation is None or not specified"))
    return causes


def validate_devices(container: Object, volumes: Mapping[str, Object], path: str) -> list[Cause]:
    mounts = {each.get("name"): each.get("mountPath") for each in container.get("volumeMounts") or ()}
    causes: list[Cause] = []
    names: set[str] = set()
    paths: set[str] = set()
    for index, device in enumerate(container["volumeDevices"]):
        own = f"{path}[{index}]"
        name, target = device.get("name") or "", device.get("devicePath") or ""
        causes += _validate_device_name(name, names, volumes, f"{own}.name")
        causes += _validate_device_path(target, paths, f"{own}.devicePath")
        causes += _both(name, target, mounts, own, "devicePath", "volumeMounts")
        if name:
            names.add(name)
    return causes


def _validate_device_name(name: str, seen: set[str], volumes: Mapping[str, Object], path: str) -> list[Cause]:
    causes = [] if name else [required(path)]
    if name in seen:
        causes.append(invalid(path, name, "must be unique"))
    if name not in volumes:
        causes.append(not_found(path, name))
    elif not _BLOCK_SOURCES & volumes[name].keys():
        causes.append(invalid(path, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
    return causes


def _validate_device_path(target: str, seen: set[str], path: str) -> list[Cause]:
    causes = [] if target else [required(path)]
    if target in seen:
        causes.append(invalid(path, target, "must be unique"))
    if validate_no_backsteps(path, target):
        causes.append(invalid(path, target, "can not contain backsteps ('..')"))
    else:
        seen.add(target)
    return causes
