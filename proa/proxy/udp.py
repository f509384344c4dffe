"""Which UDP flows the kernel must forget after a change: those whose translation contradicts the rules of now.

A flow is kept translated as its first packet was. So when an endpoint goes, its clients would go on sending to a dead address, and flows
that began before a Service had endpoints would stay untranslated for good.
"""

from collections.abc import Collection, Iterable

from proa.lib.netlink.conntrack import UdpFlow
from proa.proxy.rules import Endpoint, Frontend, Ruleset


def changed_frontends(old: Ruleset, new: Ruleset, keys: Iterable[str]) -> set[Frontend]:
    """The UDP frontends of these Services that lost an endpoint or got their first."""
    changed: set[Frontend] = set()
    for key in keys:
        for ruleset in (old, new):
            for frontend in ruleset.services[key].frontends if key in ruleset.services else ():
                if frontend.protocol == "udp" and frontend not in changed:
                    before, after = _endpoints(old, frontend), _endpoints(new, frontend)
                    if before - after or (after and not before):
                        changed.add(frontend)
    return changed


def stale_flows(
    flows: Iterable[UdpFlow], frontends: Collection[Frontend], ruleset: Ruleset, node_addresses: Collection[str]
) -> list[UdpFlow]:  # fmt: skip
    """The flows to these frontends that nobody answers who should."""
    endpoints_of = {frontend: _endpoints(ruleset, frontend) for frontend in frontends}
    stale = []
    for flow in flows:
        address, port = flow.destination
        endpoints = endpoints_of.get(Frontend(address, "udp", port))
        if endpoints is None and address in node_addresses:
            endpoints = endpoints_of.get(Frontend("", "udp", port))
        if endpoints is not None and Endpoint(*flow.answered_by) not in endpoints:
            stale.append(flow)
    return stale


def _endpoints(ruleset: Ruleset, frontend: Frontend) -> frozenset[Endpoint]:
    rule = ruleset.rule(frontend)
    return rule.all_endpoints if rule else frozenset()
