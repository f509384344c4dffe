"""How clients name the built-in resources (GA versions): one constant each, and nothing else."""

from proa.api.resource import ResourceId

BINDINGS = ResourceId("", "v1", "bindings", "Binding", True)
CONFIG_MAPS = ResourceId("", "v1", "configmaps", "ConfigMap", True)
ENDPOINTS = ResourceId("", "v1", "endpoints", "Endpoints", True)
EVENTS = ResourceId("", "v1", "events", "Event", True)
LIMIT_RANGES = ResourceId("", "v1", "limitranges", "LimitRange", True)
NAMESPACES = ResourceId("", "v1", "namespaces", "Namespace", False)
NODES = ResourceId("", "v1", "nodes", "Node", False)
PERSISTENT_VOLUME_CLAIMS = ResourceId("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True)
PERSISTENT_VOLUMES = ResourceId("", "v1", "persistentvolumes", "PersistentVolume", False)
PODS = ResourceId("", "v1", "pods", "Pod", True)
POD_TEMPLATES = ResourceId("", "v1", "podtemplates", "PodTemplate", True)
REPLICATION_CONTROLLERS = ResourceId("", "v1", "replicationcontrollers", "ReplicationController", True)
RESOURCE_QUOTAS = ResourceId("", "v1", "resourcequotas", "ResourceQuota", True)
SECRETS = ResourceId("", "v1", "secrets", "Secret", True)
SERVICE_ACCOUNTS = ResourceId("", "v1", "serviceaccounts", "ServiceAccount", True)
SERVICES = ResourceId("", "v1", "services", "Service", True)

CONTROLLER_REVISIONS = ResourceId("apps", "v1", "controllerrevisions", "ControllerRevision", True)
DAEMON_SETS = ResourceId("apps", "v1", "daemonsets", "DaemonSet", True)
DEPLOYMENTS = ResourceId("apps", "v1", "deployments", "Deployment", True)
REPLICA_SETS = ResourceId("apps", "v1", "replicasets", "ReplicaSet", True)
STATEFUL_SETS = ResourceId("apps", "v1", "statefulsets", "StatefulSet", True)

CRON_JOBS = ResourceId("batch", "v1", "cronjobs", "CronJob", True)
JOBS = ResourceId("batch", "v1", "jobs", "Job", True)

CERTIFICATE_SIGNING_REQUESTS = ResourceId("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", False)
CLUSTER_TRUST_BUNDLES = ResourceId("certificates.k8s.io", "v1", "clustertrustbundles", "ClusterTrustBundle", False)
POD_CERTIFICATE_REQUESTS = ResourceId("certificates.k8s.io", "v1", "podcertificaterequests", "PodCertificateRequest", True)

LEASES = ResourceId("coordination.k8s.io", "v1", "leases", "Lease", True)
ENDPOINT_SLICES = ResourceId("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True)

INGRESSES = ResourceId("networking.k8s.io", "v1", "ingresses", "Ingress", True)
INGRESS_CLASSES = ResourceId("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
IP_ADDRESSES = ResourceId("networking.k8s.io", "v1", "ipaddresses", "IPAddress", False)
SERVICE_CIDRS = ResourceId("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", False)
NETWORK_POLICIES = ResourceId("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True)

POD_DISRUPTION_BUDGETS = ResourceId("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True)

CLUSTER_ROLE_BINDINGS = ResourceId("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False)
CLUSTER_ROLES = ResourceId("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
ROLE_BINDINGS = ResourceId("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True)
ROLES = ResourceId("rbac.authorization.k8s.io", "v1", "roles", "Role", True)

RESOURCE_CLAIMS = ResourceId("resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", True)
PRIORITY_CLASSES = ResourceId("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False)
RUNTIME_CLASSES = ResourceId("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", False)
CSI_NODES = ResourceId("storage.k8s.io", "v1", "csinodes", "CSINode", False)
VOLUME_ATTRIBUTES_CLASSES = ResourceId("storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", False)
STORAGE_CLASSES = ResourceId("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)

SUBJECT_ACCESS_REVIEWS = ResourceId("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False)
TOKEN_REVIEWS = ResourceId("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", False)

CUSTOM_RESOURCE_DEFINITIONS = ResourceId("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False)
API_SERVICES = ResourceId("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)
