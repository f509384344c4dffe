"""Each case is a valid object, one change to it, and all that is then wrong with it (field and message)."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource, StrategyContext
from tests.unit.apiserver.registry.rules import DELETE, changed

Find = Callable[..., Resource]
Object = dict[str, Any]
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)

POD: Object = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "name": "http"}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    },
}
DEPLOYMENT: Object = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
    },
}
SERVICE: Object = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]},
}


def problems(resource: Resource, obj: Object) -> list[tuple[str, str]]:
    resource.strategy.default(obj)
    return [(cause.field, cause.message) for cause in resource.strategy.validate(obj)]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.restartPolicy", "Never", []),
        ("metadata.name", DELETE, [("metadata.name", "Required value: name or generateName is required")]),
        ("metadata.namespace", "a.b", [("metadata.namespace", 'Invalid value: "a.b": must not contain dots')]),
        (
            "metadata.labels",
            {"a": "b c"},
            [("metadata.labels", 'Invalid value: "b c": a valid label must be an empty string or consist of')],
        ),
        ("spec.containers", [], [("spec.containers", "Required value")]),
        ("spec.containers.0.name", "Web", [("spec.containers[0].name", f'Invalid value: "Web": {LABEL}')]),
        ("spec.containers.0.image", DELETE, [("spec.containers[0].image", "Required value")]),
        (
            "spec.containers.0.image",
            " web",
            [("spec.containers[0].image", 'Invalid value: " web": must not have leading or trailing whitespace')],
        ),
        ("spec.containers.1", {"name": "web", "image": "x"}, [("spec.containers[1].name", 'Duplicate value: "web"')]),
        ("spec.initContainers", [{"name": "web", "image": "x"}], [("spec.initContainers[0].name", 'Duplicate value: "web"')]),
        (
            "spec.containers.0.ports",
            [{"containerPort": 70000}],
            [("spec.containers[0].ports[0].containerPort", "Invalid value: 70000: must be between 1 and 65535, inclusive")],
        ),
        (
            "spec.containers.0.ports.0.protocol",
            "ICMP",
            [("spec.containers[0].ports[0].protocol", 'Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"')],
        ),
        (
            "spec.containers.0.volumeMounts",
            [{"name": "nope", "mountPath": "/x"}],
            [("spec.containers[0].volumeMounts[0].name", 'Not found: "nope"')],
        ),
        (
            "spec.containers.0.volumeMounts",
            [{"name": "tmp", "mountPath": "/x"}, {"name": "tmp", "mountPath": "/x"}],
            [("spec.containers[0].volumeMounts[1].mountPath", 'Invalid value: "/x": must be unique')],
        ),
        ("spec.volumes.1", {"name": "tmp", "emptyDir": {}}, [("spec.volumes[1].name", 'Duplicate value: "tmp"')]),
        ("spec.volumes.0.secret", {"secretName": "s"}, [("spec.volumes[0].secret", "Forbidden: may not specify more than 1 volume type")]),
        ("spec.volumes.1", {"name": "c", "configMap": {}}, [("spec.volumes[1].configMap.name", "Required value")]),
        (
            "spec.containers.0.resources",
            {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
            [("spec.containers[0].resources.requests", 'Invalid value: "2": must be less than or equal to cpu limit of 1')],
        ),
        (
            "spec.containers.0.resources",
            {"limits": {"storage": "1"}},
            [
                ("spec.containers[0].resources.limits[storage]", 'Invalid value: "storage": must be a standard resource for containers'),
                ("spec.containers[0].resources.requests[storage]", 'Invalid value: "storage": must be a standard resource for containers'),
            ],
        ),
        (
            "spec.containers.0.livenessProbe",
            {"tcpSocket": {"port": 80}, "successThreshold": 2},
            [("spec.containers[0].livenessProbe.successThreshold", "Invalid value: 2: must be 1")],
        ),
        ("spec.containers.0.livenessProbe", {}, [("spec.containers[0].livenessProbe", "Required value: must specify a handler type")]),
        (
            "spec.initContainers",
            [{"name": "i", "image": "i", "readinessProbe": {"exec": {"command": ["x"]}}}],
            [("spec.initContainers[0].readinessProbe", "Forbidden: may not be set for init containers without restartPolicy=Always")],
        ),
        (
            "spec.containers.0.env",
            [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}],
            [
                (
                    "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath",
                    'Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", '
                    '"spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
                )
            ],
        ),
        (
            "spec.containers.0.securityContext",
            {"privileged": True, "allowPrivilegeEscalation": False},
            [("spec.containers[0].securityContext", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")],
        ),
        (
            "spec.securityContext",
            {"sysctls": [{"name": each, "value": "1"} for each in ("foo-", "kernel.shm_rmid_forced", "net/ipv4", "bar..", "net/ipv4", "")]},
            [
                ("spec.securityContext.sysctls[0].name", 'Invalid value: "foo-": must have at most 253 characters and match regex'),
                ("spec.securityContext.sysctls[3].name", 'Invalid value: "bar.."'),
                ("spec.securityContext.sysctls[4].name", 'Duplicate value: "net/ipv4"'),
                ("spec.securityContext.sysctls[5].name", "Required value"),
            ],
        ),
        (
            "spec.tolerations",
            [{"key": "a", "operator": "Exists", "value": "b", "effect": "NoExecute"}],
            [("spec.tolerations[0].operator", "value must be empty when `operator` is 'Exists'")],
        ),
        (
            "spec.tolerations",
            [{"operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 1}],
            [("spec.tolerations[0].effect", "Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set")],
        ),
        (
            "spec.topologySpreadConstraints",
            [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
            [("spec.topologySpreadConstraints[0].maxSkew", "Invalid value: 0: must be greater than zero")],
        ),
        (
            "spec.affinity",
            {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {}}]}},
            [
                (
                    "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
                    "Required value: can not be empty",
                ),
                (
                    "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
                    'Invalid value: "": name part',
                ),
                (
                    "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
                    'Invalid value: "": name part',
                ),
            ],
        ),
        (
            "spec.restartPolicy",
            "Sometimes",
            [("spec.restartPolicy", 'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"')],
        ),
        ("spec.terminationGracePeriodSeconds", -1, []),
        (
            "spec.dnsPolicy",
            "None",
            [("spec.dnsConfig", "Required value: must provide `dnsConfig` when `dnsPolicy` is None")],
        ),
        (
            "spec.ephemeralContainers",
            [{"name": "e", "image": "e"}],
            [("spec.ephemeralContainers", "Forbidden: cannot be set on create")],
        ),
    ],
)
def test_pods(find: Find, path: str, value: Any, expected: list[tuple[str, str]]) -> None:
    found = problems(find("pods"), changed(POD, path, value))
    assert [field for field, _ in found] == [field for field, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert part in message


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.replicas", 3, []),
        ("spec.replicas", -1, [("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")]),
        (
            "spec.selector.matchLabels",
            {"app": "api"},
            [("spec.template.metadata.labels", 'Invalid value: {"app":"web"}: `selector` does not match template `labels`')],
        ),
        (
            "spec.selector",
            DELETE,
            [
                ("spec.selector", "Required value"),
                ("spec.template.metadata.labels", 'Invalid value: {"app":"web"}: `selector` does not match template `labels`'),
            ],
        ),
        ("spec.selector", {}, [("spec.selector", "Invalid value: {}: empty selector is invalid for deployment")]),
        (
            "spec.template.spec.restartPolicy",
            "Never",
            [("spec.template.spec.restartPolicy", 'Unsupported value: "Never": supported values: "Always"')],
        ),
        (
            "spec.strategy",
            {"type": "Recreate", "rollingUpdate": {}},
            [("spec.strategy.rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'")],
        ),
        (
            "spec.strategy",
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            [("spec.strategy.rollingUpdate.maxUnavailable", "Invalid value: 0: may not be 0 when `maxSurge` is 0")],
        ),
        (
            "spec.progressDeadlineSeconds",
            0,
            [("spec.progressDeadlineSeconds", "Invalid value: 0: must be greater than minReadySeconds")],
        ),
        ("spec.template.spec.containers.0.name", "", [("spec.template.spec.containers[0].name", "Required value")]),
    ],
)
def test_deployments(find: Find, path: str, value: Any, expected: list[tuple[str, str]]) -> None:
    assert problems(find("deployments", "apps"), changed(DEPLOYMENT, path, value)) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.clusterIPs", ["None"], [("spec.clusterIPs", 'Invalid value: ["None"]: must be empty when `clusterIP` is not specified')]),
        ("metadata.name", "1web", []),
        ("metadata.name", "1.web", [("metadata.name", 'Invalid value: "1.web": must not contain dots')]),
        ("spec.ports", [], [("spec.ports", "Required value")]),
        ("spec.ports.0.port", 0, [
            ("spec.ports[0].port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
            ("spec.ports[0].targetPort", "Invalid value: 0: must be between 1 and 65535, inclusive"),
        ]),
        ("spec.ports.1", {"port": 81}, [("spec.ports[1].name", "Required value")]),
        ("spec.ports.1", {"name": "http", "port": 81}, [("spec.ports[1].name", 'Duplicate value: "http"')]),
        ("spec.ports.1", {"name": "two", "port": 80}, [("spec.ports[1]", 'Duplicate value: {"Name":"","Protocol":"TCP"')]),
        ("spec.type", "Magic", [
            ("spec.type", 'Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
        ]),
        ("spec.type", "ExternalName", [("spec.externalName", "Required value")]),
        ("spec.ports.0.nodePort", 30080, [("spec.ports[0].nodePort", "Forbidden: may not be used when `type` is 'ClusterIP'")]),
        ("spec.externalTrafficPolicy", "Local", [
            ("spec.externalTrafficPolicy", 'Invalid value: "Local": may only be set for externally-accessible services'),
        ]),
        ("spec.clusterIP", "10.0.0.1", [("spec.clusterIPs", "Required value")]),
    ],
)  # fmt: skip
def test_services(find: Find, path: str, value: Any, expected: list[tuple[str, str]]) -> None:
    found = problems(find("services"), changed(SERVICE, path, value))
    assert [field for field, _ in found] == [field for field, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert message.startswith(part)


META: Object = {"name": "x", "namespace": "default"}


@pytest.mark.parametrize(
    ("plural", "group", "obj", "expected"),
    [
        ("configmaps", "", {"data": {"a b": "x"}}, [("data[a b]", 'Invalid value: "a b": a valid config key must consist of')]),
        ("configmaps", "", {"data": {"a": "x" * 1048577}}, [("[]", "Too long: may not be more than 1048576 bytes")]),
        ("secrets", "", {"type": "kubernetes.io/tls"}, [("data[tls.crt]", "Required value"), ("data[tls.key]", "Required value")]),
        ("endpoints", "", {"subsets": [{"addresses": [{"ip": "127.0.0.1"}]}]}, [
            ("subsets[0].addresses[0].ip", 'Invalid value: "127.0.0.1": may not be in the loopback range'),
        ]),
        ("endpointslices", "discovery.k8s.io", {"addressType": "IPv4", "endpoints": [{"addresses": ["::1:2"]}]}, [
            ("endpoints[0].addresses[0]", 'Invalid value: "::1:2": must be an IPv4 address'),
        ]),
        ("leases", "coordination.k8s.io", {"spec": {"leaseDurationSeconds": 0}}, [
            ("spec.leaseDurationSeconds", "Invalid value: 0: must be greater than 0"),
        ]),
        ("roles", "rbac.authorization.k8s.io", {"rules": [{"apiGroups": [""], "resources": ["pods"]}]}, [
            ("rules[0].verbs", "Required value: verbs must contain at least one value"),
        ]),
        ("rolebindings", "rbac.authorization.k8s.io", {"roleRef": {"kind": "Cat", "name": "r"}}, [
            ("roleRef.kind", 'Unsupported value: "Cat": supported values: "Role", "ClusterRole"'),
        ]),
        ("cronjobs", "batch", {"spec": {"schedule": "* * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "c"}]}}}}}}, [
            ("spec.schedule", 'Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'),
        ]),
        ("ingresses", "networking.k8s.io", {"spec": {}}, [
            ("spec", "Invalid value: null: either `defaultBackend` or `rules` must be specified"),
        ]),
        ("networkpolicies", "networking.k8s.io", {"spec": {"podSelector": {}, "ingress": [{"from": [{}]}]}}, [
            ("spec.ingress[0].from[0]", "Required value: must specify a peer"),
        ]),
        ("events", "", {"involvedObject": {"namespace": "other"}}, [
            ("involvedObject.namespace", 'Invalid value: "other": does not match event.namespace'),
        ]),
    ],
)  # fmt: skip
def test_other_kinds(find: Find, plural: str, group: str, obj: Object, expected: list[tuple[str, str]]) -> None:
    found = problems(find(plural, group), {"metadata": dict(META)} | copy.deepcopy(obj))
    assert [field for field, _ in found] == [field for field, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert message.startswith(part)


def update(resource: Resource, old: Object, new: Object, subresource: str = "") -> tuple[Object, list[tuple[str, str]]]:
    """(the object as it would be stored, what is wrong)."""
    strategy = resource.subresources[subresource].strategy if subresource else resource.strategy
    assert strategy is not None
    resource.strategy.default(old)
    resource.strategy.default(new)
    old["metadata"].setdefault("generation", 1)
    strategy.prepare_for_update(new, old, StrategyContext(subresource=subresource))
    return new, [(cause.field, cause.message.partition("\n")[0]) for cause in strategy.validate_update(new, old)]


def test_a_pod_s_image_may_change_and_counts_as_a_generation(find: Find) -> None:
    new, wrong = update(find("pods"), copy.deepcopy(POD), changed(POD, "spec.containers.0.image", "web:2"))
    assert (new["metadata"]["generation"], wrong) == (2, [])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.containers.0.command", ["x"]),
        ("spec.nodeName", "n"),
        ("spec.containers.0.resources", {"limits": {"cpu": "1"}}),
        ("spec.restartPolicy", "Never"),
        ("spec.volumes.0.name", "other"),
    ],
)
def test_the_rest_of_a_pod_may_not(find: Find, path: str, value: Any) -> None:
    _, wrong = update(find("pods"), copy.deepcopy(POD), changed(POD, path, value))
    assert wrong == [
        (
            "spec",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )
    ]


def test_tolerations_are_only_added(find: Find) -> None:
    tolerated = changed(POD, "spec.tolerations", [{"key": "a", "operator": "Exists"}])
    more = changed(POD, "spec.tolerations", [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}])
    assert update(find("pods"), copy.deepcopy(tolerated), more)[1] == []
    less = copy.deepcopy(POD)
    detail = "Forbidden: existing toleration can not be modified except its tolerationSeconds"
    assert update(find("pods"), copy.deepcopy(tolerated), less)[1] == [("spec.tolerations", detail)]


def test_the_main_endpoint_keeps_status_and_the_status_endpoint_keeps_spec(find: Find) -> None:
    deployments = find("deployments", "apps")
    old = DEPLOYMENT | {"status": {"replicas": 1}, "metadata": DEPLOYMENT["metadata"] | {"labels": {"a": "b"}}}
    sent = copy.deepcopy(old) | {"status": {"replicas": 9}}
    sent["spec"]["replicas"] = 4
    sent["metadata"]["labels"] = {"c": "d"}
    main, wrong = update(deployments, copy.deepcopy(old), copy.deepcopy(sent))
    assert wrong == []
    assert (main["status"], main["spec"]["replicas"], main["metadata"]["generation"]) == ({"replicas": 1}, 4, 2)
    status, wrong = update(deployments, copy.deepcopy(old), copy.deepcopy(sent), "status")
    assert wrong == []
    assert (status["status"], status["spec"]["replicas"], status["metadata"]["generation"]) == ({"replicas": 9}, 1, 1)
    assert status["metadata"]["labels"] == {"a": "b"}


def test_a_selector_is_immutable(find: Find) -> None:
    new = changed(DEPLOYMENT, "spec.selector.matchLabels", {"tier": "x"})
    new["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    assert update(find("deployments", "apps"), copy.deepcopy(DEPLOYMENT), new)[1] == [
        ("spec.selector", 'Invalid value: {"matchLabels":{"tier":"x"}}: field is immutable')
    ]


def test_an_immutable_config_map_stays(find: Find) -> None:
    old = {"metadata": dict(META), "immutable": True, "data": {"a": "b"}}
    new = {"metadata": dict(META), "data": {"a": "c"}}
    assert update(find("configmaps"), old, new)[1] == [
        ("immutable", "Forbidden: field is immutable when `immutable` is set"),
        ("data", "Forbidden: field is immutable when `immutable` is set"),
    ]


def test_a_service_keeps_what_was_allocated(find: Find) -> None:
    old = changed(SERVICE, "spec.type", "NodePort")
    old["spec"] |= {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    old["spec"]["ports"][0]["nodePort"] = 30080
    new, wrong = update(find("services"), copy.deepcopy(old), changed(SERVICE, "spec.type", "NodePort"))
    assert (new["spec"]["clusterIP"], new["spec"]["ports"][0]["nodePort"], wrong) == ("10.96.0.9", 30080, [])
    plain = copy.deepcopy(old)
    plain["spec"]["type"] = "ClusterIP"
    new, wrong = update(find("services"), copy.deepcopy(old), plain)
    assert ("nodePort" in new["spec"]["ports"][0], "externalTrafficPolicy" in new["spec"], wrong) == (False, False, [])
    moved = changed(SERVICE, "spec.clusterIP", "10.96.0.10")
    _, wrong = update(find("services"), copy.deepcopy(old), moved)
    assert wrong == [("spec.clusterIPs[0]", 'Invalid value: ["10.96.0.10"]: may not change once set')]


def test_a_namespace_is_finalized_only_at_its_endpoint(find: Find) -> None:
    old: Object = {"metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    new, _ = update(find("namespaces"), copy.deepcopy(old), {"metadata": {"name": "n"}, "spec": {}})
    assert new["spec"] == {"finalizers": ["kubernetes"]}
    new, _ = update(find("namespaces"), copy.deepcopy(old), {"metadata": {"name": "n"}, "spec": {}}, "finalize")
    assert new["spec"] == {}


def test_resizing_changes_resources_and_nothing_else(find: Find) -> None:
    old = changed(POD, "spec.containers.0.resources", {"requests": {"cpu": "100m"}})
    sent = changed(old, "spec.containers.0.resources", {"requests": {"cpu": "200m"}})
    sent["spec"]["containers"][0]["image"] = "web:9"
    new, wrong = update(find("pods"), copy.deepcopy(old), sent, "resize")
    container = new["spec"]["containers"][0]
    assert (container["resources"], container["image"], wrong) == ({"requests": {"cpu": "200m"}}, "web:1", [])


def test_ephemeral_containers_are_only_added(find: Find) -> None:
    old = copy.deepcopy(POD)
    sent = changed(POD, "spec.ephemeralContainers", [{"name": "debug", "image": "sh"}])
    new, wrong = update(find("pods"), old, sent, "ephemeralcontainers")
    assert ([each["name"] for each in new["spec"]["ephemeralContainers"]], wrong) == (["debug"], [])
    _, wrong = update(find("pods"), copy.deepcopy(new), copy.deepcopy(POD), "ephemeralcontainers")
    assert wrong == [("spec.ephemeralContainers", 'Forbidden: existing ephemeral containers "debug" may not be removed')]


def test_metadata_that_never_changes(find: Find) -> None:
    old: Object = {"metadata": META | {"uid": "a", "deletionTimestamp": "2030-01-01T00:00:00Z"}}
    new: Object = {"metadata": META | {"uid": "b", "deletionTimestamp": "2030-01-01T00:00:00Z", "finalizers": ["example.com/x"]}}
    assert update(find("configmaps"), old, new)[1] == [
        (
            "metadata.finalizers",
            'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/x"}',
        ),
        ("metadata.uid", 'Invalid value: "b": field is immutable'),
    ]


@pytest.mark.parametrize(
    ("plural", "group", "name", "accepted"),
    [
        ("clusterroles", "rbac.authorization.k8s.io", "system:node", True),
        ("apiservices", "apiregistration.k8s.io", "v1.", True),
        ("ipaddresses", "networking.k8s.io", "2001:db8::1", True),
        ("ipaddresses", "networking.k8s.io", "2001:db8:0::1", False),
        ("clustertrustbundles", "certificates.k8s.io", "example.com:signer:one", False),
        ("namespaces", "", "a.b", False),
        ("nodes", "", "node-1.example.com", True),
        ("pods", "", "a.b", True),
        ("services", "", "a.b", False),
    ],
)
def test_names_by_kind(find: Find, plural: str, group: str, name: str, accepted: bool) -> None:
    obj = {"metadata": {"name": name, "namespace": "default"}, "spec": {"version": "v1", "group": ""}}
    causes = find(plural, group).strategy.validate(obj)
    assert ("metadata.name" not in {cause.field for cause in causes}) is accepted


def test_a_status_write_keeps_the_qos_class(find: Find) -> None:
    old = POD | {"status": {"phase": "Pending", "qosClass": "BestEffort"}}
    new, wrong = update(find("pods"), copy.deepcopy(old), copy.deepcopy(POD) | {"status": {"phase": "Running"}}, "status")
    assert (new["status"], wrong) == ({"phase": "Running", "qosClass": "BestEffort"}, [])


def test_the_two_names_of_the_service_account_agree(find: Find) -> None:
    pod = changed(POD, "spec.serviceAccount", "robot")
    find("pods").strategy.default(pod)
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["serviceAccount"]) == ("robot", "robot")


def test_label_keys_of_spread_and_affinity_become_expressions(find: Find) -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["rev"]}
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}, "mismatchLabelKeys": ["rev"]}
    pod = changed(POD, "metadata.labels", {"app": "web", "rev": "7"})
    pod["spec"]["topologySpreadConstraints"] = [spread | {"labelSelector": {"matchLabels": {"app": "web"}}}]
    pod["spec"]["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    find("pods").strategy.prepare_for_create(pod, StrategyContext())
    within = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "rev", "operator": "In", "values": ["7"]}]}
    without = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "rev", "operator": "NotIn", "values": ["7"]}]}
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"] == within
    affinity = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert affinity[0]["labelSelector"] == without


def test_warnings_of_a_new_pod(find: Find) -> None:
    pod = changed(POD, "metadata.name", "a.b")
    pod["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert list(find("pods").strategy.warnings(pod, None)) == [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: "
        "[must not contain dots]",
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ]


def test_a_daemon_set_counts_its_templates(find: Find) -> None:
    daemon_sets = find("daemonsets", "apps")
    old = copy.deepcopy(DEPLOYMENT)
    daemon_sets.strategy.default(old)
    daemon_sets.strategy.prepare_for_create(old, StrategyContext())
    assert old["metadata"]["annotations"] == {"deprecated.daemonset.template.generation": "1"}
    new = changed(old, "spec.template.spec.containers.0.image", "web:2")
    new, wrong = update(daemon_sets, old, new)
    assert (new["metadata"]["annotations"], wrong) == ({"deprecated.daemonset.template.generation": "2"}, [])


def test_a_job_s_template_is_immutable_once_it_runs(find: Find) -> None:
    jobs = find("jobs", "batch")
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c"}]}}
    old: Object = {"metadata": META | {"uid": "u"}, "spec": {"template": template}}
    jobs.strategy.default(old)
    jobs.strategy.prepare_for_create(old, StrategyContext())
    assert list(jobs.strategy.validate(old)) == []
    _, wrong = update(jobs, copy.deepcopy(old), changed(old, "spec.template.spec.containers.0.image", "d"))
    assert [field for field, _ in wrong] == ["spec.template"]
    assert update(jobs, copy.deepcopy(old), changed(old, "spec.parallelism", 3))[1] == []


@pytest.mark.parametrize(
    ("schedule", "good"),
    [
        ("*/5 * * * *", True),
        ("0 0 1 jan mon-fri", True),
        ("@daily", True),
        ("@every 1h30m", True),
        ("@sometimes", False),
        ("60 * * * *", False),
        ("5-1 * * * *", False),
        ("*/0 * * * *", False),
    ],
)
def test_cron_schedules(find: Find, schedule: str, good: bool) -> None:
    job = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c"}]}}}}
    found = problems(find("cronjobs", "batch"), {"metadata": dict(META), "spec": {"schedule": schedule, "jobTemplate": job}})
    assert [field for field, _ in found] == ([] if good else ["spec.schedule"])
