"""Containers of pods through the front door: what upstream refuses of them, word by word. (pkg/apis/core/validation)"""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import LABEL, SUBDOMAIN, causes, changed

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
Object = dict[str, Any]
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}], "volumes": [{"name": "v"}]}}
A, C = "spec.containers.0", "spec.containers[0]"
INIT, FIRST = "spec.initContainers", "spec.initContainers[0]"
LIMIT = "must be less than or equal to"
HUGE = "hugepages-2Mi"
ENV_FIELDS = (
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", '
    '"status.podIP", "status.podIPs"'
)
SIZES = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


def value_of(**source: Any) -> list[Object]:
    return [{"name": "E", "valueFrom": source}]


def init(**fields: Any) -> list[Object]:
    return [{"name": "i", "image": "i", **fields}]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # order: names, images, policies, then the parts
        ({f"{A}.image": "", f"{A}.terminationMessagePolicy": "X", f"{A}.imagePullPolicy": "Y", f"{A}.ports": [{"containerPort": 0}]}, [
            f"{C}.image: Required value",
            f'{C}.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
            f"{C}.ports[0].containerPort: Required value",
            f'{C}.imagePullPolicy: Unsupported value: "Y": supported values: "Always", "IfNotPresent", "Never"']),
        ({f"{A}.image": " i"}, [f'{C}.image: Invalid value: " i": must not have leading or trailing whitespace']),
        ({"spec.restartPolicy": "X"}, ['spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"']),
        # ports
        ({f"{A}.ports": [{"containerPort": 1, "name": "x"}, {"containerPort": 2, "name": "x", "hostPort": 70000}]}, [
            f'{C}.ports[1].name: Duplicate value: "x"', f"{C}.ports[1].hostPort: Invalid value: 70000: must be between 1 and 65535, "
                "inclusive"]),
        ({f"{A}.ports": [{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]},
         [f'{C}.ports[1].hostPort: Duplicate value: "TCP//9"']),
        ({"spec.hostNetwork": True, f"{A}.ports": [{"containerPort": 1, "hostPort": 2}]},
         [f"{C}.ports[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true"]),
        ({"spec.hostNetwork": True, INIT: init(ports=[{"containerPort": 1, "hostPort": 2}])}, []),
        # variables
        ({f"{A}.env": value_of()}, [
            f'{C}.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, '
            "`secretKeyRef` or `fileKeyRef`"]),
        ({f"{A}.env": [{"name": "E", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"},
                                                               "secretKeyRef": {"name": "s", "key": "k"}}}]},
         [f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty']),
        ({f"{A}.env": value_of(fieldRef={"fieldPath": "metadata.name"}, secretKeyRef={"name": "s", "key": "k"})},
         [f'{C}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time']),
        ({f"{A}.env": value_of(fieldRef={"fieldPath": "spec.hostNetwork"})}, [
            f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.hostNetwork": error converting fieldPath: field label not '
            "supported: spec.hostNetwork"]),
        ({f"{A}.env": value_of(fieldRef={"fieldPath": "status.phase"})},
         [f'{C}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: {ENV_FIELDS}']),
        ({f"{A}.env": value_of(fieldRef={"fieldPath": "metadata.name['x']"})}, [
            f"{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['x']\": error converting fieldPath: field label does "
            "not support subscript: metadata.name['x']"]),
        ({f"{A}.env": value_of(fieldRef={"apiVersion": "v2", "fieldPath": "metadata.name"})}, [
            f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod '
            'version: '
            "v2"]),
        ({f"{A}.env": value_of(fieldRef={"fieldPath": "metadata.annotations['Ex.com/A']"})}, []),
        ({f"{A}.env": value_of(resourceFieldRef={"resource": "limits.cpu", "divisor": "2"})}, [
            f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported '
            'with '
            "the cpu resource"]),
        ({f"{A}.env": value_of(resourceFieldRef={"resource": "limits.memory", "divisor": "3"})}, [
            f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values {SIZES} are supported '
            "with the memory resource"]),
        ({f"{A}.env": value_of(resourceFieldRef={"resource": f"limits.{HUGE}", "divisor": "2Mi"})}, [
            f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.{HUGE}": only divisor\'s values {SIZES} are supported '
            "with the hugepages resource"]),
        ({f"{A}.env": value_of(configMapKeyRef={"name": "A", "key": ""})}, [
            f'{C}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "A": {SUBDOMAIN}',
            f"{C}.env[0].valueFrom.configMapKeyRef.key: Required value"]),
        ({f"{A}.env": value_of(fileKeyRef={"key": "K", "volumeName": "v", "path": "a"})}, []),
        ({f"{A}.env": value_of(fileKeyRef={"key": "K", "volumeName": "w", "path": "../a"})}, [
            f"{C}.env[0].valueFrom.fileKeyRef.path: Invalid value: \"../a\": must not contain '..'",
            f'{C}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "w"']),
        ({"spec.volumes.0.hostPath": {"path": "/x"}, f"{A}.env": value_of(fileKeyRef={"key": "K", "volumeName": "v", "path": "a"})}, [
            f'{C}.env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir']),
        ({f"{A}.env": value_of(fileKeyRef={})},
         [f"{C}.env[0].valueFrom.fileKeyRef.{field}: Required value" for field in ("key", "volumeName", "path")]
         + [f'{C}.env[0].valueFrom.fileKeyRef.volumeName: Not found: ""']),
        ({f"{A}.envFrom": [{"secretRef": {"name": "A"}}, {}]}, [
            f'{C}.envFrom[0].secretRef.name: Invalid value: "A": {SUBDOMAIN}',
            f'{C}.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
        # mounts and devices
        ({f"{A}.volumeMounts": [{"mountPath": "/x"}, {"name": "v", "mountPath": "/x", "subPath": "/a", "subPathExpr": "../b"}]}, [
            f"{C}.volumeMounts[0].name: Required value", f'{C}.volumeMounts[0].name: Not found: ""',
            f'{C}.volumeMounts[1].mountPath: Invalid value: "/x": must be unique',
            f'{C}.volumeMounts.subPath: Invalid value: "/a": must be a relative path',
            f'{C}.volumeMounts[1].subPathExpr: Invalid value: "../b": subPathExpr and subPath are mutually exclusive',
            f"{C}.volumeMounts.subPathExpr: Invalid value: \"../b\": must not contain '..'"]),
        ({f"{A}.volumeMounts": [{"name": "v", "mountPath": "/x", "mountPropagation": "X", "recursiveReadOnly": "Y"}]}, [
            f'{C}.volumeMounts.mountPropagation: Unsupported value: "X": supported values: "Bidirectional", "HostToContainer", "None"',
            f'{C}.volumeMounts.recursiveReadOnly: Unsupported value: "Y": supported values: "Disabled", "Enabled", "IfPossible"']),
        ({f"{A}.volumeDevices": [{"name": "v", "devicePath": "/a/../b"}, {"name": "v"}]}, [
            f'{C}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for '
            'block '
            "mode",
            f"{C}.volumeDevices[0].devicePath: Invalid value: \"/a/../b\": can not contain backsteps ('..')",
            f'{C}.volumeDevices[1].name: Invalid value: "v": must be unique',
            f'{C}.volumeDevices[1].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for '
            'block '
            "mode",
            f"{C}.volumeDevices[1].devicePath: Required value"]),
        # resources
        ({f"{A}.resources": {"requests": {"cpu": "-1"}, "limits": {"cpu": "-2"}}}, [
            f'{C}.resources.limits[cpu]: Invalid value: "-2": must be greater than or equal to 0',
            f'{C}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
            f'{C}.resources.requests: Invalid value: "-1": {LIMIT} cpu limit of -2']),
        ({f"{A}.resources": {"limits": {HUGE: "3Mi"}}}, [
            f'{C}.resources.limits[{HUGE}]: Invalid value: "3Mi": 3Mi is not positive integer multiple of {HUGE}',
            f'{C}.resources.requests[{HUGE}]: Invalid value: "3Mi": 3Mi is not positive integer multiple of {HUGE}',
            f"{C}.resources: Forbidden: HugePages require cpu or memory"]),
        ({"spec.resourceClaims": [{"name": "c", "resourceClaimName": "x"}],
          f"{A}.resources": {"claims": [{"name": "c", "request": "R"}, {"name": "c"}, {"name": "d"}]}}, [
            f'{C}.resources.claims[0].request: Invalid value: "R": {LABEL}',
            f'{C}.resources.claims[1]: Duplicate value: "c"',
            f'{C}.resources.claims[2]: Not found: "d": must be one of the names in pod.spec.resourceClaims: c']),
        ({f"{A}.resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}], "spec.restartPolicy": "Never"},
         [f"{C}.resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'"]),
        # probes and handlers
        ({f"{A}.livenessProbe": {"tcpSocket": {"port": 1}, "exec": {}, "successThreshold": 2, "terminationGracePeriodSeconds": 0}}, [
            f"{C}.livenessProbe.exec.command: Required value",
            f"{C}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
            f"{C}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
            f"{C}.livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
        ({f"{A}.lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}, [
            f"{C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"]),
        ({f"{A}.lifecycle": {"stopSignal": "SIGUSR1"}},
         [f"{C}.lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"]),
        ({f"{A}.lifecycle": {"stopSignal": "SIGUSR1"}, "spec.os": {"name": "windows"}},
         [f'{C}.lifecycle.stopSignal: Unsupported value: "SIGUSR1": supported values: "SIGKILL", "SIGTERM"']),
        ({f"{A}.lifecycle": {"stopSignal": "SIGRTMIN+3"}, "spec.os": {"name": "linux"}}, []),
        # restart rules
        ({f"{A}.restartPolicyRules": [{"exitCodes": {"values": list(range(256))}}]}, [
            f"{C}.restartPolicy: Required value: must specify restartPolicy when restart rules are used",
            f'{C}.restartPolicyRules[0].action: Unsupported value: "": supported values: "Restart", "RestartAllContainers"',
            f'{C}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"',
            f"{C}.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"]),
        ({INIT: init(restartPolicyRules=[{}])},
         [f"{FIRST}.restartPolicy: Required value: must specify restartPolicy when restart rules are used"]),
        # init containers
        ({INIT: init(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}])}, [
            f"{FIRST}.resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for "
            "non-sidecar "
            "initContainers"]),
        ({INIT: init(lifecycle={}, livenessProbe={"exec": {"command": ["x"]}})}, [
            f"{FIRST}.lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always",
            f"{FIRST}.livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]),
        ({INIT: [*init(ports=[{"containerPort": 1, "hostPort": 9}]), {"name": "a", "image": "i", "ports": [
            {"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]}]}, [
            'spec.initContainers[1].name: Duplicate value: "a"', f'{FIRST}.ports[1].hostPort: Duplicate value: "TCP//9"']),
        # security
        ({f"{A}.securityContext": {"allowPrivilegeEscalation": False, "privileged": True, "procMount": "Unmasked", "runAsUser": -1}}, [
            f"{C}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive",
            f'{C}.securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
            f'{C}.securityContext: Invalid value: {{"allowPrivilegeEscalation":false,"privileged":true,"procMount":"Unmasked",'
            '"runAsUser":-1}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true']),
        ({f"{A}.securityContext": {"seccompProfile": {"type": "X", "localhostProfile": "y"}}}, [
            f'{C}.securityContext.seccompProfile.type: Unsupported value: "X": supported values: "Localhost", "RuntimeDefault", '
            '"Unconfined"',
            f'{C}.securityContext.seccompProfile.localhostProfile: Invalid value: {{"Type":"X","LocalhostProfile":"y"}}: can only be '
            'set when '
            "seccomp type is Localhost"]),
    ],
)  # fmt: skip
def test_new_pods(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, changed(POD, changes))) == expected

    run(scenario)


def test_a_template_may_do_what_a_pod_may_not(run: Run) -> None:
    labels = {"app": "x"}
    container = {"name": "a", "image": " i", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"hostNetwork": True, "containers": [container]}}
    body = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}

    async def scenario(api: Api) -> None:
        assert causes(await api("POST", DEPLOYMENTS, body)) == []
        other = changed(body, {"metadata.name": "e", "spec.template.spec.containers.0.ports.0.hostPort": 81})
        assert causes(await api("POST", DEPLOYMENTS, other)) == [
            "spec.template.spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"
        ]

    run(scenario)


def test_an_ephemeral_container_has_no_resources_of_its_own(run: Run) -> None:
    extra = {"name": "a", "image": " i", "targetContainerName": "z", "resources": {"requests": {"cpu": "1"}},
             "ports": [{"containerPort": 1}],
             "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "x"}]}  # fmt: skip
    own = "spec.ephemeralContainers[0]"

    async def scenario(api: Api) -> None:
        await api("POST", PODS, POD)
        refused = await api.patch("merge", f"{PODS}/p/ephemeralcontainers", {"spec": {"ephemeralContainers": [extra]}})
        assert causes(refused) == [
            f'{own}.image: Invalid value: " i": must not have leading or trailing whitespace',
            f'{own}.name: Duplicate value: "a"',
            f'{own}.targetContainerName: Not found: "z"',
            f"{own}.ports: Forbidden: cannot be set for an Ephemeral Container",
            f"{own}.resources: Forbidden: cannot be set for an Ephemeral Container",
            f"{own}.volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container",
        ]

    run(scenario)
