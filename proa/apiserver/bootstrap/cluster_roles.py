"""The ClusterRoles that every cluster starts with, by name. Source: Kubernetes' "Using RBAC Authorization", default roles of v1.37.

`admin`, `edit` and `view` have no rules of their own: they are the union of the roles that carry their label.
"""

from proa.api.meta import Object
from proa.apiserver.bootstrap.rule import CORE, READ, READ_WRITE, WRITE, events, paths, rule

AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
"""A ClusterRole with this label plus admin, edit or view set to "true" becomes part of that role."""

AGGREGATED = ("admin", "edit", "view")
AGGREGATED_INTO = {
    "edit": "admin",
    "view": "edit",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
}

WORKLOADS = "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale"
EXTENSIONS = f"{WORKLOADS} ingresses networkpolicies replicationcontrollers/scale"
EXTENSIONS_VIEW = (
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies "
    "replicasets replicasets/scale replicasets/status replicationcontrollers/scale"
)
SIGNERS = "certificates.k8s.io"
EVENTS = f"{CORE} events.k8s.io"
REVIEWS = [
    rule("create", "tokenreviews", "authentication.k8s.io"),
    rule("create", "subjectaccessreviews", "authorization.k8s.io"),
]

ADMIN_RULES = [
    rule("create", "localsubjectaccessreviews", "authorization.k8s.io"),
    rule(READ_WRITE, "rolebindings roles", "rbac.authorization.k8s.io"),
]

