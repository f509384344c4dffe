"""Annotations that were fields before there were fields, or are read as such: mirror pods, AppArmor and seccomp profiles, deletion costs.

Those of AppArmor and of mirror pods say what a pod is, so they never change.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR, DELETION_COST, MIRROR, SECCOMP_CONTAINER, SECCOMP_POD, TOLERATIONS
from proa.api.pod_template import containers
from proa.apiserver.registry.pod_spec.paths import validate_relative_path
from proa.apiserver.registry.pod_spec.profiles_agree import LOCALHOST, RUNTIME_DEFAULT, UNCONFINED
from proa.apiserver.registry.pod_spec.scheduling import validate_tolerations

_SECCOMP_PROFILES = (RUNTIME_DEFAULT, "docker/default", UNCONFINED)
_APP_ARMOR_PROFILES = (RUNTIME_DEFAULT, UNCONFINED, "")
_MAX_INT32 = 2147483647


def validate_pod_annotations(annotations: Mapping[str, str], spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if MIRROR in annotations and not spec.get("nodeName"):
        causes.append(invalid(f"{path}[{MIRROR}]", annotations[MIRROR], "must set spec.nodeName if mirror pod annotation is set"))
    if annotations.get(TOLERATIONS):
        causes += _validate_tolerations(annotations[TOLERATIONS], path)
    if not _is_int32(annotations.get(DELETION_COST, "0")):
        causes.append(invalid(f"{path}[{DELETION_COST}]", annotations[DELETION_COST], "must be a 32bit integer"))
    if SECCOMP_POD in annotations:
        causes += _validate_seccomp(annotations[SECCOMP_POD], f"{path}.{SECCOMP_POD}")
    for key, value in annotations.items():
        if key.startswith(SECCOMP_CONTAINER):
            causes += _validate_seccomp(value, f"{path}.{key}")
    for key, value in annotations.items():
        if key.startswith(APP_ARMOR):
            causes += _validate_app_armor(key.removeprefix(APP_ARMOR), value, spec, f"{path}[{key}]")
    return causes


def _validate_tolerations(text: str, path: str) -> list[Cause]:
    try:
        tolerations: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return [invalid(path, TOLERATIONS, str(error))]
    if tolerations is not None and not (isinstance(tolerations, list) and all(isinstance(each, dict) for each in tolerations)):
        return [invalid(path, TOLERATIONS, "must be a list of tolerations")]
    return validate_tolerations(tolerations or [], f"{path}.{TOLERATIONS}")


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
    for key in (*old, *(key for key in new if key not in old)):
        what = "AppArmor annotations" if key.startswith(APP_ARMOR) else "mirror pod annotation" if key == MIRROR else ""
        if what and new.get(key) != old.get(key):
            causes.append(forbidden(f"{path}[{key}]", f"may not {'remove or update' if key in old else 'add'} {what}"))
    return causes
