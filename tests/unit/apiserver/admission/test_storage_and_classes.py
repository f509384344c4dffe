"""Default classes, finalizers of volumes, growing claims, runtime classes, topology labels."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.admission.default_ingress_class import DefaultIngressClass
from proa.apiserver.admission.default_storage_class import DefaultStorageClass
from proa.apiserver.admission.persistent_volume_claim_resize import PersistentVolumeClaimResize
from proa.apiserver.admission.pod_topology_labels import PodTopologyLabels
from proa.apiserver.admission.runtime_class import RuntimeClass
from proa.apiserver.admission.storage_object_in_use_protection import StorageObjectInUseProtection
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
CLAIM = "persistentvolumeclaims"


def a_class(name: str, created: str, **annotations: str) -> Object:
    return {"metadata": {"name": name, "creationTimestamp": created, "annotations": annotations}}


DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({"metadata": {}}, "newer-a"),
        ({"metadata": {}, "spec": {"storageClassName": ""}}, ""),
        ({"metadata": {}, "spec": {"storageClassName": "mine"}}, "mine"),
        ({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "old"}}}, None),
    ],
)
def test_a_claim_without_class_gets_the_newest_default(attributes: Make, ask: Ask, claim: Object, expected: str | None) -> None:
    reader = FakeReader()
    for name, created, marks in (("older", "2026-01-01", DEFAULT), ("newer-b", "2026-02-01", DEFAULT), ("plain", "2026-03-01", {})):
        reader.put("storage.k8s.io", "storageclasses", a_class(name, created, **marks))
    reader.put("storage.k8s.io", "storageclasses", a_class("newer-a", "2026-02-01", **DEFAULT))
    assert ask(DefaultStorageClass(reader), attributes("CREATE", CLAIM, claim)) == ""
    assert claim.get("spec", {}).get("storageClassName") == expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({"metadata": {}}, "web"),
        ({"metadata": {}, "spec": {"ingressClassName": "x"}}, "x"),
        ({"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}}, None),
    ],
)
def test_an_ingress_without_class_gets_the_default(attributes: Make, ask: Ask, ingress: Object, expected: str | None) -> None:
    reader = FakeReader()
    marks = {"ingressclass.kubernetes.io/is-default-class": "true"}
    reader.put("networking.k8s.io", "ingressclasses", a_class("web", "2026-01-01", **marks))
    assert ask(DefaultIngressClass(reader), attributes("CREATE", "networking.k8s.io/ingresses", ingress)) == ""
    assert ingress["spec"].get("ingressClassName") == expected


@pytest.mark.parametrize(
    ("kind", "finalizers", "expected"),
    [
        (CLAIM, [], ["kubernetes.io/pvc-protection"]),
        (CLAIM, ["x", "kubernetes.io/pvc-protection"], ["x", "kubernetes.io/pvc-protection"]),
        ("persistentvolumes", ["x"], ["x", "kubernetes.io/pv-protection"]),
        ("storage.k8s.io/volumeattributesclasses", [], ["kubernetes.io/vac-protection"]),
    ],
)
def test_volumes_are_protected_from_the_start(attributes: Make, ask: Ask, kind: str, finalizers: list[str], expected: list[str]) -> None:
    obj = {"metadata": {"finalizers": finalizers}}
    assert ask(StorageObjectInUseProtection(), attributes("CREATE", kind, obj)) == ""
    assert obj == {"metadata": {"finalizers": expected}}


def sized(storage: str, storage_class: str = "grows", phase: str = "Bound") -> Object:
    spec = {"storageClassName": storage_class, "resources": {"requests": {"storage": storage}}}
    return {"metadata": {"name": "data"}, "spec": spec, "status": {"phase": phase}}


NOT_RESIZABLE = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (sized("1Gi"), sized("2Gi"), ""),
        (sized("2Gi"), sized("2Gi"), ""),
        (sized("1Gi", phase="Pending"), sized("2Gi"), "Only bound persistent volume claims can be expanded"),
        (sized("1Gi", "fixed"), sized("2Gi", "fixed"), NOT_RESIZABLE),
        (sized("1Gi", "gone"), sized("2Gi", "gone"), NOT_RESIZABLE),
        (sized("1Gi", ""), sized("2Gi", ""), NOT_RESIZABLE),
    ],
)
def test_claims_grow_where_their_class_says_so(attributes: Make, ask: Ask, old: Object, new: Object, expected: str) -> None:
    reader = FakeReader()
    reader.put("storage.k8s.io", "storageclasses", {"metadata": {"name": "grows"}, "allowVolumeExpansion": True})
    reader.put("storage.k8s.io", "storageclasses", {"metadata": {"name": "fixed"}})
    answer = ask(PersistentVolumeClaimResize(reader), attributes("UPDATE", CLAIM, new, old_object=old, name="data"))
    assert answer == (f'403 persistentvolumeclaims "data" is forbidden: {expected}' if expected else "")


KATA = {
    "metadata": {"name": "kata"},
    "overhead": {"podFixed": {"cpu": "250m"}},
    "scheduling": {"nodeSelector": {"runtime": "kata"}, "tolerations": [{"key": "kata", "operator": "Exists"}]},
}


@pytest.mark.parametrize(
    ("spec", "result", "expected"),
    [
        ({}, {}, ""),
        (
            {"runtimeClassName": "kata", "nodeSelector": {"a": "b"}, "tolerations": [{"key": "x"}]},
            {
                "runtimeClassName": "kata", "overhead": {"cpu": "250m"}, "nodeSelector": {"a": "b", "runtime": "kata"},
                "tolerations": [{"key": "x"}, {"key": "kata", "operator": "Exists"}],
            },
            "",
        ),
        ({"runtimeClassName": "plain"}, {"runtimeClassName": "plain"}, ""),
        ({"runtimeClassName": "gone"}, None, 'pod rejected: RuntimeClass "gone" not found'),
        (
            {"runtimeClassName": "kata", "overhead": {"cpu": "1"}}, None,
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        ({"overhead": {"cpu": "1"}}, None, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"),
        (
            {"runtimeClassName": "kata", "nodeSelector": {"runtime": "runc"}}, None,
            "conflict: runtimeClass.scheduling.nodeSelector[runtime] = kata; pod.spec.nodeSelector[runtime] = runc",
        ),
    ],
)  # fmt: skip
def test_runtime_classes(attributes: Make, ask: Ask, spec: Object, result: Object | None, expected: str) -> None:
    reader = FakeReader()
    reader.put("node.k8s.io", "runtimeclasses", KATA)
    reader.put("node.k8s.io", "runtimeclasses", {"metadata": {"name": "plain"}})
    pod = {"metadata": {"name": "web"}, "spec": spec}
    answer = ask(RuntimeClass(reader), attributes("CREATE", "pods", pod))
    assert answer == (f'403 pods "web" is forbidden: {expected}' if expected else "")
    if result is not None:
        assert pod["spec"] == result


ZONE = "topology.kubernetes.io/zone"


@pytest.mark.parametrize(
    ("subresource", "obj", "labels"),
    [
        ("binding", {"metadata": {}, "target": {"kind": "Node", "name": "n1"}}, {ZONE: "z1"}),
        ("binding", {"metadata": {}, "target": {"kind": "Node", "name": "gone"}}, None),
        ("", {"metadata": {"labels": {ZONE: "mine"}}, "spec": {"nodeName": "n1"}}, {ZONE: "mine"}),
        ("", {"metadata": {"labels": {"a": "b"}}, "spec": {"nodeName": "n1"}}, {"a": "b", ZONE: "z1"}),
        ("", {"metadata": {}, "spec": {}}, None),
    ],
)
def test_pods_take_over_their_nodes_topology(attributes: Make, ask: Ask, subresource: str, obj: Object, labels: Any) -> None:
    reader = FakeReader()
    reader.put("", "nodes", {"metadata": {"name": "n1", "labels": {ZONE: "z1", "disk": "fast"}}})
    assert ask(PodTopologyLabels(reader), attributes("CREATE", "pods", obj, subresource=subresource)) == ""
    assert obj["metadata"].get("labels") == labels
