"""The table of every built-in resource: one line each, in the order of `kubectl api-resources`.

A line is served if the schema of the served version publishes its kind and the runtime configuration doesn't switch it off; beta and
alpha versions are off unless switched on (`api/beta`, `resource.k8s.io/v1beta2`, `resource.k8s.io/v1beta2/resourceclaims`).
"""

from collections.abc import Callable, Mapping

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.api.schema import Schema
from proa.apiserver.registry.conversion import convert_autoscaler, convert_event
from proa.apiserver.registry.conversion_devices import convert_claim, convert_claim_template, convert_slice
from proa.apiserver.registry.kinds import (
    admission,
    admission_policies,
    autoscaling,
    batch,
    certificate_signing_request,
    config,
    coordination,
    core,
    daemon_set,
    device_claim_status,
    device_claims,
    device_rules,
    device_slices,
    discovery,
    event,
    extensions,
    flow_control,
    ingress,
    job_status,
    lifecycle,
    limit_range,
    load_balancer_status,
    networking,
    persistent_volume,
    persistent_volume_claim,
    pod,
    pod_certificates,
    pod_parts,
    pod_resize,
    pod_status,
    policy,
    rbac,
    resource_quota,
    runtime_class,
    scheduling,
    service,
    service_addresses,
    stateful_set,
    storage,
    storage_migration,
    storage_version,
    trust_bundles,
    workload_groups,
    workload_status,
    workloads,
)
from proa.apiserver.registry.kinds.plain import PlainStrategy
from proa.apiserver.registry.normalize import Normalizer, NormalizerCache
from proa.apiserver.registry.rows import (
    CREATE,
    NO_COLLECTION_DELETE,
    PROXY_VERBS,
    READ_ONLY,
    READ_WRITE,
    SCALE,
    STATUS,
    Row,
    Sub,
    make_resource,
)  # fmt: skip
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy

STORED_AS_CORE = "core/v1"
"""events.k8s.io Events are kept as core Events."""


def _stored_event(obj: Object, version: str) -> Object:
    return convert_event(obj, "v1" if version == STORED_AS_CORE else "events.k8s.io/v1")


def _autoscaler(obj: Object, version: str) -> Object:
    return convert_autoscaler(obj, f"autoscaling/{version}")


def _new_event(namespaced: bool, normalizer: Callable[[], Normalizer | None]) -> event.EventStrategy:
    return event.EventStrategy(namespaced, normalizer, core=False)


def _pod_part(part: str) -> Callable[[KindStrategy], pod_parts.PodPartStrategy]:
    put, check = {
        "ephemeralcontainers": (pod_parts.put_ephemeral_containers, pod_parts.check_ephemeral_containers),
        "resize": (pod_resize.put_resources, pod_resize.check_resize),
    }[part]
    return lambda main: pod_parts.PodPartStrategy(main, put, check)


def _finalize(main: KindStrategy) -> core.NamespaceFinalizeStrategy:
    return core.NamespaceFinalizeStrategy(main.namespaced)


def _status(check: Callable[[Object, Object], list[Cause]] = lambda obj, old: [], kept: tuple[str, ...] = ()) -> Sub:
    """/status of a kind with rules for it, or with metadata that doesn't change there."""
    return Sub("status", make=lambda main: StatusStrategy(main, kept, check))


def _request_part(part: certificate_signing_request.Part) -> Sub:
    return Sub(part, make=lambda main: certificate_signing_request.RequestPartStrategy(main, part))


