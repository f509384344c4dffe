"""What goes into a pod's /etc/resolv.conf, from its dnsPolicy and dnsConfig, the cluster's DNS and the host's resolver file."""

from collections.abc import Sequence
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.lib.dataclass import dataclass

MAXIMUM_NAMESERVERS = 3
MAXIMUM_SEARCHES = 32
MAXIMUM_SEARCH_CHARACTERS = 2048


@dataclass(frozen=True, slots=True)
class Resolver:
    """A resolv.conf."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def parse_resolv_conf(text: str) -> Resolver:
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            servers.append(words[1])
        elif words and words[0] in ("search", "domain"):
            searches = tuple(word if word == "." else word.rstrip(".") for word in words[1:])
        elif words and words[0] == "options":
            options = tuple(words[1:])
    return Resolver(tuple(servers), searches, options)


def build_dns_config(pod: Object, host: Resolver, cluster_dns: Sequence[str], cluster_domain: str) -> tuple[dict[str, Any], list[str]]:
    """(DNSConfig, warnings for events)."""
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    warnings: list[str] = []
    if policy == "ClusterFirst" and pod_spec.is_host_network(pod):
        policy = "Default"
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet") and not cluster_dns:
        policy = "Default"
        warnings.append(
            f"pod: {pod_spec.pod_name(pod)!r}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "
            f'"{pod["spec"].get("dnsPolicy", "ClusterFirst")}" policy. Falling back to "Default" policy.'.replace("'", '"')
        )
    resolver = Resolver() if policy == "None" else host
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        resolver = _cluster_first(meta.namespace(pod), host, cluster_dns, cluster_domain)
    return _limited(_with_own(resolver, pod["spec"].get("dnsConfig") or {}), warnings), warnings


def _cluster_first(namespace: str, host: Resolver, cluster_dns: Sequence[str], domain: str) -> Resolver:
    own = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain) if domain else ()
    return Resolver(tuple(cluster_dns), _unique([*own, *host.searches]), ("ndots:5",))


def _with_own(resolver: Resolver, own: Object) -> Resolver:
    """dnsConfig is appended; its options replace those of the same name."""
    options = {option.partition(":")[0]: option for option in resolver.options}
    for each in own.get("options") or []:
        options[each["name"]] = f"{each['name']}:{each['value']}" if each.get("value") else each["name"]
    servers = _unique([*resolver.servers, *(own.get("nameservers") or [])])
    return Resolver(servers, _unique([*resolver.searches, *(own.get("searches") or [])]), tuple(options.values()))


def _limited(resolver: Resolver, warnings: list[str]) -> dict[str, Any]:
    servers, searches = resolver.servers[:MAXIMUM_NAMESERVERS], resolver.searches[:MAXIMUM_SEARCHES]
    if len(resolver.servers) > MAXIMUM_NAMESERVERS:
        warnings.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: " + " ".join(servers)
        )
    while len(" ".join(searches)) > MAXIMUM_SEARCH_CHARACTERS:
        searches = searches[:-1]
    if searches != resolver.searches:
        warnings.append(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: " + " ".join(searches)
        )
    return {"servers": list(servers), "searches": list(searches), "options": list(resolver.options)}


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
