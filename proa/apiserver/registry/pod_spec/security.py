"""Security contexts of pods and containers."""

import re
from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.apiserver.registry.checks import within
from proa.apiserver.registry.pod_spec.operating_system import validate_windows_options
from proa.apiserver.registry.pod_spec.paths import validate_relative_path

MAX_ID = 0xFFFFFFFF
MAX_SYSCTL = 253
MAX_APP_ARMOR_PROFILE = 4095
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL_FORMAT = f"^({_SEGMENT}[\\./])*{_SEGMENT}$"
_SYSCTL = re.compile(SYSCTL_FORMAT[1:-1])
_of_network = re.compile(r"net\..*").fullmatch
_of_ipc = re.compile(r"kernel\.sem|kernel\.(shm|msg).*|fs\.mqueue\..*").fullmatch
_PROC_MOUNTS = ("Default", "Unmasked")
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def validate_pod_security_context(spec: Object, path: str) -> list[Cause]:
    """The security context of a pod. Whether its processes are shared is told there too."""
    context, own = spec.get("securityContext") or {}, f"{path}.securityContext"
    causes = _validate_ids(context, own, ("fsGroup", "runAsUser", "runAsGroup")) if context else []
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        causes += within(f"{own}.supplementalGroups[{index}]", group, 0, MAX_ID)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        causes.append(invalid(f"{own}.shareProcessNamespace", True, detail))
    if not context:
        return causes
    causes += _validate_sysctls(context.get("sysctls") or (), spec, f"{own}.sysctls")
    causes += _one_of(context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"), own)
    causes += _validate_profiles(context, own)
    causes += _one_of(context, "supplementalGroupsPolicy", ("Merge", "Strict"), own)
    return causes + _one_of(context, "seLinuxChangePolicy", ("MountOption", "Recursive"), own)


def _one_of(context: Object, field: str, allowed: tuple[str, ...], path: str) -> list[Cause]:
    value = context.get(field)
    return [not_supported(f"{path}.{field}", value, allowed)] if value is not None and value not in allowed else []


def _validate_sysctls(sysctls: Sequence[Object], spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        where, name = f"{path}[{index}].name", sysctl.get("name") or ""
        if not name:
            causes.append(required(where))
        elif len(name) > MAX_SYSCTL or not _SYSCTL.fullmatch(name):
            told = f"must have at most {MAX_SYSCTL} characters and match regex {SYSCTL_FORMAT}"
            causes.append(invalid(where, name, told))
        elif name in seen:
            causes.append(duplicate(where, name))
        seen.add(name)
        for field, is_its_own in (("hostNetwork", _of_network), ("hostIPC", _of_ipc)):
            if spec.get(field) and is_its_own(_with_dots(name)):
                causes.append(invalid(where, name, f"may not be specified when '{field}' is true"))
    return causes


def _with_dots(name: str) -> str:
    """A name whose first separator is a slash has its dots and slashes swapped."""
    dot, slash = name.find("."), name.find("/")
    swapped = slash >= 0 and (dot < 0 or slash < dot)
    return name.translate(str.maketrans("./", "/.")) if swapped else name


def validate_security_context(context: Object, path: str, *, host_users: bool) -> list[Cause]:
    causes = _validate_ids(context, path, ("runAsUser", "runAsGroup"))
    mount = context.get("procMount")
    if mount is not None and mount not in _PROC_MOUNTS:
        causes.append(not_supported(f"{path}.procMount", mount, _PROC_MOUNTS))
    if mount == "Unmasked" and host_users:
        causes.append(invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    if "seccompProfile" in context:
        causes += _validate_seccomp(context["seccompProfile"], f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            causes.append(invalid(path, context, detail))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            causes.append(invalid(path, context, detail))
    return causes + _validate_profiles({key: each for key, each in context.items() if key != "seccompProfile"}, path)


def _validate_ids(context: Object, path: str, fields: tuple[str, ...]) -> list[Cause]:
    causes: list[Cause] = []
    for field in fields:
        if field in context:
            causes += within(f"{path}.{field}", context[field], 0, MAX_ID)
    return causes


def _validate_profiles(context: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if "seccompProfile" in context:
        causes += _validate_seccomp(context["seccompProfile"], f"{path}.seccompProfile")
    if "windowsOptions" in context:
        causes += validate_windows_options(context["windowsOptions"], f"{path}.windowsOptions")
    if "appArmorProfile" in context:
        causes += _validate_app_armor(context["appArmorProfile"], f"{path}.appArmorProfile")
    return causes


def _validate_seccomp(profile: Object, path: str) -> list[Cause]:
    kind, local, own = profile.get("type") or "", profile.get("localhostProfile"), f"{path}.localhostProfile"
    causes = _validate_type(kind, path)
    if kind != "Localhost":
        told = {"Type": kind, "LocalhostProfile": local}
        return causes if local is None else [*causes, invalid(own, told, "can only be set when seccomp type is Localhost")]
    return [required(own, "must be set when seccomp type is Localhost")] if local is None else validate_relative_path(own, local)


def _validate_app_armor(profile: Object, path: str) -> list[Cause]:
    kind, local, own = profile.get("type") or "", profile.get("localhostProfile"), f"{path}.localhostProfile"
    if kind not in _PROFILES:
        return _validate_type(kind, path)
    if kind != "Localhost":
        return [] if local is None else [invalid(own, local, "can only be set when AppArmor type is Localhost")]
    if not local:
        return [required(own, "must be set when AppArmor type is Localhost")]
    causes = [] if local == local.strip() else [invalid(own, local, "must not be padded with whitespace")]
    return causes + ([too_long(own, MAX_APP_ARMOR_PROFILE)] if len(local) > MAX_APP_ARMOR_PROFILE else [])


def _validate_type(kind: str, path: str) -> list[Cause]:
    if not kind:
        return [required(f"{path}.type", f"type is required when {path.rpartition('.')[2]} is set")]
    return [] if kind in _PROFILES else [not_supported(f"{path}.type", kind, _PROFILES)]
