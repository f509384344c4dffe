"""Ports of the node that pods claim: (address, protocol, port), where the wildcard address collides with every other. Pure."""

from collections.abc import Iterable

from proa.api.meta import Object
from proa.api.pod_template import is_sidecar

HostPort = tuple[str, str, int]
ANY_ADDRESS = "0.0.0.0"


def host_ports(spec: Object) -> tuple[HostPort, ...]:
    """Of regular containers and sidecars; with hostNetwork the API server has made every containerPort a hostPort."""
    lasting = [*(spec.get("containers") or ()), *(each for each in spec.get("initContainers") or () if is_sidecar(each))]
    return tuple(
        (port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", int(port["hostPort"]))
        for container in lasting
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def conflict(wanted: Iterable[HostPort], used: Iterable[HostPort]) -> bool:
    taken = set(used)
    by_number = {(protocol, number) for _, protocol, number in taken}
    for address, protocol, number in wanted:
        if address == ANY_ADDRESS and (protocol, number) in by_number:
            return True
        if (address, protocol, number) in taken or (ANY_ADDRESS, protocol, number) in taken:
            return True
    return False
