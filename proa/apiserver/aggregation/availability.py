"""Whether the server behind an APIService can be reached, as its Available condition.

`obstacle` finds what is wrong from the objects alone; when there is nothing, the server itself is asked for its discovery document
(`probe`). Whether its certificate is trusted does not count here, only whether it answers. Source: kube-aggregator's availability checks.
"""

import asyncio
from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.aggregation.remote import RemoteApi
from proa.apiserver.interface import ObjectReader
from proa.apiserver.outbound import Unresolved

ATTEMPTS = 5
PASSED: Object = {"type": "Available", "status": "True", "reason": "Passed", "message": "all checks passed"}


def unavailable(reason: str, message: str) -> Object:
    return {"type": "Available", "status": "False", "reason": reason, "message": message}


async def judge(remote: RemoteApi, reader: ObjectReader) -> Object:
    """The condition that holds now."""
    namespace, name = remote.service["namespace"], remote.service["name"]
    service = reader.get("", "services", name, namespace)
    slices = [
        each
        for each in reader.list("discovery.k8s.io", "endpointslices", namespace)
        if meta.labels(each).get("kubernetes.io/service-name") == name
    ]
    return obstacle(remote.service, service, slices) or await probe(remote)


def obstacle(reference: Object, service: Object | None, slices: Sequence[Object]) -> Object | None:
    """What keeps requests from the server; None if nothing is known to. Only what has a cluster IP must have endpoints."""
    where = f'service/{reference["name"]} in "{reference["namespace"]}"'
    if service is None:
        return unavailable("ServiceNotFound", f"{where} is not present")
    if service["spec"].get("type", "ClusterIP") != "ClusterIP":
        return None
    port = next((each for each in service["spec"].get("ports") or () if each["port"] == reference["port"]), None)
    if port is None:
        return unavailable("ServicePortError", f"{where} is not listening on port {reference['port']}")
    if not slices:
        return unavailable("EndpointsNotFound", f"cannot find endpointslices for {where}")
    name = port.get("name") or ""
    if not any(_serves(each, name) for each in slices):
        return unavailable("MissingEndpoints", f'endpointslices for {where} have no addresses with port name "{name}"')
    return None


def _serves(endpoint_slice: Object, port_name: str) -> bool:
    ready = any((each.get("conditions") or {}).get("ready", True) for each in endpoint_slice.get("endpoints") or ())
    return ready and any((port.get("name") or "") == port_name and port.get("port") for port in endpoint_slice.get("ports") or ())


async def probe(remote: RemoteApi) -> Object:
    """Asks several endpoints at once, as one that answers is enough."""
    try:
        addresses = {remote.address() for _ in range(ATTEMPTS)}
    except Unresolved as error:
        return unavailable("FailedDiscoveryCheck", str(error))
    problems = await asyncio.gather(*(remote.problem_at(*address) for address in addresses))
    return PASSED if "" in problems else unavailable("FailedDiscoveryCheck", problems[-1])
