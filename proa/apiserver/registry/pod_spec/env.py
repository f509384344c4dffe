"""Environment variables of a container and where their values come from."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proa.api.errors import Cause, invalid, not_found, not_supported, required
from proa.api.meta import Object
from proa.api.names import as_prefix, config_map_key, dns1123_label, dns1123_subdomain, env_variable_name, qualified_name
from proa.api.pod_template import containers
from proa.api.quantity import MILLI, NANO, parse
from proa.apiserver.registry.checks import check_key, check_name
from proa.apiserver.registry.pod_spec.paths import validate_no_backsteps

_ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_VOLUME_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_KNOWN_FIELDS = frozenset({
    *_ENV_FIELDS, *_VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "spec.terminationGracePeriodSeconds", "status.phase",
})  # fmt: skip
_RENAMED = {"spec.host": "spec.nodeName"}
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SIZES_IN_NANO = frozenset(parse(size).nano for size in _SIZES)
_UNCONVERTED = "error converting fieldPath:"
_subscripted = re.compile(r"(.+?)\['(.*)'\]", re.DOTALL).fullmatch


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
    source = variable["valueFrom"] or {}
    given = [kind for kind in _SOURCES if source.get(kind) is not None]
    causes = [cause for kind in given for cause in _SOURCES[kind](source[kind], f"{path}.{kind}")]
    if not given:
        wanted = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        causes.append(invalid(path, "", wanted))
    elif variable.get("value"):
        causes.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        causes.append(invalid(path, "", "may not have more than one field specified at a time"))
    return causes


def _validate_key(selector: Object, path: str) -> list[Cause]:
    causes = check_key(f"{path}.name", selector.get("name"), dns1123_subdomain)
    return causes + check_name(f"{path}.key", selector.get("key"), config_map_key)


def _validate_file_key(selector: Object, path: str) -> list[Cause]:
    causes = check_name(f"{path}.key", selector.get("key"), env_variable_name)
    causes += check_name(f"{path}.volumeName", selector.get("volumeName"), dns1123_label)
    file = selector.get("path")
    return causes + (validate_no_backsteps(f"{path}.path", file) if file else [required(f"{path}.path")])


def validate_env_files(spec: Object, path: str) -> list[Cause]:
    """Files that variables are read from lie in emptyDir volumes of the pod (KEP-3721)."""
    volumes: Mapping[str, Object] = {each.get("name") or "": each for each in spec.get("volumes") or ()}
    causes: list[Cause] = []
    for where, container in containers(spec):
        for index, variable in enumerate(container.get("env") or ()):
            reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if reference is None:
                continue
            name, own = reference.get("volumeName") or "", f"{path}.{where}.env[{index}].valueFrom.fileKeyRef.volumeName"
            if name not in volumes:
                causes.append(not_found(own, name))
            elif "emptyDir" not in volumes[name]:
                causes.append(invalid(own, name, "referenced volume must be of type emptyDir"))
    return causes


def validate_field_reference(reference: Object, path: str, *, in_volume: bool = False) -> list[Cause]:
    version, field = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
    if not version:
        return [required(f"{path}.apiVersion")]
    if not field:
        return [required(f"{path}.fieldPath")]
    if version != "v1":
        return [invalid(f"{path}.fieldPath", field, f"{_UNCONVERTED} unsupported pod version: {version}")]
    if match := _subscripted(field):
        return _validate_subscript(match[1], match[2], field, path)
    if field not in _KNOWN_FIELDS and field not in _RENAMED:
        return [invalid(f"{path}.fieldPath", field, f"{_UNCONVERTED} field label not supported: {field}")]
    read, allowed = _RENAMED.get(field, field), _VOLUME_FIELDS if in_volume else _ENV_FIELDS
    return [] if read in allowed else [not_supported(f"{path}.fieldPath", read, allowed)]


def _validate_subscript(owner: str, key: str, field: str, path: str) -> list[Cause]:
    if owner == "metadata.annotations":
        key = key.lower()
    elif owner != "metadata.labels":
        return [invalid(f"{path}.fieldPath", field, f"{_UNCONVERTED} field label does not support subscript: {field}")]
    return [invalid(path, key, problem) for problem in qualified_name(key)]


def validate_resource_reference(reference: Object, path: str, *, in_volume: bool = False) -> list[Cause]:
    resource = reference.get("resource") or ""
    if in_volume and not reference.get("containerName"):
        return [required(f"{path}.containerName"), *_validate_divisor(resource, reference.get("divisor"), path)]
    if not resource:
        return [required(f"{path}.resource")]
    causes: list[Cause] = []
    if resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        causes.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    return causes + _validate_divisor(resource, reference.get("divisor"), path)


def _validate_divisor(resource: str, divisor: Any, path: str) -> list[Cause]:
    try:
        nano = parse(divisor or 0).nano
    except (ValueError, TypeError):
        return []
    if not nano:
        return []
    kind = resource.removeprefix("limits.").removeprefix("requests.")
    if kind == "cpu":
        fits, told = nano in (MILLI, NANO), "only divisor's values 1m and 1 are supported with the cpu resource"
    else:
        what = "local ephemeral storage" if kind == "ephemeral-storage" else "hugepages" if kind.startswith("hugepages-") else kind
        if what not in ("memory", "local ephemeral storage", "hugepages"):
            return []
        fits, told = nano in _SIZES_IN_NANO, f"only divisor's values {', '.join(_SIZES)} are supported with the {what} resource"
    return [] if fits else [invalid(f"{path}.divisor", resource, told)]


_SOURCES: Mapping[str, Callable[[Object, str], list[Cause]]] = {
    "fieldRef": validate_field_reference,
    "resourceFieldRef": validate_resource_reference,
    "configMapKeyRef": _validate_key,
    "secretKeyRef": _validate_key,
    "fileKeyRef": _validate_file_key,
}


def validate_env_from(sources: Sequence[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, source in enumerate(sources):
        own = f"{path}[{index}]"
        if prefix := source.get("prefix"):
            causes += [invalid(f"{own}.prefix", prefix, problem) for problem in env_variable_name(prefix)]
        given = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in given:
            causes += check_name(f"{own}.{kind}.name", source[kind].get("name"), _reference_name)
        if not given:
            causes.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            causes.append(invalid(path, "", "may not have more than one field specified at a time"))
    return causes


def _reference_name(name: str) -> Sequence[str]:
    """Upstream lets such a name end in a dash."""
    return dns1123_subdomain(as_prefix(name))
