"""What every cluster has beside its roles: the system namespaces, the two priority classes of the system, the `kubernetes` Service with the
API server behind it, and what an extension server needs to trust it.
"""

import ipaddress
import json
from collections.abc import Sequence

from proa.api.kinds import CONFIG_MAPS, ENDPOINT_SLICES, ENDPOINTS, NAMESPACES, PRIORITY_CLASSES, SERVICES
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.bootstrap.authentication_trust import NAME as TRUST_CONFIG_MAP
from proa.apiserver.config import ApiServerConfig

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
SERVICE_NAME = "kubernetes"

PRIORITIES = (
    (
        "system-cluster-critical",
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    ("system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node."),
)


def namespaces() -> list[tuple[ResourceId, Object]]:
    return [(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) for name in SYSTEM_NAMESPACES]


def priority_classes() -> list[tuple[ResourceId, Object]]:
    return [
        (
            PRIORITY_CLASSES,
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
                "description": description,
            },
        )
        for name, value, description in PRIORITIES
    ]


def kubernetes_service(config: ApiServerConfig) -> list[tuple[ResourceId, Object]]:
    """The Service on the first address of the range, and its endpoints in both of their forms, made here as nothing selects them."""
    network = ipaddress.ip_network(config.service_cidrs[0])
    family, address = f"IPv{network.version}", str(network.network_address + 1)
    port = {"name": "https", "port": config.advertise_port, "protocol": "TCP"}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    service = _object("v1", "Service", labels) | {
        "spec": {
            "type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ipFamilies": [family], "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": config.advertise_port}],
        }
    }  # fmt: skip
    if ipaddress.ip_address(config.advertise_address).is_loopback:
        # No endpoint may be a loopback address, and a server that is only there has no pods that could reach it.
        return [(SERVICES, service)]
    endpoints = _object("v1", "Endpoints", {"endpointslice.kubernetes.io/skip-mirror": "true"}) | {
        "subsets": [{"addresses": [{"ip": config.advertise_address}], "ports": [port]}]
    }
    endpoint_slice = _object("discovery.k8s.io/v1", "EndpointSlice", {"kubernetes.io/service-name": SERVICE_NAME}) | {
        "addressType": f"IPv{ipaddress.ip_address(config.advertise_address).version}",
        "endpoints": [{"addresses": [config.advertise_address], "conditions": {"ready": True}}],
        "ports": [port],
    }
    return [(SERVICES, service), (ENDPOINTS, endpoints), (ENDPOINT_SLICES, endpoint_slice)]


def client_authority(config: ApiServerConfig) -> list[tuple[ResourceId, Object]]:
    """Where metrics-server and other extension servers find whose client certificates they may trust: users', and front proxies'."""
    metadata = {"name": TRUST_CONFIG_MAP, "namespace": "kube-system"}
    data = {"client-ca-file": config.client_ca.read_text()}
    if config.requestheader_client_ca is not None:
        data |= {
            "requestheader-client-ca-file": config.requestheader_client_ca.read_text(),
            "requestheader-allowed-names": _listed(config.requestheader_allowed_names),
            "requestheader-username-headers": _listed(config.requestheader_username_headers),
            "requestheader-group-headers": _listed(config.requestheader_group_headers),
            "requestheader-uid-headers": _listed(config.requestheader_uid_headers),
            "requestheader-extra-headers-prefix": _listed(config.requestheader_extra_headers_prefix),
        }
    return [(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})]


def _listed(names: Sequence[str]) -> str:
    return json.dumps(names, separators=(",", ":"))


def _object(api_version: str, kind: str, labels: dict[str, str]) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": SERVICE_NAME, "namespace": "default", "labels": labels}}
