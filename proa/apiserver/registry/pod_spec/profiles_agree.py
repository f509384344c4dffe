"""Profiles of AppArmor and seccomp that are told twice, as a field and as an annotation of old: both have to say the same."""

from collections.abc import Mapping

from proa.api.errors import Cause, forbidden
from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from proa.api.pod_template import containers

LOCALHOST = "localhost/"
RUNTIME_DEFAULT, UNCONFINED = "runtime/default", "unconfined"
_APP_ARMOR_VALUES = {"RuntimeDefault": (RUNTIME_DEFAULT,), "Unconfined": (UNCONFINED,)}
_SECCOMP_VALUES = {"RuntimeDefault": (RUNTIME_DEFAULT, "docker/default"), "Unconfined": (UNCONFINED,)}


def validate_seccomp_agrees(annotations: Mapping[str, str], spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if SECCOMP_POD in annotations and (profile := (spec.get("securityContext") or {}).get("seccompProfile")):
        causes += _compare(annotations[SECCOMP_POD], profile, f"{path}.securityContext.seccompProfile", _SECCOMP_VALUES)
    if not any(key.startswith(SECCOMP_CONTAINER) for key in annotations):
        return causes
    for where, container in containers(spec):
        key, profile = f"{SECCOMP_CONTAINER}{container.get('name')}", (container.get("securityContext") or {}).get("seccompProfile")
        if profile and key in annotations:
            causes += _compare(annotations[key], profile, f"{path}.{where}.securityContext.seccompProfile", _SECCOMP_VALUES)
    return causes


def validate_app_armor_agrees(annotations: Mapping[str, str], spec: Object, path: str) -> list[Cause]:
    """Of a new pod. The pod's own profile is that of each container without one."""
    told = {key.removeprefix(APP_ARMOR): value for key, value in annotations.items() if key.startswith(APP_ARMOR)}
    if not told or (spec.get("os") or {}).get("name") == "windows":
        return []
    of_pod = (spec.get("securityContext") or {}).get("appArmorProfile")
    causes: list[Cause] = []
    for where, container in containers(spec):
        profile = (container.get("securityContext") or {}).get("appArmorProfile") or of_pod
        if profile and container.get("name") in told:
            own = f"{path}.{where}.securityContext.appArmorProfile"
            causes += _compare(told[container["name"]], profile, own, _APP_ARMOR_VALUES)
    return causes


def _compare(annotation: str, profile: Object, path: str, values: Mapping[str, tuple[str, ...]]) -> list[Cause]:
    what, kind = "seccomp" if values is _SECCOMP_VALUES else "apparmor", profile.get("type") or ""
    if kind == "Localhost":
        fits = annotation.startswith(LOCALHOST)
        if fits and annotation.removeprefix(LOCALHOST) != profile.get("localhostProfile"):
            return [forbidden(f"{path}.localhostProfile", f"{what} profile in annotation and field must match")]
    else:
        fits = kind not in values or annotation in values[kind]
    return [] if fits else [forbidden(f"{path}.type", f"{what} type in annotation and field must match")]
