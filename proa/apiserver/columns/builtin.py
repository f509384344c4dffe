"""Which columns each built-in kind prints: one table, and what is not in it prints its name and creation time."""

from collections.abc import Mapping

from proa.api.resource import Column
from proa.apiserver.columns import access, cluster, network, pods, storage, workloads
from proa.apiserver.columns.cells import AGE, NAME, column, field

NAME_AND_AGE: tuple[Column, ...] = (NAME, AGE)
CREATED_AT: tuple[Column, ...] = (
    NAME,
    column("Created At", field("metadata", "creationTimestamp", default=None), "When the object was created.", type="date"),
)
"""What upstream prints for kinds that nobody wrote columns for (roles, limit ranges, CustomResourceDefinitions)."""

CUSTOM_RESOURCE_DEFAULT: tuple[Column, ...] = (NAME, column("Age", AGE.cell, AGE.description, type="date"))
"""What a custom resource prints whose definition names no columns."""

_ADMISSION, _STORAGE, _RESOURCE = "admissionregistration.k8s.io", "storage.k8s.io", "resource.k8s.io"
_NETWORKING, _FLOW, _RBAC = "networking.k8s.io", "flowcontrol.apiserver.k8s.io", "rbac.authorization.k8s.io"

COLUMNS: Mapping[tuple[str, str], tuple[Column, ...]] = {
    ("", "componentstatuses"): cluster.COMPONENT_STATUSES,
    ("", "configmaps"): cluster.CONFIG_MAPS,
    ("", "endpoints"): network.ENDPOINTS,
    ("", "events"): cluster.EVENTS,
    ("", "namespaces"): cluster.NAMESPACES,
    ("", "nodes"): cluster.NODES,
    ("", "persistentvolumeclaims"): storage.PERSISTENT_VOLUME_CLAIMS,
    ("", "persistentvolumes"): storage.PERSISTENT_VOLUMES,
    ("", "pods"): pods.PODS,
    ("", "podtemplates"): pods.POD_TEMPLATES,
    ("", "replicationcontrollers"): workloads.REPLICATION_CONTROLLERS,
    ("", "resourcequotas"): cluster.RESOURCE_QUOTAS,
    ("", "secrets"): cluster.SECRETS,
    ("", "serviceaccounts"): cluster.SERVICE_ACCOUNTS,
    ("", "services"): network.SERVICES,
    (_ADMISSION, "mutatingadmissionpolicies"): access.MUTATING_ADMISSION_POLICIES,
    (_ADMISSION, "mutatingadmissionpolicybindings"): access.ADMISSION_POLICY_BINDINGS,
    (_ADMISSION, "mutatingwebhookconfigurations"): access.WEBHOOK_CONFIGURATIONS,
    (_ADMISSION, "validatingadmissionpolicies"): access.VALIDATING_ADMISSION_POLICIES,
    (_ADMISSION, "validatingadmissionpolicybindings"): access.ADMISSION_POLICY_BINDINGS,
    (_ADMISSION, "validatingwebhookconfigurations"): access.WEBHOOK_CONFIGURATIONS,
    ("apiregistration.k8s.io", "apiservices"): cluster.API_SERVICES,
    ("apps", "controllerrevisions"): workloads.CONTROLLER_REVISIONS,
    ("apps", "daemonsets"): workloads.DAEMON_SETS,
    ("apps", "deployments"): workloads.DEPLOYMENTS,
    ("apps", "replicasets"): workloads.REPLICA_SETS,
    ("apps", "statefulsets"): workloads.STATEFUL_SETS,
    ("autoscaling", "horizontalpodautoscalers"): workloads.HORIZONTAL_POD_AUTOSCALERS,
    ("autoscaling", "scales"): workloads.SCALES,
    ("batch", "cronjobs"): workloads.CRON_JOBS,
    ("batch", "jobs"): workloads.JOBS,
    ("certificates.k8s.io", "certificatesigningrequests"): cluster.CERTIFICATE_SIGNING_REQUESTS,
    ("certificates.k8s.io", "clustertrustbundles"): cluster.CLUSTER_TRUST_BUNDLES,
    ("coordination.k8s.io", "leasecandidates"): cluster.LEASE_CANDIDATES,
    ("coordination.k8s.io", "leases"): cluster.LEASES,
    ("discovery.k8s.io", "endpointslices"): network.ENDPOINT_SLICES,
    ("events.k8s.io", "events"): cluster.EVENTS,
    (_FLOW, "flowschemas"): cluster.FLOW_SCHEMAS,
    (_FLOW, "prioritylevelconfigurations"): cluster.PRIORITY_LEVEL_CONFIGURATIONS,
    ("internal.apiserver.k8s.io", "storageversions"): cluster.STORAGE_VERSIONS,
    (_NETWORKING, "ingressclasses"): network.INGRESS_CLASSES,
    (_NETWORKING, "ingresses"): network.INGRESSES,
    (_NETWORKING, "ipaddresses"): network.IP_ADDRESSES,
    (_NETWORKING, "networkpolicies"): network.NETWORK_POLICIES,
    (_NETWORKING, "servicecidrs"): network.SERVICE_CIDRS,
    ("node.k8s.io", "runtimeclasses"): cluster.RUNTIME_CLASSES,
    ("policy", "poddisruptionbudgets"): workloads.POD_DISRUPTION_BUDGETS,
    (_RBAC, "clusterrolebindings"): access.ROLE_BINDINGS,
    (_RBAC, "rolebindings"): access.ROLE_BINDINGS,
    (_RESOURCE, "deviceclasses"): NAME_AND_AGE,
    (_RESOURCE, "resourceclaims"): storage.RESOURCE_CLAIMS,
    (_RESOURCE, "resourceclaimtemplates"): NAME_AND_AGE,
    (_RESOURCE, "resourceslices"): storage.RESOURCE_SLICES,
    ("scheduling.k8s.io", "priorityclasses"): cluster.PRIORITY_CLASSES,
    (_STORAGE, "csidrivers"): storage.CSI_DRIVERS,
    (_STORAGE, "csinodes"): storage.CSI_NODES,
    (_STORAGE, "csistoragecapacities"): storage.CSI_STORAGE_CAPACITIES,
    (_STORAGE, "storageclasses"): storage.STORAGE_CLASSES,
    (_STORAGE, "volumeattachments"): storage.VOLUME_ATTACHMENTS,
    (_STORAGE, "volumeattributesclasses"): storage.VOLUME_ATTRIBUTES_CLASSES,
    ("storagemigration.k8s.io", "storageversionmigrations"): cluster.STORAGE_VERSION_MIGRATIONS,
}


def columns_for(group: str, plural: str) -> tuple[Column, ...]:
    """The columns of a built-in resource, in the order in which they are printed."""
    return COLUMNS.get((group, plural), CREATED_AT)
