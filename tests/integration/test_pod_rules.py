"""Pods through the front door: what is refused when they come, when they change, and when their status is told. (KEP-2837, KEP-1981)"""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes, changed

PODS = "/api/v1/namespaces/default/pods"
STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"
Object = dict[str, Any]
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}}
WINDOWS = changed(POD, {"spec.os": {"name": "windows"}})
A, B, OPTIONS = "spec.containers.0", "spec.containers.1", "securityContext.windowsOptions"
ACCOUNT = f"spec.{OPTIONS}.runAsUserName: Invalid value: "
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/a"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
COST = "controller.kubernetes.io/pod-deletion-cost"
SUM = "must be greater than or equal to aggregate container requests of"
TERM = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution"
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def asks(**amounts: str) -> Object:
    return {"requests": amounts}


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        # spec.resources against the containers
        (POD, {f"{A}.resources": asks(cpu="1"), f"{B}.resources": asks(cpu="500m"), "spec.resources": asks(cpu="1500m")}, []),
        (POD, {f"{A}.resources": asks(cpu="1"), f"{B}.resources": asks(cpu="501m"), "spec.resources": asks(cpu="1500m")}, [
            f'spec.resources.requests[cpu]: Invalid value: "1500m": {SUM} 1501m']),
        (POD, {"spec.initContainers": [{"name": "i", "image": "i", "resources": asks(memory="2Gi")}],
               "spec.resources": asks(memory="1Gi")}, [
            f'spec.resources.requests[memory]: Invalid value: "1Gi": {SUM} 2Gi']),
        (POD, {f"{B}.resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}, "spec.resources": {"limits": {"cpu": "1"}}}, [
            'spec.resources.containers[1][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1']),
        (POD, {"spec.resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}, [
            'spec.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
        (POD, {"spec.resources": asks(**{"ephemeral-storage": "1"})}, [
            'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", '
            '"memory"']),
        (WINDOWS, {"spec.resources": asks(cpu="1")}, ["spec.resources: Forbidden: may not be set for a windows pod"]),
        # Windows
        (WINDOWS, {f"spec.{OPTIONS}": {"hostProcess": True}, "spec.hostNetwork": True}, []),
        (WINDOWS, {f"spec.{OPTIONS}": {"hostProcess": True}}, [
            "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"]),
        (WINDOWS, {f"{A}.{OPTIONS}": {"hostProcess": True}, "spec.hostNetwork": True}, [
            'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers']),
        (WINDOWS, {f"spec.{OPTIONS}": {"hostProcess": True}, f"{A}.{OPTIONS}": {"hostProcess": False}, "spec.hostNetwork": True}, [
            "spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical "
            "if both are specified, was true",
            'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers']),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": "CORP\\me"}, []),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": ""}, [f'{ACCOUNT}"": runAsUserName cannot be an empty string']),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": "a\\b\\c"},
         [f'{ACCOUNT}"a\\\\b\\\\c": runAsUserName cannot contain more than one backslash']),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": "a\tb"}, [f'{ACCOUNT}"a\\tb": runAsUserName cannot contain control characters']),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": ".a\\..."}, [
            f"{ACCOUNT}\".a\\\\...\": runAsUserName's Domain doesn't match the NetBios nor the DNS format",
            f"{ACCOUNT}\".a\\\\...\": runAsUserName's User cannot contain only periods or spaces"]),
        (WINDOWS, {f"spec.{OPTIONS}.runAsUserName": "a@b"}, [
            f'{ACCOUNT}"a@b": runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]']),
        (WINDOWS, {f"spec.{OPTIONS}.gmsaCredentialSpec": ""}, [
            f'spec.{OPTIONS}.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string']),
        (WINDOWS, {f"{A}.securityContext": {"privileged": True, "runAsUser": 0}, "spec.hostUsers": True}, [
            "spec.hostUsers: Forbidden: cannot be set for a windows pod",
            "spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod",
            "spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod"]),
        (POD, {"spec.os": {"name": "linux"}, f"{A}.{OPTIONS}": {"runAsUserName": "a"}}, [
            "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"]),
        # profiles, as fields and as annotations
        (POD, {"spec.securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "../x"}}}, [
            'spec.securityContext.seccompProfile.localhostProfile: Invalid value: "../x": must not contain \'..\'']),
        (POD, {"spec.securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "/x"}}}, [
            'spec.securityContext.seccompProfile.localhostProfile: Invalid value: "/x": must be a relative path']),
        (POD, {"spec.securityContext": {"appArmorProfile": {}}}, [
            "spec.securityContext.appArmorProfile.type: Required value: type is required when appArmorProfile is set"]),
        (POD, {"spec.securityContext": {"appArmorProfile": {"type": "Localhost", "localhostProfile": " x"}}}, [
            'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace']),
        (POD, {"spec.securityContext": {"appArmorProfile": {"type": "Localhost", "localhostProfile": ""}}}, [
            "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"]),
        (POD, {"metadata.annotations": {SECCOMP: "strict"}}, [
            f'metadata.annotations.{SECCOMP}: Invalid value: "strict": must be a valid seccomp profile']),
        (POD, {"metadata.annotations": {SECCOMP: "localhost/a/b", f"{APP_ARMOR}a": "localhost/x"}}, []),
        (POD, {"metadata.annotations": {f"{APP_ARMOR}z": "runtime/default"}}, [
            f'metadata.annotations[{APP_ARMOR}z]: Invalid value: "z": container not found']),
        (POD, {"metadata.annotations": {f"{APP_ARMOR}a": "x"}}, [
            f'metadata.annotations[{APP_ARMOR}a]: Invalid value: "x": invalid AppArmor profile name: "x"']),
        (POD, {"metadata.annotations": {f"{APP_ARMOR}a": "unconfined"}, f"{A}.securityContext": {
            "appArmorProfile": {"type": "RuntimeDefault"}}}, [
            "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match"]),
        (POD, {"metadata.annotations": {"kubernetes.io/config.mirror": "x"}}, [
            'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is '
            "set"]),
        (POD, {"metadata.annotations": {COST: "007"}}, [f'metadata.annotations[{COST}]: Invalid value: "007": must be a 32bit integer']),
        (POD, {"metadata.annotations": {COST: "-5"}}, []),
        # label keys of selectors
        (POD, {"spec.topologySpreadConstraints": [SPREAD | {"matchLabelKeys": ["app"]}]}, [
            "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"]),
        (POD, {"metadata.labels": {"app": "x"}, "spec.topologySpreadConstraints": [
            SPREAD | {"matchLabelKeys": ["app"], "labelSelector": {"matchLabels": {"app": "x"}}}]}, [
            'spec.topologySpreadConstraints[0][0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector']),
        (POD, {"metadata.labels": {"app": "x"}, TERM: [
            {"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["app"], "namespaces": ["A"]}]}, [
            f'{TERM}[0].namespace: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters '
            "or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"]),
    ],
)  # fmt: skip
def test_new_pods(run: Run, base: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, changed(base, changes))) == expected

    run(scenario)


