"""One small valid object of every kind that can be written: what a fuzzer starts from, as random objects alone rarely get past validation.

Keys are (group, version, plural); other versions of the same kind are read from the server, which converts. Names and namespaces are left
out, as whoever sends a seed chooses them.
"""

from typing import Any

Object = dict[str, Any]

LABELS = {"app": "fuzz"}
SELECTOR = {"matchLabels": LABELS}
POD_SPEC: Object = {
    "containers": [{"name": "c", "image": "registry.test/i:1", "ports": [{"containerPort": 80, "name": "http"}],
                    "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
                    "env": [{"name": "A", "value": "b"}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
    "volumes": [{"name": "v", "emptyDir": {}}],
}  # fmt: skip
TEMPLATE: Object = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}
JOB_SPEC: Object = {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}
CLAIM_SPEC: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SUBJECT = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
ROLE_REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
CONSTRAINTS: Object = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["events"]}]}
BINDING: Object = {"policyName": "fuzz-none", "validationActions": ["Warn"]}
MUTATION: Object = {
    "patchType": "ApplyConfiguration",
    "applyConfiguration": {"expression": 'Object{metadata: Object.metadata{labels: {"a": "b"}}}'},
}
HOOK: Object = {
    "name": "a.fuzz.test", "clientConfig": {"url": "https://127.0.0.1:9/"}, "admissionReviewVersions": ["v1"], "sideEffects": "None",
    "failurePolicy": "Ignore", "timeoutSeconds": 1,
    "rules": [{"apiGroups": ["none.test"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothing"]}],
}  # fmt: skip
DEFINITION: Object = {
    "group": "fuzz.test", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget", "singular": "widget"},
    "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {
        "type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}}}}}}],
}  # fmt: skip
DEVICES: Object = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}
ADMISSION, AUTHENTICATION, AUTHORIZATION = "admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io"
CERTIFICATES, FLOW, NETWORKING = "certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io"
RBAC, RESOURCE, SCHEDULING, STORAGE = "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io"
ACCESS = {"verb": "get", "resource": "pods", "namespace": "fuzz"}
UTILIZATION = {"type": "Utilization", "averageUtilization": 50}
REPORT: Object = {"involvedObject": {"kind": "Pod", "name": "p", "namespace": "fuzz"}, "reason": "R", "message": "m", "type": "Normal"}

SEEDS: dict[tuple[str, str, str], Object] = {
    ("", "v1", "bindings"): {"metadata": {"name": "fuzz-a"}, "target": {"kind": "Node", "name": "n"}},
    ("", "v1", "configmaps"): {"data": {"a": "b"}, "binaryData": {"c": "AAEC"}},
    ("", "v1", "endpoints"): {"subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]},
    ("", "v1", "events"): REPORT,
    ("", "v1", "limitranges"): {"spec": {"limits": [{"type": "Container", "max": {"cpu": "100"}}]}},
    ("", "v1", "namespaces"): {},
    ("", "v1", "nodes"): {"spec": {"podCIDR": "10.244.0.0/24"}},
    ("", "v1", "persistentvolumeclaims"): {"spec": CLAIM_SPEC},
    ("", "v1", "persistentvolumes"): {
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/x"}}
    },
    ("", "v1", "pods"): {"metadata": {"labels": LABELS}, "spec": POD_SPEC},
    ("", "v1", "podtemplates"): {"template": TEMPLATE},
    ("", "v1", "replicationcontrollers"): {"spec": {"replicas": 1, "selector": LABELS, "template": TEMPLATE}},
    ("", "v1", "resourcequotas"): {"spec": {"hard": {"pods": "100000"}}},
    ("", "v1", "secrets"): {"stringData": {"a": "b"}},
    ("", "v1", "serviceaccounts"): {},
    ("", "v1", "services"): {"spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": "http"}]}},
    (ADMISSION, "v1", "mutatingadmissionpolicies"): {
        "spec": {"matchConstraints": CONSTRAINTS, "mutations": [MUTATION], "reinvocationPolicy": "Never"}
    },
    (ADMISSION, "v1", "mutatingadmissionpolicybindings"): {"spec": {"policyName": "fuzz-none"}},
    (ADMISSION, "v1", "mutatingwebhookconfigurations"): {"webhooks": [HOOK]},
    (ADMISSION, "v1", "validatingadmissionpolicies"): {
        "spec": {"matchConstraints": CONSTRAINTS, "validations": [{"expression": "object.metadata.name != 'x'"}]}
    },
    (ADMISSION, "v1", "validatingadmissionpolicybindings"): {"spec": BINDING},
    (ADMISSION, "v1", "validatingwebhookconfigurations"): {"webhooks": [HOOK]},
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"): {"metadata": {"name": "widgets.fuzz.test"}, "spec": DEFINITION},
    ("apiregistration.k8s.io", "v1", "apiservices"): {
        "metadata": {"name": "v9.none.test"},
        "spec": {"group": "none.test", "version": "v9", "groupPriorityMinimum": 1, "versionPriority": 1, "insecureSkipTLSVerify": True,
                 "service": {"name": "none", "namespace": "default"}},
    },
    ("apps", "v1", "controllerrevisions"): {"revision": 1, "data": {"a": 1}},
    ("apps", "v1", "daemonsets"): {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    ("apps", "v1", "deployments"): {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    ("apps", "v1", "replicasets"): {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    ("apps", "v1", "statefulsets"): {
        "spec": {"selector": SELECTOR, "template": TEMPLATE, "serviceName": "s",
                 "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": CLAIM_SPEC}]}
    },
    (AUTHENTICATION, "v1", "selfsubjectreviews"): {},
    (AUTHENTICATION, "v1", "tokenreviews"): {"spec": {"token": "t"}},
    (AUTHORIZATION, "v1", "localsubjectaccessreviews"): {"spec": {"user": "jane", "resourceAttributes": ACCESS}},
    (AUTHORIZATION, "v1", "selfsubjectaccessreviews"): {"spec": {"resourceAttributes": ACCESS}},
    (AUTHORIZATION, "v1", "selfsubjectrulesreviews"): {"spec": {"namespace": "default"}},
    (AUTHORIZATION, "v1", "subjectaccessreviews"): {"spec": {"user": "jane", "resourceAttributes": ACCESS}},
    ("autoscaling", "v2", "horizontalpodautoscalers"): {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
                 "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": UTILIZATION}}]}
    },
    ("batch", "v1", "cronjobs"): {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": JOB_SPEC}}},
    ("batch", "v1", "jobs"): {"spec": JOB_SPEC},
    ("coordination.k8s.io", "v1", "leases"): {"spec": {"holderIdentity": "h", "leaseDurationSeconds": 10}},
    ("coordination.k8s.io", "v1beta1", "leasecandidates"): {
        "spec": {"leaseName": "l", "binaryVersion": "1.37.0", "emulationVersion": "1.37.0", "strategy": "OldestEmulationVersion"}
    },
    ("discovery.k8s.io", "v1", "endpointslices"): {
        "addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}], "ports": [{"port": 80}]
    },
    ("events.k8s.io", "v1", "events"): {
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "x.io/c", "reportingInstance": "i", "action": "A", "reason": "R",
        "type": "Normal", "regarding": {"kind": "Pod", "name": "p", "namespace": "fuzz"},
    },
    (FLOW, "v1", "flowschemas"): {
        "spec": {"priorityLevelConfiguration": {"name": "workload-low"}, "matchingPrecedence": 9000,
                 "rules": [{"subjects": [{"kind": "User", "user": {"name": "jane"}}],
                            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/none"]}]}]}
    },
    (FLOW, "v1", "prioritylevelconfigurations"): {
        "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}}}
    },
    ("internal.apiserver.k8s.io", "v1alpha1", "storageversions"): {"metadata": {"name": "none.test.things"}, "spec": {}, "status": {}},
    (NETWORKING, "v1", "ingressclasses"): {"spec": {"controller": "fuzz.test/c"}},
    (NETWORKING, "v1", "ingresses"): {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    (NETWORKING, "v1", "ipaddresses"): {
        "metadata": {"name": "10.96.200.200"}, "spec": {"parentRef": {"resource": "services", "name": "s", "namespace": "default"}}
    },
    (NETWORKING, "v1", "networkpolicies"): {"spec": {"podSelector": SELECTOR, "ingress": [{"from": [{"podSelector": {}}]}]}},
    (NETWORKING, "v1", "servicecidrs"): {"spec": {"cidrs": ["10.97.0.0/16"]}},
    ("node.k8s.io", "v1", "runtimeclasses"): {"handler": "h"},
    ("policy", "v1", "poddisruptionbudgets"): {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "none"}}}},
    (RBAC, "v1", "clusterrolebindings"): {"roleRef": ROLE_REFERENCE, "subjects": [SUBJECT]},
    (RBAC, "v1", "clusterroles"): {"rules": RULES},
    (RBAC, "v1", "rolebindings"): {"roleRef": ROLE_REFERENCE, "subjects": [SUBJECT]},
    (RBAC, "v1", "roles"): {"rules": RULES},
    (RESOURCE, "v1", "deviceclasses"): {"spec": {"selectors": [{"cel": {"expression": "device.driver == 'd'"}}]}},
    (RESOURCE, "v1", "resourceclaims"): {"spec": DEVICES},
    (RESOURCE, "v1", "resourceclaimtemplates"): {"spec": {"spec": DEVICES}},
    (RESOURCE, "v1", "resourceslices"): {
        "spec": {"driver": "d.test", "nodeName": "n", "devices": [{"name": "x"}],
                 "pool": {"name": "p", "resourceSliceCount": 1, "generation": 1}}
    },
    (SCHEDULING, "v1", "priorityclasses"): {"value": 7},
    (STORAGE, "v1", "csidrivers"): {"spec": {"attachRequired": False}},
    (STORAGE, "v1", "csinodes"): {"spec": {"drivers": [{"name": "d", "nodeID": "n"}]}},
    (STORAGE, "v1", "csistoragecapacities"): {"storageClassName": "s", "capacity": "1Gi", "nodeTopology": SELECTOR},
    (STORAGE, "v1", "storageclasses"): {"provisioner": "fuzz.test/p"},
    (STORAGE, "v1", "volumeattachments"): {"spec": {"attacher": "a.test", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
    (STORAGE, "v1", "volumeattributesclasses"): {"driverName": "d.test", "parameters": {"a": "b"}},
    ("storagemigration.k8s.io", "v1", "storageversionmigrations"): {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
}  # fmt: skip
"""Kinds that need what a table can't hold (a certificate's request, a bundle) and the alpha ones start from nothing."""
