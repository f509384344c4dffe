"""StorageVersions: in which versions the API servers write and read a resource. The name is the resource's: `<group>.<resource>`."""

from typing import ClassVar

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain, qualified_name
from proa.apiserver.registry.checks import check_key
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy

_NO_COMMON = (
    "should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet"
)
_EMPTY = "must be non-empty"


class StorageVersionStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return _name_problems


def _name_problems(name: str) -> list[str]:
    group, dot, resource = name.rpartition(".")
    if not dot:
        return ["name must be in the form of <group>.<resource>"]
    problems = [f"the group segment {problem}" for problem in dns1123_subdomain(group)]
    return problems + [f"the resource segment {problem}" for problem in dns1035_label(resource)]


def check_storage_version_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    servers = status.get("storageVersions") or []
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, server in enumerate(servers):
        path, identity = f"status.storageVersions[{index}]", server.get("apiServerID") or ""
        if identity in seen:
            causes.append(duplicate(f"{path}.apiServerID", identity))
        seen.add(identity)
        causes += _check_server(server, path)
    causes += _check_common(servers, status.get("commonEncodingVersion"))
    return causes + _check_conditions(status.get("conditions") or [])


def _check_server(server: Object, path: str) -> list[Cause]:
    encoding, decodable = server.get("encodingVersion") or "", server.get("decodableVersions") or []
    causes = check_key(f"{path}.apiServerID", server.get("apiServerID"), dns1123_subdomain)
    causes += _check_version(f"{path}.encodingVersion", encoding)
    for index, version in enumerate(decodable):
        causes += _check_version(f"{path}.decodableVersions[{index}]", version)
    if encoding not in decodable:
        detail = f"decodableVersions must include encodingVersion {encoding}"
        causes.append(invalid(f"{path}.decodableVersions", server.get("decodableVersions"), detail))
    for index, version in enumerate(server.get("servedVersions") or ()):
        own = f"{path}.servedVersions[{index}]"
        causes += _check_version(own, version)
        if version not in decodable:
            listed = f"[{' '.join(decodable)}]"
            detail = f"individual served version : {version} must be included in decodableVersions : {listed}"
            causes.append(invalid(own, version, detail))
    return causes


def _check_common(servers: list[Object], told: str | None) -> list[Cause]:
    versions = {server.get("encodingVersion") or "" for server in servers}
    common, path = versions.pop() if len(versions) == 1 else None, "status.commonEncodingVersion"
    if common == told:
        return []
    if common is None:
        return [invalid(path, told, _NO_COMMON)]
    detail = f"the common encoding version is {common}" if told is None else f"the actual common encoding version is {common}"
    return [invalid(path, told, detail)]


def _check_version(path: str, version: str) -> list[Cause]:
    """A version with or without its group; what is wrong with it is one cause."""
    problems = _version_problems(version)
    return [invalid(path, version, ",".join(problems))] if problems else []


def _version_problems(text: str) -> list[str]:
    group, slash, version = text.rpartition("/")
    if "/" in group:
        label = dns1035_label("")[0].replace("label must", "label, which must")
        return [f"an apiVersion is {label} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"]
    problems = [f"group part: {problem}" for problem in (dns1123_subdomain(group) if group else [_EMPTY])] if slash else []
    return problems + [f"version part: {problem}" for problem in (dns1035_label(version) if version else [_EMPTY])]


def _check_conditions(conditions: list[Object]) -> list[Cause]:
    """The paths lack a step, as upstream's do."""
    causes: list[Cause] = []
    seen: dict[str, int] = {}
    for index, condition in enumerate(conditions):
        path, kind = f"status[{index}]", condition.get("type") or ""
        if kind in seen:
            detail = f"the type of the condition is not unique, it also appears in conditions[{seen[kind]}]"
            causes.append(invalid(f"{path}.type", kind, detail))
        seen[kind] = index
        for field in ("type", "status"):
            causes += check_key(f"{path}.{field}", condition.get(field), qualified_name)
        causes += [required(f"{path}.{field}", f"{field} cannot be empty") for field in ("reason", "message") if not condition.get(field)]
    return causes