def test_what_a_pod_asks_for_as_a_whole_comes_from_its_containers(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = changed(POD, {f"{A}.resources": asks(cpu="1"), "spec.resources": {"limits": {"cpu": "3", "memory": "1Gi"}}})
        made = (await api("POST", PODS, body)).body
        assert made["spec"]["resources"] == {"limits": {"cpu": "3", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}
        assert made["status"]["qosClass"] == "Burstable"

    run(scenario)


@pytest.mark.parametrize(
    ("former", "annotations", "expected"),
    [
        ({}, {f"{APP_ARMOR}a": "unconfined"}, [f"metadata.annotations[{APP_ARMOR}a]: Forbidden: may not add AppArmor annotations"]),
        ({f"{APP_ARMOR}a": "unconfined"}, {f"{APP_ARMOR}a": None},
         [f"metadata.annotations[{APP_ARMOR}a]: Forbidden: may not remove or update AppArmor annotations"]),
        ({}, {COST: "x"}, [f'metadata.annotations[{COST}]: Invalid value: "x": must be a 32bit integer']),
        ({}, {"other": "x"}, []),
    ],
)  # fmt: skip
def test_annotations_that_never_change(run: Run, former: Object, annotations: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, changed(POD, {"metadata.annotations": former}))
        assert causes(await api.patch("merge", f"{PODS}/p", {"metadata": {"annotations": annotations}})) == expected

    run(scenario)


ENDED = {"terminated": {"exitCode": 0}}
FAILED = {"terminated": {"exitCode": 3}}
RUNNING: Object = {"running": {}}
AGAIN = "Forbidden: may not be transitioned to non-terminated state"


@pytest.mark.parametrize(
    ("spec", "field", "name", "state", "expected"),
    [
        ({"restartPolicy": "Always"}, "initContainerStatuses", "first", ENDED, []),
        ({"restartPolicy": "Never"}, "containerStatuses", "a", ENDED, [f"status.containerStatuses[0].state: {AGAIN}"]),
        ({"restartPolicy": "Never"}, "initContainerStatuses", "first", ENDED, [f"status.initContainerStatuses[0].state: {AGAIN}"]),
        ({"restartPolicy": "Never"}, "initContainerStatuses", "first", FAILED, [f"status.initContainerStatuses[0].state: {AGAIN}"]),
        ({"restartPolicy": "OnFailure"}, "initContainerStatuses", "first", FAILED, []),
        ({"restartPolicy": "OnFailure"}, "initContainerStatuses", "first", ENDED, [f"status.initContainerStatuses[0].state: {AGAIN}"]),
        ({"restartPolicy": "Never"}, "initContainerStatuses", "sidecar", ENDED, []),
        ({"restartPolicy": "Never"}, "containerStatuses", "ruled", FAILED, []),
        ({"restartPolicy": "Never"}, "containerStatuses", "ruled", ENDED, [f"status.containerStatuses[0].state: {AGAIN}"]),
        ({"restartPolicy": "Always"}, "ephemeralContainerStatuses", "debug", FAILED,
         [f"status.ephemeralContainerStatuses[0].state: {AGAIN}"]),
    ],
)  # fmt: skip
def test_containers_that_ended_for_good(run: Run, spec: Object, field: str, name: str, state: Object, expected: list[str]) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [3]}}
    ruled = {"name": "ruled", "image": "i", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    init = [{"name": "first", "image": "i"}, {"name": "sidecar", "image": "i", "restartPolicy": "Always"}]
    body = changed(POD, {"spec": {**POD["spec"], **spec, "containers": [*POD["spec"]["containers"], ruled], "initContainers": init}})

    async def scenario(api: Api) -> None:
        made = await api("POST", PODS, body)
        assert made.status == 201, made.body
        status = {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0}
        told = await api.patch("merge", f"{PODS}/p/status", {"status": {field: [status | {"state": state}]}})
        assert told.status == 200, told.body
        again = await api.patch("merge", f"{PODS}/p/status", {"status": {field: [status | {"state": RUNNING}]}})
        assert causes(again) == expected

    run(scenario)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, []),
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]}, [
            'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family']),
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "x"}]}, [
            'status.podIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"x"}]: may specify no more than one IP for each IP family']),
        ({"nominatedNodeName": "A"}, [
            'status.nominatedNodeName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
            "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation "
            "is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
        ({"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "x"}]}, [
            'status.resourceClaimStatuses[0].name: Invalid value: "gpu": must match the name of an entry in `spec.resourceClaims`']),
        ({"qosClass": "Guaranteed"}, ['status.qosClass: Invalid value: "Guaranteed": field is immutable']),
    ],
)  # fmt: skip
def test_what_a_status_may_say(run: Run, status: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, POD)
        assert causes(await api.patch("merge", f"{PODS}/p/status", {"status": status})) == expected

    run(scenario)


