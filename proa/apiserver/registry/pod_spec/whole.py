"""Rules of a pod spec that speak of the pod as a whole: claims of devices, names, host namespaces, its scheduling group."""

from proa.api.errors import Cause, duplicate, forbidden, invalid, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.api.pod_template import containers
from proa.apiserver.registry.checks import check_key, check_name

_HOST_NAMESPACES = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
"""By the field, what upstream calls it where it conflicts with a user namespace."""
_CLAIM_FIELDS = ("resourceClaimName", "resourceClaimTemplateName")
_NAMED = " or ".join(f"`{field}`" for field in _CLAIM_FIELDS)
MAX_HOSTNAME = 64


def claim_names(spec: Object) -> frozenset[str]:
    return frozenset(each["name"] for each in spec.get("resourceClaims") or () if each.get("name"))


def validate_claims(claims: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        own, name = f"{path}[{index}]", claim.get("name") or ""
        if name in seen:
            causes.append(duplicate(f"{own}.name", name))
        else:
            causes += check_name(f"{own}.name", name, dns1123_label)
        if name:
            seen.add(name)
        given = [field for field in _CLAIM_FIELDS if claim.get(field) is not None]
        if len(given) > 1:
            causes.append(invalid(own, claim, f"at most one of {_NAMED} may be specified"))
        if not given:
            causes.append(invalid(own, claim, f"must specify one of: {_NAMED.replace(' or ', ', ')}"))
        for field in given:
            causes += check_key(f"{own}.{field}", claim[field], dns1123_subdomain)
    return causes


def validate_host_users(spec: Object, path: str) -> list[Cause]:
    """What a pod in a user namespace of its own can't have (KEP-127)."""
    detail = "when `hostUsers` is false"
    causes = [forbidden(f"{path}.{told}", detail) for field, told in _HOST_NAMESPACES.items() if spec.get(field)]
    devices = (where for where, container in containers(spec) if container.get("volumeDevices"))
    return causes + [forbidden(f"{path}.{where}.volumeDevices", detail) for where in devices]


def validate_hostname_override(spec: Object, path: str) -> list[Cause]:
    name, own = spec["hostnameOverride"], f"{path}.hostnameOverride"
    causes = [
        forbidden(own, f"may not be specified when {field} is true") for field in ("setHostnameAsFQDN", "hostNetwork") if spec.get(field)
    ]
    if len(name) > MAX_HOSTNAME:
        causes.append(too_long(own, MAX_HOSTNAME))
    return causes + check_key(own, name, dns1123_subdomain)


def validate_scheduling_group(group: Object, path: str) -> list[Cause]:
    own, name = f"{path}.podGroupName", group.get("podGroupName")
    return [invalid(own, None, "must specify one of: `podGroupName`")] if name is None else check_key(own, name, dns1123_subdomain)


def validate_as_pod(spec: Object, path: str) -> list[Cause]:
    """Of a spec that is a pod's own and no template's."""
    causes: list[Cause] = []
    if spec.get("serviceAccountName"):
        return causes
    detail = "must not be specified when serviceAccountName is not set"
    for index, volume in enumerate(spec.get("volumes") or ()):
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if "serviceAccountToken" in source:
                causes.append(forbidden(f"{path}.volumes[{index}].projected.sources[{number}].serviceAccountToken", detail))
    return causes
