"""Volumes whose files are made from objects: Secrets, ConfigMaps and what a pod knows of itself."""

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.apiserver.registry.pod_spec.env import validate_field_reference, validate_resource_reference
from proa.apiserver.registry.pod_spec.paths import validate_required_file_path

_MODE_MESSAGE = "must be a number between 0 and 0777 (octal), both inclusive"


def check_mode(mode: int | None, path: str) -> list[Cause]:
    return [invalid(path, mode, _MODE_MESSAGE)] if mode is not None and not 0 <= mode <= 0o777 else []


def validate_secret(source: Object, path: str) -> list[Cause]:
    return _named(source, path, "secretName")


def validate_config_map(source: Object, path: str) -> list[Cause]:
    return _named(source, path, "name")


def _named(source: Object, path: str, field: str) -> list[Cause]:
    causes = [] if source.get(field) else [required(f"{path}.{field}")]
    causes += check_mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        causes += validate_item(item, f"{path}.items[{index}]")
    return causes


def validate_item(item: Object, path: str) -> list[Cause]:
    """A key of an object, and the file that shows it."""
    causes = [] if item.get("key") else [required(f"{path}.key")]
    causes += validate_required_file_path(f"{path}.path", item.get("path"))
    return causes + check_mode(item.get("mode"), f"{path}.mode")


def validate_downward(source: Object, path: str) -> list[Cause]:
    causes = check_mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item in source.get("items") or ():
        causes += validate_downward_file(item, path)
    return causes


def validate_downward_file(item: Object, path: str) -> list[Cause]:
    """Upstream tells of such a file without its index."""
    causes = validate_required_file_path(f"{path}.path", item.get("path"))
    if "fieldRef" in item:
        causes += validate_field_reference(item["fieldRef"], f"{path}.fieldRef", in_volume=True)
        if "resourceFieldRef" in item:
            causes.append(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif "resourceFieldRef" in item:
        causes += validate_resource_reference(item["resourceFieldRef"], f"{path}.resourceFieldRef", in_volume=True)
    else:
        causes.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    return causes + check_mode(item.get("mode"), f"{path}.mode")
