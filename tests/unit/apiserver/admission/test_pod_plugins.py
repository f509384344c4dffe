"""What admission makes of new pods and nodes: namespaces, service accounts, tolerations, priorities, taints."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.admission.chain import ORDER, AdmissionChain, build_admission
from proa.apiserver.admission.default_toleration_seconds import add_tolerations
from proa.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from proa.apiserver.admission.priority import Priority
from proa.apiserver.admission.service_account import MOUNT_PATH, ServiceAccount, token_sources
from proa.apiserver.admission.taint_nodes_by_condition import TaintNodesByCondition
from proa.apiserver.authz.build import build_authorizer
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader, FakeWriter
from proa.apiserver.interface import AdmissionPlugin, Attributes, User
from proa.lib.clock import VirtualClock

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]


def namespaces() -> FakeReader:
    reader = FakeReader()
    reader.put("", "namespaces", {"metadata": {"name": "shop"}, "status": {"phase": "Active"}})
    reader.put("", "namespaces", {"metadata": {"name": "going"}, "status": {"phase": "Terminating"}})
    return reader


POD = {"metadata": {"name": "web"}}


@pytest.mark.parametrize(
    ("operation", "plural", "more", "expected"),
    [
        ("CREATE", "pods", {"namespace": "shop"}, ""),
        ("CREATE", "pods", {"namespace": "ghost"}, '404 namespaces "ghost" not found'),
        ("UPDATE", "pods", {"namespace": "ghost", "name": "web"}, '404 namespaces "ghost" not found'),
        ("DELETE", "pods", {"namespace": "ghost", "name": "web"}, ""),
        (
            "CREATE", "pods", {"namespace": "going"},
            '403 pods "web" is forbidden: unable to create new content in namespace going because it is being terminated',
        ),
        ("UPDATE", "pods", {"namespace": "going", "name": "web"}, ""),
        ("CREATE", "namespaces", {"name": "new", "namespace": "new"}, ""),
        ("CREATE", "nodes", {}, ""),
        ("DELETE", "namespaces", {"name": "kube-system"}, '403 namespaces "kube-system" is forbidden: this namespace may not be deleted'),
        ("DELETE", "namespaces", {"name": "shop"}, ""),
    ],
)  # fmt: skip
def test_namespace_lifecycle(attributes: Make, ask: Ask, operation: str, plural: str, more: dict[str, Any], expected: str) -> None:
    assert ask(NamespaceLifecycle(namespaces()), attributes(operation, plural, None if operation == "DELETE" else POD, **more)) == expected


def test_a_terminating_namespace_says_so_in_the_causes(attributes: Make) -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(NamespaceLifecycle(namespaces()).admit(attributes("CREATE", "pods", POD, namespace="going")))
    assert caught.value.details["causes"] == [
        {"reason": "NamespaceTerminating", "message": "namespace going is being terminated", "field": "metadata.namespace"}
    ]


def accounts(**more: Any) -> FakeReader:
    reader = FakeReader()
    reader.put("", "serviceaccounts", {"metadata": {"name": "default", "namespace": "shop"}, **more})
    return reader


def admitted(attributes: Make, pod: Object, **account: Any) -> Object:
    asyncio.run(ServiceAccount(accounts(**account), VirtualClock()).admit(attributes("CREATE", "pods", pod, namespace="shop")))
    spec: Object = pod["spec"]
    return spec


def test_a_pod_gets_an_account_and_its_token_in_every_container(attributes: Make) -> None:
    own = {"name": "own", "mountPath": MOUNT_PATH}
    pod = {
        "spec": {
            "containers": [{"name": "a"}, {"name": "b", "volumeMounts": [own]}],
            "initContainers": [{"name": "i"}],
            "volumes": [{"name": "v"}],
        }
    }
    spec = admitted(attributes, pod, imagePullSecrets=[{"name": "pull"}])
    volume = spec["volumes"][1]["name"]
    mount = {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}
    assert volume.startswith("kube-api-access-")
    assert len(volume) == len("kube-api-access-12345")
    assert spec == {
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "containers": [{"name": "a", "volumeMounts": [mount]}, {"name": "b", "volumeMounts": [own]}],
        "initContainers": [{"name": "i", "volumeMounts": [mount]}],
        "volumes": [{"name": "v"}, {"name": volume, "projected": {"defaultMode": 420, "sources": token_sources()}}],
        "imagePullSecrets": [{"name": "pull"}],
    }


@pytest.mark.parametrize(
    ("pod", "account", "mounted"),
    [
        ({}, {}, True),
        ({}, {"automountServiceAccountToken": False}, False),
        ({"automountServiceAccountToken": True}, {"automountServiceAccountToken": False}, True),
        ({"automountServiceAccountToken": False}, {}, False),
    ],
)
def test_whether_a_token_is_mounted(attributes: Make, pod: Object, account: Object, mounted: bool) -> None:
    assert ("volumes" in admitted(attributes, {"spec": {"containers": [{}], **pod}}, **account)) is mounted


MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}, "name": "m"}


@pytest.mark.parametrize(
    ("pod", "account", "expected"),
    [
        (
            {"metadata": {"generateName": "web-"}, "spec": {"serviceAccountName": "ghost"}}, {},
            '403 pods "web-" is forbidden: error looking up service account shop/ghost: serviceaccount "ghost" not found',
        ),
        ({"metadata": MIRROR, "spec": {}}, {}, ""),
        (
            {"metadata": MIRROR, "spec": {"serviceAccountName": "default"}}, {},
            '403 pods "m" is forbidden: a mirror pod may not reference service accounts',
        ),
        (
            {"metadata": MIRROR, "spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}}, {},
            '403 pods "m" is forbidden: a mirror pod may not reference secrets',
        ),
        (
            {"metadata": {"name": "p"}, "spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}},
            {"metadata": {"name": "default", "namespace": "shop", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}},
            '403 pods "p" is forbidden: volume with secret.secretName="s" is not allowed '
            "because service account default does not reference that secret",
        ),
    ],
)  # fmt: skip
def test_accounts_that_are_refused(attributes: Make, ask: Ask, pod: Object, account: Object, expected: str) -> None:
    plugin = ServiceAccount(accounts(**account), VirtualClock())
    assert ask(plugin, attributes("CREATE", "pods", pod, namespace="shop")) == expected


def test_the_first_pod_of_a_namespace_waits_for_its_default_account(attributes: Make) -> None:
    async def run() -> str:
        reader, clock = FakeReader(), VirtualClock()
        pod: Object = {"spec": {"containers": []}}
        task = asyncio.create_task(ServiceAccount(reader, clock).admit(attributes("CREATE", "pods", pod, namespace="shop")))
        await clock.advance(0.5)
        reader.put("", "serviceaccounts", {"metadata": {"name": "default", "namespace": "shop"}})
        await clock.advance(0.1)
        await task
        return str(pod["spec"]["serviceAccountName"])

    assert asyncio.run(run()) == "default"


def toleration(key: str) -> Object:
    return {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


OWN = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 2}
ELSEWHERE = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule", "operator": "Exists"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [toleration("not-ready"), toleration("unreachable")]),
        ([OWN], [OWN, toleration("unreachable")]),
        ([ELSEWHERE], [ELSEWHERE, toleration("not-ready"), toleration("unreachable")]),
        ([{"operator": "Exists"}], [{"operator": "Exists"}]),
    ],
)
def test_default_tolerations(given: list[Object], expected: list[Object]) -> None:
    spec: Object = {"tolerations": given} if given else {}
    add_tolerations(spec)
    assert spec["tolerations"] == expected


def classes(default: bool = True) -> FakeReader:
    reader = FakeReader()
    for name, value, more in (("high", 1000, {"preemptionPolicy": "Never"}), ("base", 5, {"globalDefault": default})):
        reader.put("scheduling.k8s.io", "priorityclasses", {"metadata": {"name": name}, "value": value, **more})
    return reader


@pytest.mark.parametrize(
    ("default", "spec", "expected"),
    [
        (False, {}, {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}),
        (True, {}, {"priorityClassName": "base", "priority": 5, "preemptionPolicy": "PreemptLowerPriority"}),
        (True, {"priorityClassName": "high"}, {"priorityClassName": "high", "priority": 1000, "preemptionPolicy": "Never"}),
        (
            False, {"priorityClassName": "system-node-critical"},
            {"priorityClassName": "system-node-critical", "priority": 2000001000, "preemptionPolicy": "PreemptLowerPriority"},
        ),
        (False, {"priority": 0}, {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}),
        (False, {"priorityClassName": "ghost"}, '403 pods "web" is forbidden: no PriorityClass with name ghost was found'),
        (
            False, {"priority": 7},
            '403 pods "web" is forbidden: the integer value of priority (7) must not be provided in pod spec; '
            "priority admission controller computed 0 from the given PriorityClass name",
        ),
        (
            False, {"preemptionPolicy": "Never"},
            '403 pods "web" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; '
            "priority admission controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ],
)  # fmt: skip
def test_priorities(attributes: Make, ask: Ask, default: bool, spec: Object, expected: Object | str) -> None:
    pod = {"metadata": {"name": "web"}, "spec": dict(spec)}
    answer = ask(Priority(classes(default)), attributes("CREATE", "pods", pod, namespace="shop"))
    assert (answer or pod["spec"]) == expected


def test_an_update_keeps_the_priority_and_there_is_one_default_class(attributes: Make, ask: Ask) -> None:
    old = {"spec": {"priorityClassName": "high", "priority": 1000, "preemptionPolicy": "Never"}}
    new: Object = {"spec": {"priorityClassName": "high"}}
    assert ask(Priority(classes()), attributes("UPDATE", "pods", new, old_object=old)) == ""
    assert new == old
    second = {"metadata": {"name": "second"}, "globalDefault": True}
    assert ask(Priority(classes()), attributes("CREATE", "scheduling.k8s.io/priorityclasses", second)) == (
        '403 priorityclasses.scheduling.k8s.io "second" is forbidden: '
        "PriorityClass base is already marked as default. Only one default can exist"
    )
    again = {"metadata": {"name": "base"}, "globalDefault": True}
    assert ask(Priority(classes()), attributes("UPDATE", "scheduling.k8s.io/priorityclasses", again, name="base")) == ""


def test_a_new_node_is_tainted_once(attributes: Make, ask: Ask) -> None:
    node: Object = {"metadata": {"name": "n"}}
    for _ in range(2):
        assert ask(TaintNodesByCondition(), attributes("CREATE", "nodes", node)) == ""
    assert node["spec"] == {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]}


def test_the_chain_is_in_upstream_order_and_does_its_work(tmp_path: Any, attributes: Make, ask: Ask) -> None:
    reader = accounts()
    reader.put("", "namespaces", {"metadata": {"name": "shop"}})
    config = ApiServerConfig(tmp_path, (), None, tmp_path, tmp_path, tmp_path, tmp_path)
    plugins = build_admission(reader, FakeWriter(reader), config, build_authorizer(reader), VirtualClock())
    names = [plugin.name for plugin in plugins]
    assert names == sorted(names, key=ORDER.index)
    pod: Object = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "a"}]}}
    chain = AdmissionChain(plugins)
    asked = attributes("CREATE", "pods", pod, namespace="shop", user=User("jane"))
    asyncio.run(chain.admit(asked))
    asyncio.run(chain.validate(asked))
    assert sorted(pod["spec"]) == [
        "containers", "preemptionPolicy", "priority", "serviceAccount", "serviceAccountName", "tolerations", "volumes",
    ]  # fmt: skip
