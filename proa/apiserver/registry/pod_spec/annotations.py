"""Annotations that were fields before there were fields, or are read as such: mirror pods, AppArmor and seccomp profiles, deletion costs.

Those of AppArmor and of mirror pods say what a pod is, so they never change.
"""

from collections.abc import Mapping

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR, DELETION_COST, MIRROR, SECCOMP_CONTAINER, SECCOMP_POD
from proa.api.pod_template import containers
from proa.apiserver.registry.pod_spec.paths import validate_relative_path

LOCALHOST = "localhost/"
_SECCOMP_PROFILES = ("runtime/default", "docker/default", "unconfined")
_APP_ARMOR_PROFILES = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined", "": ""}
_MAX_INT32 = 2147483647


def validate_pod_annotations(annotations: Mapping[str, str], spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key, value in annotations.items():
        if key == MIRROR and not spec.get("nodeName"):
            causes.append(invalid(f"{path}[{key}]", value, "must set spec.nodeName if mirror pod annotation is set"))
        elif key == DELETION_COST and not _is_int32(value):
            causes.append(invalid(f"{path}[{key}]", value, "must be a 32bit integer"))
        elif key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            causes += _validate_seccomp(value, f"{path}.{key}")
        elif key.startswith(APP_ARMOR):
            causes += _validate_app_armor(key.removeprefix(APP_ARMOR), value, spec, f"{path}[{key}]")
    return causes


def _is_int32(text: str) -> bool:
    """As Go reads it, without a plus sign and leading zeros."""
    digits = text.removeprefix("-")
    canonical = digits.isdecimal() and digits.isascii() and (text == "0" or not text.startswith("0"))
    return canonical and -_MAX_INT32 - 1 <= int(text) <= _MAX_INT32


def _validate_seccomp(value: str, path: str) -> list[Cause]:
    if value in _SECCOMP_PROFILES:
        return []
    if value.startswith(LOCALHOST):
        return validate_relative_path(path, value.removeprefix(LOCALHOST))
    return [invalid(path, value, "must be a valid seccomp profile")]


def _validate_app_armor(container: str, value: str, spec: Object, path: str) -> list[Cause]:
    known = {each.get("name") for _, each in containers(spec)}
    causes = [] if container in known else [invalid(path, container, "container not found")]
    if value not in _APP_ARMOR_PROFILES and not value.startswith(LOCALHOST):
        causes.append(invalid(path, value, f'invalid AppArmor profile name: "{value}"'))
    return causes


def validate_annotation_changes(new: Mapping[str, str], old: Mapping[str, str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key in sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key)):
        what = "AppArmor annotations" if key.startswith(APP_ARMOR) else "mirror pod annotation" if key == MIRROR else ""
        if what:
            causes.append(forbidden(f"{path}[{key}]", f"may not {'remove or update' if key in old else 'add'} {what}"))
    return causes


def validate_profiles_agree(annotations: Mapping[str, str], spec: Object, path: str) -> list[Cause]:
    """Of a new pod that says its AppArmor profile twice, as a field and as an annotation."""
    told = {key.removeprefix(APP_ARMOR): value for key, value in annotations.items() if key.startswith(APP_ARMOR)}
    if not told or (spec.get("os") or {}).get("name") == "windows":
        return []
    of_pod = (spec.get("securityContext") or {}).get("appArmorProfile")
    causes: list[Cause] = []
    for where, container in containers(spec):
        profile = (container.get("securityContext") or {}).get("appArmorProfile") or of_pod
        if profile and container.get("name") in told:
            causes += _compare(told[container["name"]], profile, f"{path}.{where}.securityContext.appArmorProfile")
    return causes


def _compare(annotation: str, profile: Object, path: str) -> list[Cause]:
    kind = "Localhost" if annotation.startswith(LOCALHOST) else _APP_ARMOR_PROFILES.get(annotation, "")
    if kind != profile.get("type"):
        return [forbidden(f"{path}.type", "apparmor type in annotation and field must match")]
    if kind == "Localhost" and annotation.removeprefix(LOCALHOST) != profile.get("localhostProfile"):
        return [forbidden(f"{path}.localhostProfile", "apparmor profile in annotation and field must match")]
    return []