POD_STATUS = Sub("status", make=pod_status.PodStatusStrategy)
NAMESPACE_STATUS = _status(core.check_namespace_status)
POD_SUBRESOURCES = (
    Sub("attach", ("create", "get"), "PodAttachOptions"),
    Sub("binding", CREATE, "Binding"),
    Sub("ephemeralcontainers", READ_WRITE, make=_pod_part("ephemeralcontainers")),
    Sub("eviction", CREATE, "Eviction", "policy", "v1"),
    Sub("exec", ("create", "get"), "PodExecOptions"),
    Sub("log", ("get",)),
    Sub("portforward", ("create", "get"), "PodPortForwardOptions"),
    Sub("proxy", PROXY_VERBS, "PodProxyOptions"),
    Sub("resize", READ_WRITE, make=_pod_part("resize")),
    POD_STATUS,
)
FIXED_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")
DAEMON_STATUS, DEPLOYMENT_STATUS = (
    _status(workload_status.check_daemon_status),
    _status(workload_status.check_deployment_status, ("labels",)),
)
REPLICAS_STATUS, STATEFUL_STATUS = _status(workload_status.check_replicas_status), _status(workload_status.check_stateful_status)
AUTOSCALER_STATUS = _status(autoscaling.check_autoscaler_status)
GROUP_STATUS = _status(workload_groups.check_group_status, FIXED_METADATA)
OLD_DEVICES = ("v1beta2", "v1beta1")
FLOW_STATUS = Sub("status", make=flow_control.status_strategy)
ALL = ("all",)
EXTENSIONS = ("api-extensions",)
NS, CLUSTER = True, False

ADMISSION, APPS, AUTHN = "admissionregistration.k8s.io", "apps", "authentication.k8s.io"
AUTHZ, CERTIFICATES, RBAC = "authorization.k8s.io", "certificates.k8s.io", "rbac.authorization.k8s.io"
FLOW, NETWORKING, RESOURCE = "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "resource.k8s.io"
LIFECYCLE = "lifecycle.k8s.io"
SCHEDULING, STORAGE = "scheduling.k8s.io", "storage.k8s.io"

