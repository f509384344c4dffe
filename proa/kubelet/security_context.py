"""Security contexts of pod and container as CRI takes them; what the container says wins over what the pod says."""

from typing import Any

from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.cri.runtime import Image
from proa.kubelet.environment import ConfigError

MASKED_PATHS = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_INHERITED = ("runAsUser", "runAsGroup", "runAsNonRoot", "seLinuxOptions", "seccompProfile", "appArmorProfile")


def effective(pod: Object, container: Object) -> Object:
    """The container's security context with what it takes over from the pod's."""
    of_pod = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    return {name: of_pod[name] for name in _INHERITED if of_pod.get(name) is not None} | {k: v for k, v in own.items() if v is not None}


def is_privileged(pod: Object) -> bool:
    return any((each.get("securityContext") or {}).get("privileged") for _, each in pod_spec.all_containers(pod))


def supplemental_groups(pod: Object) -> list[int]:
    context = pod["spec"].get("securityContext") or {}
    groups = [context["fsGroup"]] if context.get("fsGroup") is not None else []
    return groups + list(context.get("supplementalGroups") or [])


def namespace_options(pod: Object, *, target_id: str = "") -> dict[str, Any]:
    spec = pod["spec"]
    pid = "NODE" if spec.get("hostPID") else "POD" if spec.get("shareProcessNamespace") else "CONTAINER"
    options = {
        "network": "NODE" if spec.get("hostNetwork") else "POD",
        "pid": pid,
        "ipc": "NODE" if spec.get("hostIPC") else "POD",
    }
    return options | {"pid": "TARGET", "target_id": target_id} if target_id else options


def seccomp_profile(profile: Object | None, root: str, *, privileged: bool) -> dict[str, Any]:
    """Without a profile a container is unconfined, as the API documents."""
    kind = (profile or {}).get("type") or "Unconfined"
    if privileged:
        kind = "Unconfined"
    if kind == "Localhost":
        return {"profile_type": "Localhost", "localhost_ref": f"{root}/{(profile or {})['localhostProfile']}"}
    return {"profile_type": kind}


def _apparmor(profile: Object | None) -> dict[str, Any] | None:
    if not profile:
        return None
    if profile["type"] == "Localhost":
        return {"profile_type": "Localhost", "localhost_ref": profile["localhostProfile"]}
    return {"profile_type": profile["type"]}


def _selinux(options: Object | None) -> dict[str, str] | None:
    return {key: str(value) for key, value in options.items()} if options else None


def sandbox_security_context(pod: Object, seccomp_root: str) -> dict[str, Any]:
    context = pod["spec"].get("securityContext") or {}
    result: dict[str, Any] = {
        "namespace_options": namespace_options(pod),
        "privileged": is_privileged(pod),
        # The sandbox's own process is ours and needs nothing that a pod's profile would take away.
        "seccomp": seccomp_profile({"type": "RuntimeDefault"}, seccomp_root, privileged=False),
        "supplemental_groups": supplemental_groups(pod),
    }
    if context.get("runAsUser") is not None:
        result["run_as_user"] = {"value": context["runAsUser"]}
        if context.get("runAsGroup") is not None:
            result["run_as_group"] = {"value": context["runAsGroup"]}
    if selinux := _selinux(context.get("seLinuxOptions")):
        result["selinux_options"] = selinux
    return result


def container_security_context(pod: Object, container: Object, image: Image, seccomp_root: str, *, target_id: str = "") -> dict[str, Any]:
    """Raises ConfigError where the image would break runAsNonRoot."""
    context = effective(pod, container)
    check_non_root(pod, container, context, image)
    privileged = bool(context.get("privileged"))
    unmasked = context.get("procMount") == "Unmasked"
    result: dict[str, Any] = {
        "privileged": privileged,
        "namespace_options": namespace_options(pod, target_id=target_id),
        "readonly_rootfs": bool(context.get("readOnlyRootFilesystem")),
        "no_new_privs": context.get("allowPrivilegeEscalation") is False and not privileged,
        "supplemental_groups": supplemental_groups(pod),
        "seccomp": seccomp_profile(context.get("seccompProfile"), seccomp_root, privileged=privileged),
        "masked_paths": [] if unmasked else list(MASKED_PATHS),
        "readonly_paths": [] if unmasked else list(READONLY_PATHS),
    }
    if capabilities := context.get("capabilities"):
        added, dropped = capabilities.get("add") or [], capabilities.get("drop") or []
        result["capabilities"] = {"add_capabilities": list(added), "drop_capabilities": list(dropped)}
    if selinux := _selinux(context.get("seLinuxOptions")):
        result["selinux_options"] = selinux
    if apparmor := _apparmor(context.get("appArmorProfile")):
        result["apparmor"] = apparmor
    return result | _user(context, image)


def _user(context: Object, image: Image) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if context.get("runAsUser") is not None:
        result["run_as_user"] = {"value": context["runAsUser"]}
    elif image.uid is not None:
        result["run_as_user"] = {"value": image.uid}
    elif image.username:
        result["run_as_username"] = image.username
    elif context.get("runAsGroup") is not None:
        # CRI takes a group only together with a user, and an image that names none runs as root.
        result["run_as_user"] = {"value": 0}
    if context.get("runAsGroup") is not None:
        result["run_as_group"] = {"value": context["runAsGroup"]}
    return result


def check_non_root(pod: Object, container: Object, context: Object, image: Image) -> None:
    if not context.get("runAsNonRoot"):
        return
    where = f'(pod: "{pod_spec.pod_name(pod)}", container: {container["name"]})'
    if context.get("runAsUser") is not None:
        if context["runAsUser"] == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    if image.uid == 0 or (image.uid is None and not image.username):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    if image.uid is None:
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({image.username}), cannot verify user is non-root {where}"
        )
