"""spec.os and what only one of the two systems knows: Windows has accounts, GMSA credentials and host processes (KEP-1981, KEP-2802); it
has no Linux security contexts.
"""

import re

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.api.pod_template import containers

SYSTEMS = ("linux", "windows")
_NOT_ON_WINDOWS = "cannot be set for a windows pod"
_NOT_ON_LINUX = "windows options cannot be set for a linux pod"
_OF_POD = (
    "securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers", "hostPID", "hostIPC",
    "securityContext.seccompProfile", "securityContext.fsGroup", "securityContext.fsGroupChangePolicy", "securityContext.sysctls",
    "shareProcessNamespace", "securityContext.runAsUser", "securityContext.runAsGroup", "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy", "securityContext.seLinuxChangePolicy",
)  # fmt: skip
_TOLD_IF_FALSE = ("hostUsers", "shareProcessNamespace")
_OF_CONTAINER_CONTEXT = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
MAX_CREDENTIAL_KIB, MAX_DOMAIN, MAX_USER = 64, 256, 104
_control = re.compile("[\x00-\x1f\x7f]").search
_net_bios = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}').fullmatch
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_domain_name = re.compile(rf"{_LABEL}(?:\.{_LABEL})*").fullmatch
_bad_user = re.compile(r'["/\\:;|=,+*?<>@\[\]]').search


def validate_operating_system(spec: Object, path: str) -> list[Cause]:
    name = (spec["os"] or {}).get("name")
    if not name:
        return [required(f"{path}.os.name")]
    if name not in SYSTEMS:
        return [not_supported(f"{path}.os", name, SYSTEMS)]
    contexts = [(f"{path}.{where}.securityContext", each.get("securityContext") or {}) for where, each in containers(spec)]
    of_pod = spec.get("securityContext") or {}
    if name == "linux":
        own = (f"{path}.securityContext", of_pod)
        return [
            forbidden(f"{where}.windowsOptions", _NOT_ON_LINUX)
            for where, context in (own, *contexts)
            if context.get("windowsOptions") is not None
        ]
    causes: list[Cause] = []
    for field in _OF_POD:
        if field.startswith("securityContext."):
            causes += _not_on_windows(of_pod, f"{path}.securityContext", (field.partition(".")[2],))
        elif spec.get(field) is not None and (spec[field] or field in _TOLD_IF_FALSE):
            causes.append(forbidden(f"{path}.{field}", _NOT_ON_WINDOWS))
    return causes + [cause for where, context in contexts for cause in _not_on_windows(context, where, _OF_CONTAINER_CONTEXT)]


def _not_on_windows(context: Object, path: str, fields: tuple[str, ...]) -> list[Cause]:
    return [forbidden(f"{path}.{field}", _NOT_ON_WINDOWS) for field in fields if context.get(field) not in (None, [])]


def validate_windows_options(options: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if (name := options.get("gmsaCredentialSpecName")) is not None:
        causes += [invalid(f"{path}.gmsaCredentialSpecName", name, problem) for problem in dns1123_subdomain(name)]
    if (credential := options.get("gmsaCredentialSpec")) is not None:
        own = f"{path}.gmsaCredentialSpec"
        if not credential:
            causes.append(invalid(own, credential, "gmsaCredentialSpec cannot be an empty string"))
        elif len(credential.encode()) > MAX_CREDENTIAL_KIB * 1024:
            causes.append(invalid(own, credential, f"gmsaCredentialSpec size must be under {MAX_CREDENTIAL_KIB} KiB"))
    if (account := options.get("runAsUserName")) is not None:
        causes += [invalid(f"{path}.runAsUserName", account, problem) for problem in _account_problems(account)]
    return causes


def _account_problems(account: str) -> list[str]:
    """What is wrong with `DOMAIN\\USER` or `USER`."""
    if not account:
        return ["runAsUserName cannot be an empty string"]
    if _control(account):
        return ["runAsUserName cannot contain control characters"]
    if account.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = account.rpartition("\\")
    problems = [f"runAsUserName's Domain length must be under {MAX_DOMAIN} characters"] if len(domain) >= MAX_DOMAIN else []
    if backslash and not _net_bios(domain) and not _domain_name(domain):
        problems.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        problems.append("runAsUserName's User cannot be empty")
    elif len(user) > MAX_USER:
        problems.append(f"runAsUserName's User length must not be longer than {MAX_USER} characters")
    if user and not user.strip(". "):
        problems.append("runAsUserName's User cannot contain only periods or spaces")
    if _bad_user(user):
        problems.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return problems


def validate_host_processes(spec: Object, path: str) -> list[Cause]:
    """All containers of a pod run on the host, or none does; those that do need its network."""
    of_pod = _host_process(spec)
    causes: list[Cause] = []
    on_host: list[bool] = []
    for where, container in containers(spec):
        own = _host_process(container)
        if None not in (of_pod, own) and of_pod != own:
            detail = f"pod hostProcess value must be identical if both are specified, was {str(of_pod).lower()}"
            causes.append(invalid(f"{path}.{where}.securityContext.windowsOptions.hostProcess", own, detail))
        on_host.append(bool(of_pod if own is None else own))
    if not any(on_host):
        return causes
    if not all(on_host):
        causes.append(invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"))
    if not spec.get("hostNetwork"):
        causes.append(invalid(f"{path}.hostNetwork", False, "hostNetwork must be true if pod contains any hostProcess containers"))
    return causes


def _host_process(holder: Object) -> bool | None:
    stated: bool | None = ((holder.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    return stated