CLAIM: Object = {"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
LABELS = {"app": "s"}
STATEFUL_SET: Object = {
    "metadata": {"name": "s"},
    "spec": {
        "serviceName": "s", "selector": {"matchLabels": LABELS}, "volumeClaimTemplates": [CLAIM],
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [
            {"name": "c", "image": "i", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}]}},
    },
}  # fmt: skip
TEMPLATE = "spec.volumeClaimTemplates.0.spec"
PLACE = "spec.volumeClaimTemplates[0].spec"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({f"{TEMPLATE}.accessModes": None}, [f"{PLACE}.accessModes: Required value: at least 1 access mode is required"]),
        ({f"{TEMPLATE}.accessModes": ["Any"]}, [
            f'{PLACE}.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", '
            '"ReadWriteOncePod"']),
        ({f"{TEMPLATE}.resources": {}}, [f"{PLACE}.resources[storage]: Required value"]),
        ({f"{TEMPLATE}.resources.requests.storage": "0"},
         [f'{PLACE}.resources[storage]: Invalid value: "0": must be greater than zero']),
        ({"spec.template.metadata.annotations": {f"{APP_ARMOR}z": "unconfined"}},
         [f'spec.template.annotations[{APP_ARMOR}z]: Invalid value: "z": container not found']),
        ({"spec.template.spec.resources": asks(cpu="1"), "spec.template.spec.containers.0.resources": asks(cpu="2")}, [
            f'spec.template.spec.resources.requests[cpu]: Invalid value: "1": {SUM} 2']),
    ],
)  # fmt: skip
def test_new_stateful_sets(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", STATEFUL_SETS, changed(STATEFUL_SET, changes))) == expected

    run(scenario)


def test_the_claims_of_a_stateful_set_never_change(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", STATEFUL_SETS, STATEFUL_SET)
        larger = changed(CLAIM, {"spec.resources.requests.storage": "2Gi"})
        refused = await api.patch("merge", f"{STATEFUL_SETS}/s", {"spec": {"volumeClaimTemplates": [larger]}})
        assert causes(refused) == [
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        ]

    run(scenario)
