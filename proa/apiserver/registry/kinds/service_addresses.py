"""networking.k8s.io: IPAddress, the claim on one address, and ServiceCIDR, a range that cluster IPs come from."""

import ipaddress

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, path_segment
from proa.apiserver.registry.addresses import ip_problems, parse_cidr, parse_ip
from proa.apiserver.registry.checks import check_cidr, check_name, check_optional_name
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy, StatuslessStrategy
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE, NameCheck, immutable


class IpAddressStrategy(StatuslessStrategy):
    """Named after the address itself, in canonical form."""

    @property
    def name_check(self) -> NameCheck:
        return _address_name

    def check(self, obj: Object) -> list[Cause]:
        parent, path = (obj.get("spec") or {}).get("parentRef"), "spec.parentRef"
        if parent is None:
            return [required(path)]
        causes = check_optional_name(f"{path}.group", parent.get("group"), dns1123_subdomain)
        causes += check_name(f"{path}.resource", parent.get("resource"), path_segment)
        causes += check_name(f"{path}.name", parent.get("name"), path_segment)
        return causes + check_optional_name(f"{path}.namespace", parent.get("namespace"), path_segment)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = (obj.get("spec") or {}).get("parentRef"), (old.get("spec") or {}).get("parentRef")
        return immutable("spec.parentRef", new, former)


def _address_name(name: str) -> list[str]:
    problems, address = ip_problems(name), parse_ip(name)
    return problems if problems or str(address) == name else [f'must be in canonical form ("{address}")']


class ServiceCidrStrategy(SpecStatusStrategy):
    """Its ranges never change, but for a second family beside the first."""

    tracks_generation = False

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        cidrs = spec.get("cidrs") or []
        if not cidrs:
            return [required("spec.cidrs", "at least one CIDR required")]
        if len(cidrs) > 2:
            return [invalid("spec.cidrs", {"CIDRs": cidrs}, "may only hold up to 2 values")]
        if len(cidrs) == 2 and {parsed.version for each in cidrs if (parsed := parse_cidr(each))} != {4, 6}:
            detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            return [invalid("spec.cidrs", {"CIDRs": cidrs}, detail)]
        return [cause for index, cidr in enumerate(cidrs) for cause in _check_network(f"spec.cidrs[{index}]", cidr)]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = (obj.get("spec") or {}).get("cidrs") or [], (old.get("spec") or {}).get("cidrs") or []
        if len(new) not in (len(former), 2) or len(new) < len(former):
            return [invalid("spec.cidrs", new, FIELD_IMMUTABLE)]
        changed = [index for index, (one, other) in enumerate(zip(new, former, strict=False)) if one != other]
        causes = [invalid(f"spec.cidrs[{index}]", new[index], FIELD_IMMUTABLE) for index in changed]
        return causes or (self.check(obj) if len(new) > len(former) else [])


def _check_network(path: str, cidr: str) -> list[Cause]:
    """A CIDR whose address is the network's own, in its one canonical form: allocators compare them as text."""
    if causes := check_cidr(path, cidr):
        return causes
    network = ipaddress.ip_network(cidr)
    return [] if str(network) == cidr else [invalid(path, cidr, f'must be in canonical form ("{network}")')]
