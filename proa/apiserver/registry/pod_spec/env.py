"""Environment variables of a container and where their values come from."""

import re

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import config_map_key, env_variable_name, qualified_name
from proa.apiserver.registry.checks import check_name

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_VOLUME_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_subscripted = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]").fullmatch


def validate_env(variables: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, variable in enumerate(variables):
        name = variable.get("name")
        if not name:
            causes.append(required(f"{path}[{index}].name"))
        elif problems := env_variable_name(name):
            causes += [invalid(f"{path}[{index}].name", name, problem) for problem in problems]
        if "valueFrom" in variable:
            causes += _validate_source(variable, f"{path}[{index}].valueFrom")
    return causes


def _validate_source(variable: Object, path: str) -> list[Cause]:
    source = variable["valueFrom"]
    given = [kind for kind in _SOURCES if kind in source]
    if not given:
        wanted = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        return [invalid(path, "", wanted)]
    causes: list[Cause] = []
    if variable.get("value"):
        causes.append(invalid(path, "", "may not be specified when `value` is not empty"))
    if len(given) > 1:
        causes.append(invalid(path, "", "may not have more than one field specified at a time"))
    if "fieldRef" in source:
        causes += validate_field_reference(source["fieldRef"], f"{path}.fieldRef")
    if "resourceFieldRef" in source:
        causes += validate_resource_reference(source["resourceFieldRef"], f"{path}.resourceFieldRef")
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in source:
            causes += _validate_key(source[kind], f"{path}.{kind}")
    return causes


def _validate_key(selector: Object, path: str) -> list[Cause]:
    causes = [] if selector.get("name") else [required(f"{path}.name")]
    return causes + check_name(f"{path}.key", selector.get("key"), config_map_key)


def validate_field_reference(reference: Object, path: str, *, in_volume: bool = False) -> list[Cause]:
    field = reference.get("fieldPath")
    if not field:
        return [required(f"{path}.fieldPath")]
    if match := _subscripted(field):
        key = match[2].lower() if match[1] == "annotations" else match[2]
        return [invalid(path, match[2], problem) for problem in qualified_name(key)]
    if field.endswith("]"):
        return [invalid(path, field, f"error converting fieldPath: field label does not support subscript: {field}")]
    allowed = _VOLUME_FIELDS if in_volume else _ENV_FIELDS
    return [] if field in allowed else [not_supported(f"{path}.fieldPath", field, allowed)]


def validate_resource_reference(reference: Object, path: str, *, in_volume: bool = False) -> list[Cause]:
    causes: list[Cause] = []
    if in_volume and not reference.get("containerName"):
        causes.append(required(f"{path}.containerName"))
    resource = reference.get("resource")
    if not resource:
        return [*causes, required(f"{path}.resource")]
    if resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        causes.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    return causes


def validate_env_from(sources: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, source in enumerate(sources):
        own = f"{path}[{index}]"
        if prefix := source.get("prefix"):
            causes += [invalid(f"{own}.prefix", prefix, problem) for problem in env_variable_name(prefix)]
        given = [kind for kind in ("configMapRef", "secretRef") if kind in source]
        if not given:
            causes.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            causes.append(invalid(path, "", "may not have more than one field specified at a time"))
        causes += [required(f"{own}.{kind}.name") for kind in given if not source[kind].get("name")]
    return causes