TABLE: tuple[Row, ...] = (
    Row("", "v1", "bindings", "Binding", NS, PlainStrategy, verbs=CREATE, virtual=True),
    Row("", "v1", "componentstatuses", "ComponentStatus", CLUSTER, PlainStrategy, ("cs",), verbs=READ_ONLY, virtual=True),
    Row("", "v1", "configmaps", "ConfigMap", NS, config.ConfigMapStrategy, ("cm",)),
    Row("", "v1", "endpoints", "Endpoints", NS, discovery.EndpointsStrategy, ("ep",), singular="endpoints"),
    Row("", "v1", "events", "Event", NS, event.EventStrategy, ("ev",)),
    Row("", "v1", "limitranges", "LimitRange", NS, limit_range.LimitRangeStrategy, ("limits",)),
    Row("", "v1", "namespaces", "Namespace", CLUSTER, core.NamespaceStrategy, ("ns",), verbs=NO_COLLECTION_DELETE,
        subresources=(Sub("finalize", ("update",), make=_finalize), NAMESPACE_STATUS)),
    Row("", "v1", "nodes", "Node", CLUSTER, core.NodeStrategy, ("no",),
        subresources=(Sub("proxy", PROXY_VERBS, "NodeProxyOptions"), _status(core.check_node_status))),
    Row("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", NS,
        persistent_volume_claim.PersistentVolumeClaimStrategy, ("pvc",),
        subresources=(_status(persistent_volume_claim.check_claim_status),)),
    Row("", "v1", "persistentvolumes", "PersistentVolume", CLUSTER, persistent_volume.PersistentVolumeStrategy, ("pv",),
        subresources=(STATUS,)),
    Row("", "v1", "pods", "Pod", NS, pod.PodStrategy, ("po",), ALL, POD_SUBRESOURCES),
    Row("", "v1", "podtemplates", "PodTemplate", NS, workloads.PodTemplateStrategy),
    Row("", "v1", "replicationcontrollers", "ReplicationController", NS, workloads.ReplicationControllerStrategy, ("rc",), ALL,
        (SCALE, REPLICAS_STATUS)),
    Row("", "v1", "resourcequotas", "ResourceQuota", NS, resource_quota.ResourceQuotaStrategy, ("quota",),
        subresources=(_status(resource_quota.check_quota_status),)),
    Row("", "v1", "secrets", "Secret", NS, config.SecretStrategy),
    Row("", "v1", "serviceaccounts", "ServiceAccount", NS, core.ServiceAccountStrategy, ("sa",),
        subresources=(Sub("token", CREATE, "TokenRequest", AUTHN, "v1"),)),
    Row("", "v1", "services", "Service", NS, service.ServiceStrategy, ("svc",), ALL,
        (Sub("proxy", PROXY_VERBS, "ServiceProxyOptions"), _status(load_balancer_status.check_service_status))),

    Row(ADMISSION, "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", CLUSTER,
        admission_policies.MutatingAdmissionPolicyStrategy,
        categories=EXTENSIONS, other_versions=("v1beta1", "v1alpha1")),
    Row(ADMISSION, "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", CLUSTER,
        admission_policies.MutatingAdmissionPolicyBindingStrategy,
        categories=EXTENSIONS, other_versions=("v1beta1", "v1alpha1")),
    Row(ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", CLUSTER,
        admission.MutatingWebhookConfigurationStrategy, categories=EXTENSIONS),
    Row(ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", CLUSTER,
        admission_policies.ValidatingAdmissionPolicyStrategy,
        categories=EXTENSIONS, subresources=(STATUS,), other_versions=("v1beta1",)),
    Row(ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", CLUSTER,
        admission_policies.ValidatingAdmissionPolicyBindingStrategy, categories=EXTENSIONS, other_versions=("v1beta1",)),
    Row(ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", CLUSTER,
        admission.WebhookConfigurationStrategy, categories=EXTENSIONS),

    Row("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", CLUSTER,
        extensions.CustomResourceDefinitionStrategy, ("crd", "crds"), EXTENSIONS,
        (Sub("status", make=extensions.CustomResourceDefinitionStatusStrategy),)),
    Row("apiregistration.k8s.io", "v1", "apiservices", "APIService", CLUSTER, extensions.ApiServiceStrategy, (), EXTENSIONS,
        (Sub("status", make=extensions.ApiServiceStatusStrategy),)),

    Row(APPS, "v1", "controllerrevisions", "ControllerRevision", NS, workloads.ControllerRevisionStrategy),
    Row(APPS, "v1", "daemonsets", "DaemonSet", NS, daemon_set.DaemonSetStrategy, ("ds",), ALL, (DAEMON_STATUS,)),
    Row(APPS, "v1", "deployments", "Deployment", NS, workloads.DeploymentStrategy, ("deploy",), ALL, (SCALE, DEPLOYMENT_STATUS)),
    Row(APPS, "v1", "replicasets", "ReplicaSet", NS, workloads.ReplicaSetStrategy, ("rs",), ALL, (SCALE, REPLICAS_STATUS)),
    Row(APPS, "v1", "statefulsets", "StatefulSet", NS, stateful_set.StatefulSetStrategy, ("sts",), ALL, (SCALE, STATEFUL_STATUS)),

    Row(AUTHN, "v1", "selfsubjectreviews", "SelfSubjectReview", CLUSTER, PlainStrategy, verbs=CREATE, virtual=True),
    Row(AUTHN, "v1", "tokenreviews", "TokenReview", CLUSTER, PlainStrategy, verbs=CREATE, virtual=True),
    Row(AUTHZ, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", NS, PlainStrategy, verbs=CREATE, virtual=True),
    Row(AUTHZ, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", CLUSTER, PlainStrategy, verbs=CREATE, virtual=True),
    Row(AUTHZ, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", CLUSTER, PlainStrategy, verbs=CREATE, virtual=True),
    Row(AUTHZ, "v1", "subjectaccessreviews", "SubjectAccessReview", CLUSTER, PlainStrategy, verbs=CREATE, virtual=True),

    Row("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", NS, autoscaling.AutoscalerStrategy, ("hpa",), ALL,
        (AUTOSCALER_STATUS,), convert=_autoscaler),
    Row("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", NS, autoscaling.AutoscalerStrategy, ("hpa",), ALL,
        (AUTOSCALER_STATUS,), storage_version="v2", convert=_autoscaler),

    Row("batch", "v1", "cronjobs", "CronJob", NS, batch.CronJobStrategy, ("cj",), ALL, (STATUS,)),
    Row("batch", "v1", "jobs", "Job", NS, batch.JobStrategy, (), ALL, (_status(job_status.check_job_status),)),

    Row(CERTIFICATES, "v1", "certificatesigningrequests", "CertificateSigningRequest", CLUSTER,
        certificate_signing_request.CertificateSigningRequestStrategy,
        ("csr",), subresources=(_request_part("approval"), _request_part("status"))),
    Row(CERTIFICATES, "v1", "clustertrustbundles", "ClusterTrustBundle", CLUSTER, trust_bundles.ClusterTrustBundleStrategy,
        other_versions=("v1beta1",)),
    Row(CERTIFICATES, "v1", "podcertificaterequests", "PodCertificateRequest", NS, pod_certificates.PodCertificateRequestStrategy,
        ("pcr",), subresources=(Sub("status", make=pod_certificates.PodCertificateStatusStrategy),), other_versions=("v1beta1",)),

    Row("coordination.k8s.io", "v1", "leases", "Lease", NS, coordination.LeaseStrategy),
    Row("coordination.k8s.io", "v1beta1", "leasecandidates", "LeaseCandidate", NS, coordination.LeaseCandidateStrategy,
        other_versions=("v1alpha2",)),

    Row("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", NS, discovery.EndpointSliceStrategy),
    Row("events.k8s.io", "v1", "events", "Event", NS, _new_event, ("ev",), storage_version=STORED_AS_CORE, storage_group="",
        convert=_stored_event),

    Row(FLOW, "v1", "flowschemas", "FlowSchema", CLUSTER, flow_control.FlowSchemaStrategy, subresources=(FLOW_STATUS,)),
    Row(FLOW, "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", CLUSTER, flow_control.PriorityLevelStrategy,
        subresources=(FLOW_STATUS,)),

    Row("internal.apiserver.k8s.io", "v1alpha1", "storageversions", "StorageVersion", CLUSTER,
        storage_version.StorageVersionStrategy, subresources=(_status(storage_version.check_storage_version_status),)),
    Row(LIFECYCLE, "v1alpha1", "evictionrequests", "EvictionRequest", NS, lifecycle.EvictionRequestStrategy,
        subresources=(_status(lifecycle.check_request_status, FIXED_METADATA),)),
    Row(LIFECYCLE, "v1alpha1", "evictions", "Eviction", NS, lifecycle.EvictionStrategy,
        subresources=(_status(lifecycle.check_eviction_status, FIXED_METADATA),)),

    Row(NETWORKING, "v1", "ingressclasses", "IngressClass", CLUSTER, ingress.IngressClassStrategy),
    Row(NETWORKING, "v1", "ingresses", "Ingress", NS, ingress.IngressStrategy, ("ing",),
        subresources=(_status(load_balancer_status.check_ingress_status),)),
    Row(NETWORKING, "v1", "ipaddresses", "IPAddress", CLUSTER, service_addresses.IpAddressStrategy, ("ip",)),
    Row(NETWORKING, "v1", "networkpolicies", "NetworkPolicy", NS, networking.NetworkPolicyStrategy, ("netpol",)),
    Row(NETWORKING, "v1", "servicecidrs", "ServiceCIDR", CLUSTER, service_addresses.ServiceCidrStrategy, subresources=(STATUS,)),

    Row("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", CLUSTER, runtime_class.RuntimeClassStrategy),
    Row("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", NS, policy.PodDisruptionBudgetStrategy, ("pdb",),
        subresources=(_status(policy.check_budget_status),)),

    Row(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", CLUSTER, rbac.RoleBindingStrategy),
    Row(RBAC, "v1", "clusterroles", "ClusterRole", CLUSTER, rbac.RoleStrategy),
    Row(RBAC, "v1", "rolebindings", "RoleBinding", NS, rbac.RoleBindingStrategy),
    Row(RBAC, "v1", "roles", "Role", NS, rbac.RoleStrategy),

    Row(RESOURCE, "v1", "deviceclasses", "DeviceClass", CLUSTER, device_claims.DeviceClassStrategy, other_versions=OLD_DEVICES),
    Row(RESOURCE, "v1", "devicetaintrules", "DeviceTaintRule", CLUSTER, device_rules.DeviceTaintRuleStrategy,
        subresources=(_status(device_rules.check_rule_status, FIXED_METADATA),), other_versions=("v1beta2", "v1alpha3")),
    Row(RESOURCE, "v1", "resourceclaims", "ResourceClaim", NS, device_claims.ResourceClaimStrategy,
        subresources=(_status(device_claim_status.check_claim_status, FIXED_METADATA),), other_versions=OLD_DEVICES,
        reshape=convert_claim),
    Row(RESOURCE, "v1", "resourceclaimtemplates", "ResourceClaimTemplate", NS, device_claims.ResourceClaimTemplateStrategy,
        other_versions=OLD_DEVICES, reshape=convert_claim_template),
    Row(RESOURCE, "v1", "resourceslices", "ResourceSlice", CLUSTER, device_slices.ResourceSliceStrategy, other_versions=OLD_DEVICES,
        reshape=convert_slice),
    Row(RESOURCE, "v1alpha3", "resourcepoolstatusrequests", "ResourcePoolStatusRequest", CLUSTER,
        device_rules.ResourcePoolStatusRequestStrategy, subresources=(_status(device_rules.check_pool_status, FIXED_METADATA),)),

    Row(SCHEDULING, "v1", "priorityclasses", "PriorityClass", CLUSTER, scheduling.PriorityClassStrategy, ("pc",)),
    Row(SCHEDULING, "v1beta1", "podgroups", "PodGroup", NS, workload_groups.PodGroupStrategy, subresources=(GROUP_STATUS,),
        other_versions=("v1alpha3",)),
    Row(SCHEDULING, "v1alpha3", "compositepodgroups", "CompositePodGroup", NS, workload_groups.CompositePodGroupStrategy,
        subresources=(GROUP_STATUS,)),
    Row(SCHEDULING, "v1beta1", "workloads", "Workload", NS, workload_groups.WorkloadStrategy, other_versions=("v1alpha3",)),

    Row(STORAGE, "v1", "csidrivers", "CSIDriver", CLUSTER, storage.CsiDriverStrategy),
    Row(STORAGE, "v1", "csinodes", "CSINode", CLUSTER, storage.CsiNodeStrategy),
    Row(STORAGE, "v1", "csistoragecapacities", "CSIStorageCapacity", NS, storage.CsiStorageCapacityStrategy),
    Row(STORAGE, "v1", "storageclasses", "StorageClass", CLUSTER, storage.StorageClassStrategy, ("sc",)),
    Row(STORAGE, "v1", "volumeattachments", "VolumeAttachment", CLUSTER, storage.VolumeAttachmentStrategy,
        subresources=(_status(storage.check_attachment_status, FIXED_METADATA),)),
    Row(STORAGE, "v1", "volumeattributesclasses", "VolumeAttributesClass", CLUSTER, storage.VolumeAttributesClassStrategy,
        ("vac",)),
    Row("storagemigration.k8s.io", "v1", "storageversionmigrations", "StorageVersionMigration", CLUSTER,
        storage_migration.StorageVersionMigrationStrategy, subresources=(_status(storage_migration.check_migration_status),),
        other_versions=("v1beta1",)),
)  # fmt: skip


def builtin_resources(schema: Schema, runtime_config: Mapping[str, bool] | None = None) -> list[Resource]:
    """Every resource that the served version has and the configuration allows, in the table's order, preferred versions first."""
    chosen = runtime_config or {}
    cache = NormalizerCache()
    made = []
    for row in TABLE:
        for each in (row, *(row.in_version(version) for version in row.other_versions)):
            definition = schema.definition_name(each.group, each.version, each.kind)
            if definition is not None and enabled(each.api_version, each.plural, chosen):
                made.append(make_resource(each, schema, cache, definition))
    return made


def enabled(api_version: str, plural: str, runtime_config: Mapping[str, bool]) -> bool:
    """What --runtime-config says of a resource; the most specific word counts."""
    version = api_version.rpartition("/")[2]
    stage = "api/beta" if "beta" in version else "api/alpha" if "alpha" in version else "api/ga"
    for key in (f"{api_version}/{plural}", api_version, stage, "api/all"):
        if key in runtime_config:
            return runtime_config[key]
    return stage == "api/ga"
