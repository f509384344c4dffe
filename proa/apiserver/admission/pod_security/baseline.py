"""The baseline policy: no known privilege escalations. One function a check; names, versions and words are those of the Pod Security
Standards' published library.
"""

from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from proa.apiserver.admission.pod_security.check import (
    Check,
    Violation,
    containers,
    has_user_namespace,
    named,
    plural,
    quoted,
    security,
    setters,
)

DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
SECCOMP_TYPES = ("Localhost", "RuntimeDefault")
_SYSCTLS_1_0 = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    }
)  # fmt: skip
_SYSCTLS_1_27 = _SYSCTLS_1_0 | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_1_29 = _SYSCTLS_1_27 | {
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
_SYSCTLS_1_32 = _SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
_SYSCTLS_1_37 = _SYSCTLS_1_32 | {"net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"}
_SELINUX_1_0 = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SELINUX_1_31 = _SELINUX_1_0 | {"container_engine_t"}


def _app_armor(metadata: Object, spec: Object) -> Violation | None:
    def bad(holder: Object) -> str:
        kind: str = (security(holder).get("appArmorProfile") or {}).get("type", "RuntimeDefault")
        return "" if kind in ("RuntimeDefault", "Localhost") else kind

    in_containers = {each["name"]: bad(each) for each in containers(spec) if bad(each)}
    annotations = sorted(
        f'{key}="{value}"'
        for key, value in (metadata.get("annotations") or {}).items()
        if key.startswith(APP_ARMOR) and not (value in ("", "runtime/default") or value.startswith("localhost/"))
    )
    by = [setters(bool(bad(spec)), list(in_containers))] if bad(spec) or in_containers else []
    if annotations:
        by.append(plural("annotation", len(annotations)))
    if not by:
        return None
    values = [*sorted({*in_containers.values(), *([bad(spec)] if bad(spec) else [])}), *annotations]
    told = ", ".join(_go_quote(value) for value in values)
    reason = plural("forbidden AppArmor profile", len(values))
    return Violation(reason, f"{' and '.join(by)} must not set AppArmor profile type to {told}")


def _go_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _capabilities(metadata: Object, spec: Object) -> Violation | None:
    names, added = [], set()
    for container in containers(spec):
        bad = set((security(container).get("capabilities") or {}).get("add") or ()) - DEFAULT_CAPABILITIES
        if bad:
            names.append(container["name"])
            added |= bad
    if not names:
        return None
    return Violation(
        "non-default capabilities", f"{named(names)} must not include {quoted(sorted(added))} in securityContext.capabilities.add"
    )


def _host_namespaces(metadata: Object, spec: Object) -> Violation | None:
    shared = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def _host_path_volumes(metadata: Object, spec: Object) -> Violation | None:
    names = [each["name"] for each in spec.get("volumes") or () if each.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural('volume', len(names))} {quoted(names)}") if names else None


def _host_ports(metadata: Object, spec: Object) -> Violation | None:
    names, ports = [], set()
    for container in containers(spec):
        bad = {str(each["hostPort"]) for each in container.get("ports") or () if each.get("hostPort")}
        if bad:
            names.append(container["name"])
            ports |= bad
    if not names:
        return None
    used = f"{plural('uses', len(names), 'use')} {plural('hostPort', len(ports))} {', '.join(sorted(ports))}"
    return Violation("hostPort", f"{named(names)} {used}")


def _probe_hosts(metadata: Object, spec: Object) -> Violation | None:
    names, hosts = set(), set()
    for container in containers(spec):
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        bad = {(each.get(kind) or {}).get("host") for each in handlers if each for kind in ("httpGet", "tcpSocket")} - {None, ""}
        if bad:
            names.add(container["name"])
            hosts |= bad
    if not names:
        return None
    used = f"{plural('uses', len(names), 'use')} {plural('probe or lifecycle host', len(hosts))} {quoted(sorted(hosts))}"
    return Violation("probe or lifecycle host", f"{named(sorted(names))} {used}")


def _privileged(metadata: Object, spec: Object) -> Violation | None:
    names = [each["name"] for each in containers(spec) if security(each).get("privileged")]
    return Violation("privileged", f"{named(names)} must not set securityContext.privileged=true") if names else None


def proc_mount(metadata: Object, spec: Object) -> Violation | None:
    bad = {
        each["name"]: security(each)["procMount"] for each in containers(spec) if security(each).get("procMount", "Default") != "Default"
    }
    if not bad:
        return None
    return Violation("procMount", f"{named(list(bad))} must not set securityContext.procMount to {quoted(sorted(set(bad.values())))}")


def _proc_mount_1_35(metadata: Object, spec: Object) -> Violation | None:
    return None if has_user_namespace(spec) else proc_mount(metadata, spec)


def _seccomp_1_0(metadata: Object, spec: Object) -> Violation | None:
    annotations = metadata.get("annotations") or {}
    keys = [SECCOMP_POD, *(f"{SECCOMP_CONTAINER}{each['name']}" for each in containers(spec))]
    bad = sorted(
        {
            f'{key}="{annotations[key]}"'
            for key in keys
            if key in annotations
            and annotations[key] not in ("runtime/default", "docker/default")
            and not annotations[key].startswith("localhost/")
        }
    )
    return Violation("seccompProfile", f"forbidden {plural('annotation', len(bad))} {', '.join(bad)}") if bad else None


def _seccomp_1_19(metadata: Object, spec: Object) -> Violation | None:
    return bad_seccomp(spec)


def seccomp_type(holder: Object) -> str | None:
    """None where no profile is set."""
    profile = security(holder).get("seccompProfile")
    return None if profile is None else profile.get("type", "")


def bad_seccomp(spec: Object) -> Violation | None:
    bad = {each["name"]: seccomp_type(each) for each in containers(spec) if seccomp_type(each) not in (None, *SECCOMP_TYPES)}
    of_pod = seccomp_type(spec) if seccomp_type(spec) not in (None, *SECCOMP_TYPES) else None
    if not bad and of_pod is None:
        return None
    values = sorted({str(value) for value in (*bad.values(), of_pod) if value is not None})
    by = setters(of_pod is not None, list(bad))
    return Violation("seccompProfile", f"{by} must not set securityContext.seccompProfile.type to {quoted(values)}")


def _se_linux(spec: Object, allowed: frozenset[str]) -> Violation | None:
    def options(holder: Object) -> Object:
        found: Object = security(holder).get("seLinuxOptions") or {}
        return found if found.get("type", "") not in allowed or found.get("user") or found.get("role") else {}

    bad = [each for each in containers(spec) if options(each)]
    found = [options(each) for each in ([spec] if options(spec) else []) + bad]
    if not found:
        return None
    types = sorted({each.get("type", "") for each in found} - allowed)
    told = [f"{plural('type', len(types))} {quoted(types)}"] if types else []
    told += [f"{field} may not be set" for field in ("user", "role") if any(each.get(field) for each in found)]
    by = setters(bool(options(spec)), [each["name"] for each in bad])
    return Violation("seLinuxOptions", f"{by} set forbidden securityContext.seLinuxOptions: {'; '.join(told)}")


def _sysctls(spec: Object, allowed: frozenset[str]) -> Violation | None:
    bad = [each["name"] for each in security(spec).get("sysctls") or () if each.get("name") not in allowed]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def _host_process(metadata: Object, spec: Object) -> Violation | None:
    def bad(holder: Object) -> bool:
        return bool((security(holder).get("windowsOptions") or {}).get("hostProcess"))

    names = [each["name"] for each in containers(spec) if bad(each)]
    if not names and not bad(spec):
        return None
    return Violation("hostProcess", f"{setters(bad(spec), names)} must not set securityContext.windowsOptions.hostProcess=true")


CHECKS = (
    Check("appArmorProfile", ((0, _app_armor),)),
    Check("capabilities_baseline", ((0, _capabilities),)),
    Check("hostNamespaces", ((0, _host_namespaces),)),
    Check("hostPathVolumes", ((0, _host_path_volumes),)),
    Check("hostPorts", ((0, _host_ports),)),
    Check("hostProbesAndHostLifecycle", ((34, _probe_hosts),)),
    Check("privileged", ((0, _privileged),)),
    Check("procMount", ((0, proc_mount), (35, _proc_mount_1_35))),
    Check(
        "seLinuxOptions", ((0, lambda meta, spec: _se_linux(spec, _SELINUX_1_0)), (31, lambda meta, spec: _se_linux(spec, _SELINUX_1_31)))
    ),
    Check("seccompProfile_baseline", ((0, _seccomp_1_0), (19, _seccomp_1_19))),
    Check(
        "sysctls",
        (
            (0, lambda meta, spec: _sysctls(spec, _SYSCTLS_1_0)),
            (27, lambda meta, spec: _sysctls(spec, _SYSCTLS_1_27)),
            (29, lambda meta, spec: _sysctls(spec, _SYSCTLS_1_29)),
            (32, lambda meta, spec: _sysctls(spec, _SYSCTLS_1_32)),
            (37, lambda meta, spec: _sysctls(spec, _SYSCTLS_1_37)),
        ),
    ),
    Check("windowsHostProcess", ((0, _host_process),)),
)
"""Ordered by ID, as violations are told."""
