"""The default roles and bindings as objects, from the tables beside this file.

Every object carries the label and the annotation by which operators know them; with the annotation set to "false" an object is left alone.
"""

from collections.abc import Iterable

from proa.api.kinds import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.authz.aggregation import aggregate
from proa.apiserver.bootstrap import cluster_roles, namespaced_roles
from proa.apiserver.bootstrap.controller_roles import CONTROLLER_ROLES

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
GROUP = "rbac.authorization.k8s.io"
CONTROLLER = "system:controller:"
AUTHENTICATED = ("Group", "system:authenticated")

CLUSTER_ROLE_SUBJECTS: dict[str, tuple[tuple[str, str], ...]] = {
    "cluster-admin": (("Group", "system:masters"),),
    "system:monitoring": (("Group", "system:monitoring"),),
    "system:discovery": (AUTHENTICATED,),
    "system:basic-user": (AUTHENTICATED,),
    "system:public-info-viewer": (AUTHENTICATED, ("Group", "system:unauthenticated")),
    "system:node-proxier": (("User", "system:kube-proxy"),),
    "system:kube-controller-manager": (("User", "system:kube-controller-manager"),),
    "system:kube-dns": (("ServiceAccount", "kube-dns"),),
    "system:kube-scheduler": (("User", "system:kube-scheduler"),),
    "system:volume-scheduler": (("User", "system:kube-scheduler"),),
    "system:node": (),
    "system:cluster-trust-bundle-discovery": (("Group", "system:serviceaccounts"),),
    "system:service-account-issuer-discovery": (("Group", "system:serviceaccounts"),),
    "system:coredns": (("ServiceAccount", "coredns"),),
    "system:network-policy": (("ServiceAccount", "network-policy"),),
}
"""Who has each ClusterRole. Nodes have theirs from the Node authorizer; the binding without subjects is upstream's, for old clusters."""


def default_objects() -> list[tuple[ResourceId, Object]]:
    """They share the tables' rules: to be read, and copied before anybody changes them."""
    cluster = {**cluster_roles.CLUSTER_ROLES, **cluster_roles.COMPONENT_ROLES}
    cluster |= {CONTROLLER + name: rules for name, rules in CONTROLLER_ROLES.items()}
    subjects = CLUSTER_ROLE_SUBJECTS | {CONTROLLER + name: (("ServiceAccount", name),) for name in CONTROLLER_ROLES}
    objects = [(CLUSTER_ROLES, each) for each in _cluster_roles(cluster)]
    objects += [(CLUSTER_ROLE_BINDINGS, _binding(name, "", ("ClusterRole", name), who)) for name, who in subjects.items()]
    objects += [(ROLES, _role("Role", name, rules, namespace)) for (namespace, name), rules in namespaced_roles.ROLES.items()]
    objects += [
        (ROLE_BINDINGS, _binding(name, namespace, ("Role", role), who))
        for (namespace, name), (role, who) in namespaced_roles.ROLE_BINDINGS.items()
    ]
    return objects


def _cluster_roles(tables: dict[str, list[Object]]) -> list[Object]:
    """With the aggregated roles' rules already in place, so that a fresh cluster needs no second round of writes."""
    roles = {name: _role("ClusterRole", name, rules) for name, rules in tables.items()}
    for name in cluster_roles.AGGREGATED:
        selector = {"matchLabels": {cluster_roles.AGGREGATE + name: "true"}}
        roles[name] = _role("ClusterRole", name, []) | {"aggregationRule": {"clusterRoleSelectors": [selector]}}
    for name, target in cluster_roles.AGGREGATED_INTO.items():
        roles[name]["metadata"]["labels"][cluster_roles.AGGREGATE + target] = "true"
    for name in reversed(cluster_roles.AGGREGATED):
        roles[name]["rules"] = aggregate(roles[name], roles.values())
    return list(roles.values())


def _role(kind: str, name: str, rules: list[Object], namespace: str = "") -> Object:
    return _object(kind, name, namespace) | {"rules": rules}


def _binding(name: str, namespace: str, role: tuple[str, str], subjects: Iterable[tuple[str, str]]) -> Object:
    reference = {"apiGroup": GROUP, "kind": role[0], "name": role[1]}
    binding = _object("RoleBinding" if namespace else "ClusterRoleBinding", name, namespace) | {"roleRef": reference}
    listed = [_subject(kind, who) for kind, who in subjects]
    return binding | {"subjects": listed} if listed else binding


def _subject(kind: str, name: str) -> Object:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": "kube-system"}
    return {"apiGroup": GROUP, "kind": kind, "name": name}


def _object(kind: str, name: str, namespace: str) -> Object:
    metadata: Object = {"name": name, "labels": dict(BOOTSTRAPPING), "annotations": {AUTOUPDATE: "true"}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
