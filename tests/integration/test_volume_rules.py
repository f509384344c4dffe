"""Volumes of pods, PersistentVolumes and their claims through the front door: what upstream refuses, word by word."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes, changed

PODS = "/api/v1/namespaces/default/pods"
VOLUMES, CLAIMS = "/api/v1/persistentvolumes", "/api/v1/namespaces/default/persistentvolumeclaims"
Object = dict[str, Any]
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
V = "spec.volumes[0]"
P = f"{V}.projected"
ONE_MORE = "Forbidden: may not specify more than 1 volume type"
LONG = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
IQN = "iqn.2001-04.com.example:storage"
CLAIM: Object = {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
VOLUME: Object = {"metadata": {"name": "v"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}}
HOST_PATHS = '"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
KEY_TYPES = '"RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"'
SIGNER = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


def files(*sources: Object) -> Object:
    return {"projected": {"sources": list(sources)}}


def items(*paths: str) -> list[Object]:
    return [{"key": "k", "path": path} for path in paths]


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"nfs": {"path": "x"}, "hostPath": {"path": "/x"}, "csi": {}}, [f"{V}.nfs: {ONE_MORE}", f"{V}.csi: {ONE_MORE}"]),
        ({"emptyDir": {}, "cephfs": {}, "downwardAPI": {}}, [f"{V}.cephFS: {ONE_MORE}", f"{V}.downwarAPI: {ONE_MORE}"]),
        ({"hostPath": {"path": "/x", "type": "X"}}, [f'{V}.hostPath.type: Unsupported value: "X": supported values: {HOST_PATHS}']),
        ({"gitRepo": {"directory": "/x"}},
         [f"{V}.gitRepo.repository: Required value", f'{V}.gitRepo.directory: Invalid value: "/x": must be a relative path']),
        ({"gcePersistentDisk": {"partition": 256}}, [
            f"{V}.persistentDisk.pdName: Required value",
            f"{V}.persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive"]),
        ({"nfs": {}}, [f"{V}.nfs.server: Required value", f"{V}.nfs.path: Required value",
                       f'{V}.nfs.path: Invalid value: "": must be an absolute path']),
        ({"iscsi": {"targetPortal": "x" * 63, "iqn": "x", "lun": 256, "chapAuthSession": True, "initiatorName": "iqn.x"}}, [
            f'{V}.iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
            f"{V}.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive", f"{V}.iscsi.secretRef: Required value",
            f'{V}.iscsi.initiatorname: Invalid value: "iqn.x": must be valid format', f'{V}.name: Invalid value: "v": {LONG}']),
        ({"flocker": {"datasetName": "a/b", "datasetUUID": "c"}}, [
            f'{V}.flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously',
            f"{V}.flocker.datasetName: Invalid value: \"a/b\": must not contain '/'"]),
        ({"quobyte": {"registry": "a,b:1"}}, [
            f'{V}.quobyte.registry: Invalid value: "a,b:1": must be a host:port pair or multiple pairs separated by commas',
            f"{V}.quobyte.volume: Required value"]),
        ({"fc": {"targetWWNs": ["a"], "wwids": ["b"]}}, [
            f'{V}.fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
            f"{V}.fc.lun: Required value: lun is required if targetWWNs is specified"]),
        ({"flexVolume": {"driver": "d", "options": {"a.k8s.io/x": "y"}}}, [
            f'{V}.flexVolume.options[a.k8s.io/x]: Invalid value: "a.k8s.io/x": kubernetes.io and k8s.io namespaces are reserved']),
        ({"azureDisk": {"diskName": "d", "diskURI": "x", "kind": "Managed", "cachingMode": "X"}}, [
            f'{V}.azureDisk.cachingMode: Unsupported value: "X": supported values: "None", "ReadOnly", "ReadWrite"',
            f'{V}.azureDisk.diskURI: Unsupported value: "x": supported values: "/subscriptions/{{sub-id}}/resourcegroups/{{group-name}}/'
            'providers/microsoft.compute/disks/{disk-id}"']),
        ({"cinder": {"volumeID": "x", "secretRef": {}}}, [f"{V}.cinder.secretRef.name: Required value"]),
        ({"csi": {}}, [f"{V}.csi.driver: Required value"]),
        ({"image": {"pullPolicy": "X"}}, [
            f"{V}.image.reference: Required value",
            f'{V}.image.pullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"']),
        ({"configMap": {"items": [{"path": "..x"}]}}, [
            f"{V}.configMap.name: Required value", f"{V}.configMap.items[0].key: Required value",
            f"{V}.configMap.items[0].path: Invalid value: \"..x\": must not start with '..'"]),
        ({"downwardAPI": {"items": [{"path": "a"}, {"path": "b", "resourceFieldRef": {"resource": "limits.cpu"}}]}}, [
            f"{V}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
            f"{V}.downwardAPI.resourceFieldRef.containerName: Required value"]),
        # projected
        (files({"secret": {"name": "s", "items": items("a")}, "configMap": {}}, {}), [
            f"{P}.sources[0].configMap.name: Required value",
            f"{P}.sources[0]: Forbidden: may not specify more than 1 volume type per source"]),
        (files({"secret": {"name": "s", "items": items("a", "b")}}, {"configMap": {"name": "c", "items": items("b")}},
               {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}]}}), [
            f'{P}: Invalid value: "c": conflicting duplicate paths', f'{P}: Invalid value: "a": conflicting duplicate paths']),
        (files({"serviceAccountToken": {"path": "/x", "expirationSeconds": 599}}), [
            f"{P}.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
            f'{P}.path: Invalid value: "/x": must be a relative path']),
        (files({"clusterTrustBundle": {"path": "a", "name": "ex.com:x:A"}}), [
            f"{P}.sources[0].clusterTrustBundle.name: Invalid value: \"ex.com:x:A\": not a valid clustertrustbundlename: a lowercase RFC "
            "1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
            "character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
        (files({"clusterTrustBundle": {}}), [
            f"{P}.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified",
            f"{P}.sources[0].clusterTrustBundle.path: Required value"]),
        (files({"clusterTrustBundle": {"path": "a", "signerName": "x"}}), [
            f'{P}.sources[0].clusterTrustBundle.signerName: Invalid value: "x": {SIGNER}']),
        (files({"podCertificate": {"signerName": "ex.com/a", "keyType": "X", "maxExpirationSeconds": 1, "userAnnotations": {"a": "b"}}}), [
            f'{P}.sources[0].podCertificate.userAnnotations: Invalid value: "a": must be a domain-prefixed key (such as "acme.io/foo")',
            f'{P}.sources[0].podCertificate.keyType: Unsupported value: "X": supported values: {KEY_TYPES}',
            f"{P}.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 1: if provided, maxExpirationSeconds must be >= 3600",
            f"{P}.sources[0].podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and "
            "certificateChainPath"]),
        (files({"podCertificate": {"signerName": "kubernetes.io/a", "keyType": "ED25519", "keyPath": "k", "certificateChainPath": "k",
                                   "maxExpirationSeconds": 86401}}), [
            f"{P}.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 86401: if provided, maxExpirationSeconds must be <= 86400",
            f'{P}: Invalid value: "k": conflicting duplicate paths']),
        # ephemeral
        ({"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "x"}, "spec": {}}}}, [
            f"{V}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
            f"{V}.ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
            f"{V}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"]),
    ],
)  # fmt: skip
def test_volumes_of_pods(run: Run, volume: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, changed(POD, {"spec.volumes": [{"name": "v", **volume}]}))) == expected

    run(scenario)


def test_only_volumes_that_are_right_can_be_mounted(run: Run) -> None:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("v", "w")]
    body = changed(POD, {"spec.volumes": [{"name": "v", "nfs": {"server": "s"}}, {"name": "w"}, {"name": "w"}]})
    body["spec"]["containers"][0]["volumeMounts"] = mounts

    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, body)) == [
            f"{V}.nfs.path: Required value",
            f'{V}.nfs.path: Invalid value: "": must be an absolute path',
            'spec.volumes[2].name: Duplicate value: "w"',
            'spec.containers[0].volumeMounts[0].name: Not found: "v"',
        ]

    run(scenario)


def test_a_claim_of_an_ephemeral_volume_is_its_own(run: Run) -> None:
    own = {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM["spec"]}}}
    other = {"name": "w", "persistentVolumeClaim": {"claimName": "p-v"}}

    async def scenario(api: Api) -> None:
        assert causes(await api("POST", PODS, changed(POD, {"spec.volumes": [own, other]}))) == [
            'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "p-v": must not reference a PVC that gets created for an '
            "ephemeral volume"
        ]

    run(scenario)


def test_what_an_image_volume_is_pulled_by(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", PODS, changed(POD, {"spec.volumes": [{"name": "v", "image": {"reference": "a:1"}}]}))
        assert made.body["spec"]["volumes"][0]["image"]["pullPolicy"] == "IfNotPresent"

    run(scenario)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, ["spec: Required value: must specify a volume type"]),
        ({"hostPath": {"path": "/x"}, "flexVolume": {}, "csi": {}},
         ["spec.flexVolume.driver: Required value", "spec.csi: Forbidden: may not specify more than 1 volume type"]),
        ({"glusterfs": {"endpoints": "e", "path": "p", "endpointsNamespace": ""}}, [
            'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name']),
        ({"azureFile": {"secretName": "s", "shareName": "x", "secretNamespace": ""}}, ["spec.azureFile.secretNamespace: Required value"]),
        ({"iscsi": {"targetPortal": "x" * 63, "iqn": "x", "initiatorName": "x", "secretRef": {}}}, [
            f'spec.iscsi.targetportal: Invalid value: "{"x" * 63}": {LONG}', 'spec.iscsi.iqn: Invalid value: "x": must be valid format',
            "spec.iscsi.secretRef.name: Required value", 'spec.iscsi.initiatorname: Invalid value: "x": must be valid format']),
        ({"iscsi": {"targetPortal": "a", "iqn": IQN}}, []),
        ({"cinder": {"volumeID": "x", "secretRef": {}}},
         ["spec.cinder.secretRef.name: Required value", "spec.cinder.secretRef.namespace: Required value"]),
        ({"csi": {"driver": "d", "nodePublishSecretRef": {}}}, [
            "spec.csi.volumeHandle: Required value", "spec.csi.nodePublishSecretRef.name: Required value",
            "spec.csi.nodePublishSecretRef.namespace: Required value"]),
        ({"hostPath": {"path": "/x"}, "capacity": {"storage": "-1"}}, [
            "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
            'spec.capacity[storage]: Invalid value: "-1": must be greater than zero']),
    ],
)  # fmt: skip
def test_new_persistent_volumes(run: Run, source: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", VOLUMES, changed(VOLUME, {f"spec.{key}": value for key, value in source.items()}))) == expected

    run(scenario)


def test_the_nodes_of_a_volume_may_be_renamed_only(run: Run) -> None:
    def on(key: str) -> Object:
        return {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "In", "values": ["a"]}]}]}}

    body = changed(VOLUME, {"spec.local": {"path": "/x"}, "spec.nodeAffinity": on("failure-domain.beta.kubernetes.io/zone")})

    async def scenario(api: Api) -> None:
        made = await api("POST", VOLUMES, body)
        assert len(made.warnings) == 1
        assert "matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17" in made.warnings[0]
        refused = await api.patch("merge", f"{VOLUMES}/v", {"spec": {"nodeAffinity": on("other")}})
        assert causes(refused)[0].endswith(": field is immutable, except for updating from beta label to GA")
        assert causes(await api.patch("merge", f"{VOLUMES}/v", {"spec": {"nodeAffinity": on("topology.kubernetes.io/zone")}})) == []

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spec.selector": {"matchLabels": {"a b": "x"}}, "spec.accessModes": ["X"]}, [
            'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", '
            '"ReadWriteOncePod"']),
        ({"spec.resources.requests.storage": "1m"}, []),
        ({"spec.dataSourceRef": {"kind": "X", "name": "a"}},
         [f"spec.{field}: Invalid value: \"X\": must be 'PersistentVolumeClaim' when referencing the default apiGroup"
          for field in ("dataSource", "dataSourceRef")]),
        ({"spec.dataSource": {"kind": "X", "name": "a", "apiGroup": "ex.com"}}, []),
    ],
)  # fmt: skip
def test_new_claims(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert [cause for cause in causes(await api("POST", CLAIMS, changed(CLAIM, changes))) if "matchLabels" not in cause] == expected

    run(scenario)


def test_where_the_data_of_a_claim_may_come_from(run: Run) -> None:
    unknown = {"kind": "X", "name": "a", "apiGroup": "ex.com"}

    async def scenario(api: Api) -> None:
        made = await api("POST", CLAIMS, changed(CLAIM, {"spec.dataSource": unknown}))
        assert not {"dataSource", "dataSourceRef"} & made.body["spec"].keys()
        other = changed(CLAIM, {"metadata.name": "d", "spec.dataSourceRef": unknown | {"namespace": "other"}})
        assert "dataSourceRef" not in (await api("POST", CLAIMS, other)).body["spec"]
        other = changed(CLAIM, {"metadata.name": "e", "spec.dataSourceRef": unknown})
        assert (await api("POST", CLAIMS, other)).body["spec"]["dataSource"] == unknown

    run(scenario)


@pytest.mark.parametrize(
    ("former", "status", "changes", "expected"),
    [
        ({"volumeAttributesClassName": "gold"}, {"phase": "Bound", "currentVolumeAttributesClassName": "gold"},
         {"spec": {"volumeAttributesClassName": None}},
         ["spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil"]),
        ({"volumeAttributesClassName": "gold"}, {"phase": "Bound", "currentVolumeAttributesClassName": "gold"},
         {"spec": {"volumeAttributesClassName": ""}},
         ["spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is "
          "not nil"]),
        ({"volumeAttributesClassName": "gold"}, {"phase": "Bound"}, {"spec": {"volumeAttributesClassName": "silver"}}, []),
        ({"volumeAttributesClassName": "gold"}, {}, {"spec": {"volumeAttributesClassName": "silver"}}, [
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
            '  spec.volumeAttributesClassName:\n- \t"gold"\n+ \t"silver"']),
        ({}, {}, {"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "x"}}},
         ['metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "x": field is immutable']),
        ({}, {"phase": "Bound", "capacity": {"storage": "1Gi"}}, {"spec": {"resources": {"requests": {"storage": "512Mi"}}}},
         ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]),
    ],
)  # fmt: skip
def test_what_changes_of_a_claim(run: Run, former: Object, status: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", CLAIMS, changed(CLAIM, {f"spec.{key}": value for key, value in former.items()}))
        assert causes(await api.patch("merge", f"{CLAIMS}/c/status", {"status": status})) == []
        assert causes(await api.patch("merge", f"{CLAIMS}/c", changes)) == expected

    run(scenario)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"capacity": {"storage": "-1"}}, ["status.capacity[storage]: Invalid value: -1: must be a valid resource quantity"]),
        ({"allocatedResourceStatuses": {"storage": "Resizing"}}, [
            'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", '
            '"ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"']),
        ({"allocatedResourceStatuses": {"storage": "NodeResizeInfeasible"}}, []),
        ({"allocatedResources": {"a.kubernetes.io/x": "1"}},
         ['status.allocatedResources: Unsupported value: "a.kubernetes.io/x": supported values: "storage"']),
    ],
)  # fmt: skip
def test_the_status_of_a_claim(run: Run, status: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", CLAIMS, CLAIM)
        assert causes(await api.patch("merge", f"{CLAIMS}/c/status", {"status": status})) == expected

    run(scenario)
