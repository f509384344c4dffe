"""Pods as wholes through the front door: where they may run, their names, their host's namespaces, their resolver."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import LABEL_VALUE, SUBDOMAIN, causes, changed

PODS = "/api/v1/namespaces/default/pods"
Object = dict[str, Any]
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
NODES = f"spec.affinity.nodeAffinity.{REQUIRED}"
WINDOWS = "Forbidden: cannot be set for a windows pod"
SEARCH = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"
)


def on(key: str, operator: str, *values: str) -> Object:
    return {"key": key, "operator": operator, "values": list(values)}


def spread(**fields: Any) -> Object:
    return {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}, **fields}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # tolerations
        ({"spec.tolerations": [{"key": "a", "operator": "Exists", "value": "x", "effect": "Y"}, {"key": "a", "value": "b c"}]}, [
            "spec.tolerations[0].operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists'",
            'spec.tolerations[0].effect: Unsupported value: "Y": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
            f'spec.tolerations[1].operator: Invalid value: "b c": {LABEL_VALUE}']),
        ({"spec.tolerations": [{"key": "a", "operator": "Lt", "value": "01"}, {"key": "a", "operator": "Gt", "value": "9" * 20}]}, [
            'spec.tolerations[0].value: Invalid value: "01": must be a valid decimal integer in canonical form',
            f'spec.tolerations[1].value: Invalid value: "{"9" * 20}": strconv.ParseInt: parsing "{"9" * 20}": value out of range']),
        ({"spec.tolerations": [{"key": "a", "operator": "X"}]},
         ['spec.tolerations[0].operator: Unsupported value: "X": supported values: "Equal", "Exists"']),
        # topology spread
        ({"spec.topologySpreadConstraints": [spread(), spread(topologyKey=""), spread(whenUnsatisfiable="X", minDomains=0), spread()]}, [
            'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
            "spec.topologySpreadConstraints[1].topologyKey: Required value: can not be empty",
            'spec.topologySpreadConstraints[2].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", '
            '"ScheduleAnyway"',
            "spec.topologySpreadConstraints[2].minDomains: Invalid value: 0: must be greater than zero",
            "spec.topologySpreadConstraints[2].minDomains: Invalid value: 0: can only use minDomains if "
            "whenUnsatisfiable=DoNotSchedule, not "
            "X"]),
        ({"spec.topologySpreadConstraints": [spread(nodeTaintsPolicy="X")]}, [
            'spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"']),
        # affinity
        ({NODES: {"nodeSelectorTerms": [{"matchExpressions": [on("a", "In", "b c")], "matchFields": [on("metadata.name", "In", "A")]}]}}, [
            f'{NODES}.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: "b c": {LABEL_VALUE}',
            f'{NODES}.nodeSelectorTerms[0].matchFields[0].values[0]: Invalid value: "A": {SUBDOMAIN}']),
        ({f"spec.affinity.nodeAffinity.{PREFERRED}": [{"weight": 101, "preference": {"matchExpressions": [on("a", "In", "b c")]}}]},
         [f"spec.affinity.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 101: must be in the range 1-100"]),
        ({f"spec.affinity.podAffinity.{REQUIRED}": [{"topologyKey": "z", "matchLabelKeys": ["a"], "mismatchLabelKeys": ["a"]}]}, [
            f"spec.affinity.podAffinity.{REQUIRED}[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            f"spec.affinity.podAffinity.{REQUIRED}[0].mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            f'spec.affinity.podAffinity.{REQUIRED}[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and '
            "mismatchLabelKeys"]),
        # the resolver
        ({"spec.dnsPolicy": "X"}, [
            'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']),
        ({"spec.dnsPolicy": "None", "spec.dnsConfig": {"searches": ["A"]}},
         ["spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"]),
        ({"spec.dnsConfig": {"nameservers": ["010.0.0.1"], "searches": ["_a.b.", "A.", "."], "options": [{}]}}, [
            'spec.dnsConfig.nameservers[0]: Invalid value: "010.0.0.1": must not have leading 0s',
            f'spec.dnsConfig.searches[1]: Invalid value: "A": {SEARCH}', "spec.dnsConfig.options[0]: Required value: must not be empty"]),
        ({"spec.hostAliases": [{"ip": "::ffff:1.2.3.4", "hostnames": ["A"]}]}, [
            'spec.hostAliases[0].ip: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
            f'spec.hostAliases[0].hostnames[0]: Invalid value: "A": {SUBDOMAIN}']),
        # the host's namespaces
        ({"spec.hostUsers": False, "spec.hostPID": True, "spec.volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
          "spec.containers.0.volumeDevices": [{"name": "v", "devicePath": "/v"}]}, [
            "spec.HostPID: Forbidden: when `hostUsers` is false",
            "spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false"]),
        ({"spec.hostPID": True, "spec.shareProcessNamespace": True}, [
            "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"]),
        ({"spec.hostNetwork": True, "spec.hostIPC": True, "spec.securityContext": {"sysctls": [
            {"name": "net/ipv4.x", "value": "1"}, {"name": "kernel.shmmax", "value": "1"}, {"name": "kernel.msgmax"}, {"name": "vm.x"}]}}, [
            "spec.securityContext.sysctls[0].name: Invalid value: \"net/ipv4.x\": may not be specified when 'hostNetwork' is true",
            "spec.securityContext.sysctls[1].name: Invalid value: \"kernel.shmmax\": may not be specified when 'hostIPC' is true",
            "spec.securityContext.sysctls[2].name: Invalid value: \"kernel.msgmax\": may not be specified when 'hostIPC' is true"]),
        ({"spec.securityContext": {"fsGroupChangePolicy": "X", "supplementalGroupsPolicy": "Y", "seLinuxChangePolicy": "Z"}}, [
            'spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"',
            'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Y": supported values: "Merge", "Strict"',
            'spec.securityContext.seLinuxChangePolicy: Unsupported value: "Z": supported values: "MountOption", "Recursive"']),
        ({"spec.hostnameOverride": "A", "spec.setHostnameAsFQDN": True, "spec.hostNetwork": True}, [
            "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
            "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
            f'spec.hostnameOverride: Invalid value: "A": {SUBDOMAIN}']),
        ({"spec.hostname": "a.b", "spec.subdomain": "c.d", "spec.activeDeadlineSeconds": 0}, [
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
            'spec.hostname: Invalid value: "a.b": must not contain dots', 'spec.subdomain: Invalid value: "c.d": must not contain dots']),
        # systems and the rest
        ({"spec.os": {}}, ["spec.os.name: Required value"]),
        ({"spec.os": {"name": "windows"}, "spec.hostPID": True, "spec.shareProcessNamespace": False,
          "spec.securityContext": {"runAsUser": 1, "seLinuxOptions": {}, "seLinuxChangePolicy": "Recursive"}}, [
            f"spec.securityContext.seLinuxOptions: {WINDOWS}", f"spec.hostPID: {WINDOWS}", f"spec.shareProcessNamespace: {WINDOWS}",
            f"spec.securityContext.runAsUser: {WINDOWS}", f"spec.securityContext.seLinuxChangePolicy: {WINDOWS}"]),
        ({"spec.schedulingGroup": {}},
         ["spec.schedulingGroup.podGroupName: Invalid value: null: must specify one of: `podGroupName`"]),
        ({"spec.resources": {"claims": [{"name": "c"}]}}, ["spec.resources.claims: Forbidden: claims may not be set for Resources at "
            "pod-level"]),
    ],
)  # fmt: skip
def test_new_pods(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, changed(POD, changes))) == expected

    run(scenario)
