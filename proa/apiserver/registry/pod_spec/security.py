"""Security contexts of pods and containers."""

import re
from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice, within

MAX_ID = 0xFFFFFFFF
MAX_SYSCTL = 253
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
    for field in ("seccompProfile", "appArmorProfile"):
        if field in context:
            causes += _validate_profile(context[field], f"{path}.{field}")
    return causes


def _validate_profile(profile: Object, path: str) -> list[Cause]:
    kind, local = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        return [required(f"{path}.type", "type is required when seccompProfile is set" if path.endswith("seccompProfile") else "")]
    if kind not in _PROFILES:
        return [not_supported(f"{path}.type", kind, _PROFILES)]
    what = "seccomp type is Localhost" if path.endswith("seccompProfile") else "AppArmor type is Localhost"
    if kind == "Localhost" and not local:
        return [required(f"{path}.localhostProfile", f"must be set when {what}")]
    if kind != "Localhost" and local is not None:
        return [invalid(f"{path}.localhostProfile", local, f"can only be set when {what}")]
    return []
