"""Fields that are not implemented are named, never left out."""

from typing import Any

import pytest

from proa.kubelet.cri.runtime import RuntimeHandler
from proa.kubelet.unsupported import rejection, unsupported_fields
from tests.unit.kubelet.objects import container, pod


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(), []),
        (pod(hostUsers=False, resourceClaims=[{"name": "x"}]), ["spec.hostUsers", "spec.resourceClaims"]),
        (pod(hostUsers=True), []),
        (pod(**volume(emptyDir={}), securityContext={"fsGroup": 1}), []),
        (pod(**volume(persistentVolumeClaim={"claimName": "c"})), ["spec.volumes[0].persistentVolumeClaim"]),
        (pod(**volume(emptyDir={"medium": "HugePages"})), ["spec.volumes[0].emptyDir.medium"]),
        (pod(**volume(projected={"sources": [{"secret": {}}, {"clusterTrustBundle": {}}, {"podCertificate": {}}, {"later": {}}]})),
         ["spec.volumes[0].projected.sources[3].later"]),
        (pod(container(volumeDevices=[{}], lifecycle={"stopSignal": "SIGUSR1"})),
         ["spec.containers[0].volumeDevices", "spec.containers[0].lifecycle.stopSignal"]),
        (pod(init=(container("i", resources={"claims": [{"name": "x"}]}),)), ["spec.initContainers[0].resources.claims"]),
        (pod(container(volumeMounts=[{"name": "v", "recursiveReadOnly": "Enabled"}])),
         ["spec.containers[0].volumeMounts[0].recursiveReadOnly"]),
        (pod(securityContext={"supplementalGroupsPolicy": "Strict"}), ["spec.securityContext.supplementalGroupsPolicy"]),
        (pod(os={"name": "windows"}), ["spec.os.name"]),
    ],
)  # fmt: skip
def test_unsupported_fields(given: dict[str, Any], expected: list[str]) -> None:
    assert unsupported_fields(given, RuntimeHandler("")) == expected


def test_the_rejection_names_the_fields() -> None:
    reason = ("UnsupportedField", "Pod was rejected: field not supported by this node agent: spec.hostUsers")
    assert rejection(pod(hostUsers=False), RuntimeHandler("")) == reason
    assert rejection(pod(), RuntimeHandler("")) is None
