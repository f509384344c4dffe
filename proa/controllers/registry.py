"""Which controllers there are: name and constructor, one line each. The name is also the service account in kube-system that it acts as,
unless `ACCOUNTS` says otherwise, and what it signs events with.
"""

from collections.abc import Callable, Mapping

from proa.controllers import (
    bootstrap_signer,
    endpoints,
    namespace,
    node_ipam,
    pod_gc,
    pv_protection,
    pvc_protection,
    resource_quota,
    root_ca,
    service_account,
    service_account_token,
    service_cidr,
    taint_eviction,
    token_cleaner,
    vac_protection,
)
from proa.controllers.certificates import approving, cleaning, signing, trust_bundle
from proa.controllers.context import ControllerContext
from proa.controllers.deployment import controller as deployment
from proa.controllers.disruption import controller as disruption
from proa.controllers.endpoint_slice import controller as endpoint_slice
from proa.controllers.endpoint_slice import mirroring
from proa.controllers.garbage_collector import controller as garbage_collector
from proa.controllers.identity import SHARED_INFORMERS
from proa.controllers.node_lifecycle import controller as node_lifecycle
from proa.controllers.replica_set import controller as replica_set
from proa.runtime.manager import Runnable

Build = Callable[[ControllerContext], Runnable]

CONTROLLERS: Mapping[str, Build] = {
    "deployment-controller": deployment.build,
    "replicaset-controller": replica_set.build,
    "replication-controller": replica_set.build_replication,
    "disruption-controller": disruption.build,
    "endpointslice-controller": endpoint_slice.build,
    "endpointslicemirroring-controller": mirroring.build,
    "endpoint-controller": endpoints.build,
    "namespace-controller": namespace.build,
    "service-account-controller": service_account.build,
    "serviceaccount-token-controller": service_account_token.build,
    "token-cleaner": token_cleaner.build,
    "bootstrap-signer": bootstrap_signer.build,
    "root-ca-cert-publisher": root_ca.build,
    "service-cidrs-controller": service_cidr.build,
    "certificatesigningrequest-approving-controller": approving.build,
    "certificatesigningrequest-signing-controller": signing.build,
    "certificatesigningrequest-cleaner-controller": cleaning.build,
    "podcertificaterequest-cleaner-controller": cleaning.build_for_pods,
    "kube-apiserver-serving-clustertrustbundle-publisher-controller": trust_bundle.build,
    "generic-garbage-collector": garbage_collector.build,
    "node-controller": node_lifecycle.build,
    "taint-eviction-controller": taint_eviction.build,
    "node-ipam-controller": node_ipam.build,
    "pod-garbage-collector": pod_gc.build,
    "resourcequota-controller": resource_quota.build,
    "pvc-protection-controller": pvc_protection.build,
    "pv-protection-controller": pv_protection.build,
    "volumeattributesclass-protection-controller": vac_protection.build,
}

ACCOUNTS: Mapping[str, str] = {
    "taint-eviction-controller": "node-controller",
    "node-ipam-controller": "node-controller",
    "serviceaccount-token-controller": SHARED_INFORMERS,
    "certificatesigningrequest-approving-controller": "certificate-controller",
    "certificatesigningrequest-signing-controller": "certificate-controller",
    "certificatesigningrequest-cleaner-controller": "certificate-controller",
    "podcertificaterequest-cleaner-controller": "podcertificaterequestcleaner",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller": "kube-apiserver-serving-clustertrustbundle-publisher",
}
"""Where the account has another name; the maker of tokens is the manager itself, as upstream."""

EVENT_SOURCES: Mapping[str, str] = {
    "node-ipam-controller": "cidrAllocator",
    "generic-garbage-collector": "garbage-collector-controller",
    "disruption-controller": "controllermanager",
}
