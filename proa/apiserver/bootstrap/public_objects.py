"""What a cluster tells of itself: to clients that know nothing yet (kube-public/cluster-info, as kubeadm makes it), and to those who clean
up tokens of the old kind.
"""

import base64
from datetime import datetime

from proa.api.kinds import CONFIG_MAPS, ROLE_BINDINGS, ROLES
from proa.api.legacy_token import TRACKING as TOKEN_TRACKING
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.bootstrap.rule import rule
from proa.apiserver.config import ApiServerConfig

CLUSTER_INFO = "cluster-info"
READERS = "kubeadm:bootstrap-signer-clusterinfo"
RBAC = "rbac.authorization.k8s.io"


def cluster_info(config: ApiServerConfig) -> list[tuple[ResourceId, Object]]:
    """The authority and the address of the server, and everybody's right to read that one object."""
    metadata = {"name": READERS, "namespace": "kube-public"}
    role = {
        "apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [rule("get", "configmaps", names=CLUSTER_INFO)],
    }  # fmt: skip
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": READERS},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "system:anonymous"}],
    }
    config_map = _config_map(CLUSTER_INFO, "kube-public", {"kubeconfig": _kubeconfig(config)})
    return [(CONFIG_MAPS, config_map), (ROLES, role), (ROLE_BINDINGS, binding)]


def _kubeconfig(config: ApiServerConfig) -> str:
    authority = base64.b64encode(config.client_ca.read_bytes()).decode()
    host = f"[{config.advertise_address}]" if ":" in config.advertise_address else config.advertise_address
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f"    certificate-authority-data: {authority}\n    server: https://{host}:{config.advertise_port}\n"
        '  name: ""\ncontexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n'
    )


def token_tracking(now: datetime) -> list[tuple[ResourceId, Object]]:
    """Since when this cluster has noted the use of legacy tokens. Source: KEP-2799."""
    return [(CONFIG_MAPS, _config_map(TOKEN_TRACKING, "kube-system", {"since": now.strftime("%Y-%m-%d")}))]


def _config_map(name: str, namespace: str, data: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}
