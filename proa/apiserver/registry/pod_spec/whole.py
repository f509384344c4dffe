"""Rules of a pod spec that speak of the pod as a whole: claims of devices, readiness gates, host namespaces."""

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, qualified_name
from proa.apiserver.registry.checks import check_choice, check_key, check_name
from proa.apiserver.registry.resource_checks import check_container_resource_name, check_resource_amount

_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_CLAIM_FIELDS = ("resourceClaimName", "resourceClaimTemplateName")
_NAMED = " or ".join(f"`{field}`" for field in _CLAIM_FIELDS)


def claim_names(spec: Object) -> frozenset[str]:
    return frozenset(each.get("name") or "" for each in spec.get("resourceClaims") or ())


def validate_whole(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if claims := spec.get("resourceClaims"):
        causes += _validate_claims(claims, f"{path}.resourceClaims")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        causes += check_key(f"{path}.readinessGates[{index}].conditionType", gate.get("conditionType"), qualified_name)
    if spec.get("hostUsers") is False:
        causes += [forbidden(f"{path}.{field}", "when `hostUsers` is false") for field in _HOST_NAMESPACES if spec.get(field)]
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        causes.append(invalid(f"{path}.shareProcessNamespace", True, detail))
    for name, amount in (spec.get("overhead") or {}).items():
        own = f"{path}.overhead[{name}]"
        causes += check_container_resource_name(name, own) + check_resource_amount(name, amount, own)
    policies = ("Never", "PreemptLowerPriority")
    return causes + check_choice(f"{path}.preemptionPolicy", spec.get("preemptionPolicy"), policies, optional=True)


def _validate_claims(claims: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        own, name = f"{path}[{index}]", claim.get("name") or ""
        if not name:
            causes.append(required(f"{own}.name"))
        elif name in seen:
            causes.append(duplicate(f"{own}.name", name))
        else:
            causes += check_name(f"{own}.name", name, dns1123_label)
        seen.add(name)
        given = [field for field in _CLAIM_FIELDS if claim.get(field) is not None]
        if len(given) > 1:
            causes.append(invalid(own, claim, f"at most one of {_NAMED} may be specified"))
        if not given:
            causes.append(invalid(own, claim, f"must specify one of: {_NAMED.replace(' or ', ', ')}"))
        for field in given:
            causes += check_key(f"{own}.{field}", claim[field], dns1123_subdomain)
    return causes