EDIT_RULES = [
    rule(READ, "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    rule("impersonate", "serviceaccounts"),
    rule(WRITE, "pods pods/attach pods/exec pods/portforward pods/proxy"),
    rule("create", "pods/eviction"),
    rule(
        WRITE,
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts "
        "services services/proxy",
    ),
    rule("create", "serviceaccounts/token"),
    rule(WRITE, "events", EVENTS),
    rule(WRITE, f"{WORKLOADS} statefulsets statefulsets/scale", "apps"),
    rule(WRITE, "horizontalpodautoscalers", "autoscaling"),
    rule(WRITE, "cronjobs jobs", "batch"),
    rule(WRITE, EXTENSIONS, "extensions"),
    rule(WRITE, "poddisruptionbudgets", "policy"),
    rule(WRITE, "ingresses networkpolicies", "networking.k8s.io"),
    rule(READ_WRITE, "leases", "coordination.k8s.io"),
    rule(WRITE, "resourceclaims resourceclaimtemplates", "resource.k8s.io"),
]

VIEW_RULES = [
    rule(
        READ,
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
        "replicationcontrollers/scale serviceaccounts services services/status",
    ),
    rule(
        READ,
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
    ),
    rule(READ, "namespaces"),
    rule(READ, "events", EVENTS),
    rule(READ, "endpointslices", "discovery.k8s.io"),
    rule(
        READ,
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale "
        "replicasets/status statefulsets statefulsets/scale statefulsets/status",
        "apps",
    ),
    rule(READ, "horizontalpodautoscalers horizontalpodautoscalers/status", "autoscaling"),
    rule(READ, "cronjobs cronjobs/status jobs jobs/status", "batch"),
    rule(READ, EXTENSIONS_VIEW, "extensions"),
    rule(READ, "poddisruptionbudgets poddisruptionbudgets/status", "policy"),
    rule(READ, "ingresses ingresses/status networkpolicies", "networking.k8s.io"),
    rule(READ, "resourceclaims resourceclaims/status resourceclaimtemplates", "resource.k8s.io"),
]

NODE_RULES = [
    rule("create", "tokenreviews", "authentication.k8s.io"),
    rule("create", "localsubjectaccessreviews subjectaccessreviews", "authorization.k8s.io"),
    rule(READ, "services"),
    rule(f"create {READ}", "nodes"),
    rule("patch update", "nodes/status"),
    rule("patch update", "nodes"),
    events(),
    rule(READ, "pods"),
    rule("create delete", "pods"),
    rule("patch update", "pods/status"),
    rule("create", "pods/eviction"),
    rule(READ, "configmaps secrets"),
    rule("get", "persistentvolumeclaims persistentvolumes"),
    rule("get", "endpoints"),
    rule(f"create {READ}", "certificatesigningrequests", SIGNERS),
    rule("create delete get patch update", "leases", "coordination.k8s.io"),
    rule("get", "volumeattachments", "storage.k8s.io"),
    rule("create", "serviceaccounts/token"),
    rule("get patch update", "persistentvolumeclaims/status"),
    rule(READ, "csidrivers", "storage.k8s.io"),
    rule("create delete get patch update", "csinodes", "storage.k8s.io"),
    rule(READ, "runtimeclasses", "node.k8s.io"),
    rule("get", "resourceclaims", "resource.k8s.io"),
    rule("deletecollection", "resourceslices", "resource.k8s.io"),
    rule("get", "serviceaccounts"),
    rule(READ, "clustertrustbundles", SIGNERS),
    rule(f"create {READ}", "podcertificaterequests", SIGNERS),
]

SCHEDULER_RULES = [
    events(),
    rule("create", "leases", "coordination.k8s.io"),
    rule("get list update watch", "leases", "coordination.k8s.io", names="kube-scheduler"),
    rule(READ_WRITE, "leasecandidates", "coordination.k8s.io"),
    rule(READ, "nodes"),
    rule(f"delete {READ}", "pods"),
    rule("create", "bindings pods/binding"),
    rule("patch update", "pods/status"),
    rule(READ, "replicationcontrollers services"),
    rule(READ, "replicasets", "apps extensions"),
    rule(READ, "statefulsets", "apps"),
    rule(READ, "poddisruptionbudgets", "policy"),
    rule(READ, "persistentvolumeclaims persistentvolumes"),
    *REVIEWS,
    rule(READ, "csinodes", "storage.k8s.io"),
    rule(READ, "volumeattachments", "storage.k8s.io"),
    rule(READ, "namespaces"),
    rule(READ, "csidrivers", "storage.k8s.io"),
    rule(READ, "csistoragecapacities", "storage.k8s.io"),
    rule(READ, "deviceclasses", "resource.k8s.io"),
    rule(f"patch update {READ}", "resourceclaims", "resource.k8s.io"),
    rule(f"patch update {READ}", "resourceclaims/status", "resource.k8s.io"),
    rule("update", "pods/finalizers"),
    rule(READ, "resourceslices", "resource.k8s.io"),
    rule("create delete", "resourceclaims", "resource.k8s.io"),
    rule(READ, "devicetaintrules", "resource.k8s.io"),
    rule("patch update", "resourceclaims/binding", "resource.k8s.io"),
]

CONTROLLER_MANAGER_RULES = [
    events(),
    rule("create", "leases", "coordination.k8s.io"),
    rule("get update", "leases", "coordination.k8s.io", names="kube-controller-manager"),
    rule("create", "secrets serviceaccounts"),
    rule("delete", "secrets"),
    rule("get", "configmaps namespaces secrets serviceaccounts"),
    rule("update", "secrets serviceaccounts"),
    *REVIEWS,
    rule("list watch", "*", "*"),
    rule("create", "serviceaccounts/token"),
]


def _approver(signer: str) -> list[Object]:
    return [rule("approve", "signers", SIGNERS, names=f"kubernetes.io/{signer}")]


CLUSTER_ROLES: dict[str, list[Object]] = {
    "cluster-admin": [rule("*", "*", "*"), paths("*", "*")],
    "system:aggregate-to-admin": ADMIN_RULES,
    "system:aggregate-to-edit": EDIT_RULES,
    "system:aggregate-to-view": VIEW_RULES,
    "system:discovery": [paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")],
    "system:public-info-viewer": [paths("/healthz /livez /readyz /version /version/")],
    "system:basic-user": [
        rule("create", "selfsubjectaccessreviews selfsubjectrulesreviews", "authorization.k8s.io"),
        rule("create", "selfsubjectreviews", "authentication.k8s.io"),
    ],
    "system:monitoring": [
        paths("/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz"),
        rule("get", "nodes/metrics"),
    ],
    "system:node": NODE_RULES,
    "system:node-bootstrapper": [rule(f"create {READ}", "certificatesigningrequests", SIGNERS)],
    "system:node-problem-detector": [rule("get", "nodes"), rule("patch", "nodes/status"), events()],
    "system:node-proxier": [
        rule("list watch", "endpoints services"),
        rule(READ, "nodes"),
        events(),
        rule("list watch", "servicecidrs", "networking.k8s.io"),
        rule("list watch", "endpointslices", "discovery.k8s.io"),
    ],
    "system:auth-delegator": REVIEWS,
    "system:kube-aggregator": [rule(READ, "endpoints services")],
    "system:kube-controller-manager": CONTROLLER_MANAGER_RULES,
    "system:kube-dns": [rule("list watch", "endpoints services")],
    "system:kube-scheduler": SCHEDULER_RULES,
    "system:kubelet-api-admin": [
        rule(READ, "nodes"),
        rule("proxy", "nodes"),
        rule("*", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
        rule("*", "nodes/configz nodes/healthz nodes/pods"),
    ],
    "system:heapster": [rule(READ, "events namespaces nodes pods"), rule(READ, "deployments", "extensions")],
    "system:persistent-volume-provisioner": [
        rule(f"create delete {READ}", "persistentvolumes"),
        rule(f"update {READ}", "persistentvolumeclaims"),
        rule(READ, "storageclasses", "storage.k8s.io"),
        rule("watch", "events"),
        events(),
    ],
    "system:volume-scheduler": [
        rule(f"patch update {READ}", "persistentvolumes"),
        rule(READ, "storageclasses", "storage.k8s.io"),
        rule(f"patch update {READ}", "persistentvolumeclaims"),
    ],
    "system:service-account-issuer-discovery": [
        paths("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/")
    ],
    "system:cluster-trust-bundle-discovery": [rule(READ, "clustertrustbundles", SIGNERS)],
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": [rule("create", "certificatesigningrequests/nodeclient", SIGNERS)],
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": [
        rule("create", "certificatesigningrequests/selfnodeclient", SIGNERS)
    ],
    "system:certificates.k8s.io:kube-apiserver-client-approver": _approver("kube-apiserver-client"),
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": _approver("kube-apiserver-client-kubelet"),
    "system:certificates.k8s.io:kubelet-serving-approver": _approver("kubelet-serving"),
    "system:certificates.k8s.io:legacy-unknown-approver": _approver("legacy-unknown"),
}

COMPONENT_ROLES: dict[str, list[Object]] = {
    "system:coredns": [rule("list watch", "endpoints namespaces pods services"), rule("list watch", "endpointslices", "discovery.k8s.io")],
    "system:network-policy": [
        rule("list watch", "namespaces nodes pods"),
        rule("list watch", "networkpolicies", "networking.k8s.io"),
        events(),
    ],
}
"""What an add-on brings to an upstream cluster and proa has built in: the DNS server (as kubeadm installs it) and network policy."""
