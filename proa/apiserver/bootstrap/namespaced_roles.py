"""The default Roles of kube-system and kube-public, and who is bound to them. Source: the default policy of Kubernetes v1.37."""

from proa.api.meta import Object
from proa.apiserver.bootstrap.rule import READ, events, rule

SYSTEM = "kube-system"
PUBLIC = "kube-public"
LEADER_ELECTION = [
    rule("create get list update watch", "leases", "coordination.k8s.io"),
    rule("create get list update watch", "leasecandidates", "coordination.k8s.io"),
]

ROLES: dict[tuple[str, str], list[Object]] = {
    (SYSTEM, "extension-apiserver-authentication-reader"): [rule(READ, "configmaps", names="extension-apiserver-authentication")],
    (SYSTEM, "system::leader-locking-kube-controller-manager"): LEADER_ELECTION,
    (SYSTEM, "system::leader-locking-kube-scheduler"): LEADER_ELECTION,
    (SYSTEM, "system:controller:bootstrap-signer"): [rule(READ, "secrets")],
    (SYSTEM, "system:controller:cloud-provider"): [rule(f"create {READ}", "configmaps")],
    (SYSTEM, "system:controller:token-cleaner"): [rule(f"delete {READ}", "secrets"), events()],
    (PUBLIC, "system:controller:bootstrap-signer"): [
        rule(READ, "configmaps"),
        rule("update", "configmaps", names="cluster-info"),
        events(),
    ],
}

MANAGER = ("User", "system:kube-controller-manager")
SCHEDULER = ("User", "system:kube-scheduler")

ROLE_BINDINGS: dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...]]] = {
    (SYSTEM, "system::extension-apiserver-authentication-reader"): ("extension-apiserver-authentication-reader", (MANAGER, SCHEDULER)),
    (SYSTEM, "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        (MANAGER, ("ServiceAccount", "kube-controller-manager"), ("ServiceAccount", "leader-election-controller")),
    ),
    (SYSTEM, "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        (SCHEDULER, ("ServiceAccount", "kube-scheduler")),
    ),
    (SYSTEM, "system:controller:bootstrap-signer"): ("system:controller:bootstrap-signer", (("ServiceAccount", "bootstrap-signer"),)),
    (SYSTEM, "system:controller:cloud-provider"): ("system:controller:cloud-provider", (("ServiceAccount", "cloud-provider"),)),
    (SYSTEM, "system:controller:token-cleaner"): ("system:controller:token-cleaner", (("ServiceAccount", "token-cleaner"),)),
    (PUBLIC, "system:controller:bootstrap-signer"): ("system:controller:bootstrap-signer", (("ServiceAccount", "bootstrap-signer"),)),
}
"""By namespace and name: the Role, and its subjects; service accounts are those of kube-system."""
