"""Security contexts of pods and containers."""

import re
from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice, within
from proa.apiserver.registry.pod_spec.operating_system import validate_windows_options
from proa.apiserver.registry.pod_spec.paths import validate_relative_path

MAX_ID = 0xFFFFFFFF
MAX_SYSCTL = 253
MAX_APP_ARMOR_PROFILE = 4095
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL_FORMAT = f"^({_SEGMENT}[\\./])*{_SEGMENT}$"
_SYSCTL = re.compile(SYSCTL_FORMAT[1:-1])
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def validate_pod_security_context(context: Object, path: str) -> list[Cause]:
    if not context:
        return []
    causes = _validate_ids(context, path, ("fsGroup", "runAsUser", "runAsGroup"))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        causes += within(f"{path}.supplementalGroups[{index}]", group, 0, MAX_ID)
    causes += _validate_sysctls(context.get("sysctls") or (), f"{path}.sysctls")
    causes += check_choice(f"{path}.fsGroupChangePolicy", context.get("fsGroupChangePolicy"), ("Always", "OnRootMismatch"), optional=True)
    policies = ("Merge", "Strict")
    causes += check_choice(f"{path}.supplementalGroupsPolicy", context.get("supplementalGroupsPolicy"), policies, optional=True)
    policies = ("MountOption", "Recursive")
    causes += check_choice(f"{path}.seLinuxChangePolicy", context.get("seLinuxChangePolicy"), policies, optional=True)
    return causes + _validate_profiles(context, path)


def _validate_sysctls(sysctls: Sequence[Object], path: str) -> list[Cause]:
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
    return causes


def validate_security_context(context: Object, path: str, *, host_users: bool) -> list[Cause]:
    causes = _validate_ids(context, path, ("runAsUser", "runAsGroup"))
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            causes.append(invalid(path, context, detail))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            causes.append(invalid(path, context, detail))
    mount = context.get("procMount")
    causes += check_choice(f"{path}.procMount", mount, ("Default", "Unmasked"), optional=True)
    if mount == "Unmasked" and host_users:
        causes.append(invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    return causes + _validate_profiles(context, path)


def _validate_ids(context: Object, path: str, fields: tuple[str, ...]) -> list[Cause]:
    causes: list[Cause] = []
    for field in fields:
        if field in context:
            causes += within(f"{path}.{field}", context[field], 0, MAX_ID)
    return causes


def _validate_profiles(context: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if "seccompProfile" in context:
        causes += _validate_profile(context["seccompProfile"], f"{path}.seccompProfile", "seccomp")
    if "appArmorProfile" in context:
        causes += _validate_profile(context["appArmorProfile"], f"{path}.appArmorProfile", "AppArmor")
    if "windowsOptions" in context:
        causes += validate_windows_options(context["windowsOptions"], f"{path}.windowsOptions")
    return causes


def _validate_profile(profile: Object, path: str, word: str) -> list[Cause]:
    kind, local, own = profile.get("type"), profile.get("localhostProfile"), f"{path}.localhostProfile"
    if not kind:
        return [required(f"{path}.type", f"type is required when {path.rpartition('.')[2]} is set")]
    if kind not in _PROFILES:
        return [not_supported(f"{path}.type", kind, _PROFILES)]
    if kind != "Localhost":
        return [invalid(own, local, f"can only be set when {word} type is Localhost")] if local is not None else []
    if local is None or (word == "AppArmor" and not local):
        return [required(own, f"must be set when {word} type is Localhost")]
    if word == "seccomp":
        return validate_relative_path(own, local)
    if local != local.strip():
        return [invalid(own, local, "must not be padded with whitespace")]
    return [too_long(own, MAX_APP_ARMOR_PROFILE)] if len(local) > MAX_APP_ARMOR_PROFILE else []
