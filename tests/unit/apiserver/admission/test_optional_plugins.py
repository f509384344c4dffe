"""Plugins that are off unless somebody switches them on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.errors import Forbidden
from proa.api.meta import Object
from proa.apiserver.admission.always_pull_images import AlwaysPullImages
from proa.apiserver.admission.deny_service_external_ips import DenyServiceExternalIPs
from proa.apiserver.admission.event_rate_limit import EventRateLimit, Limit
from proa.apiserver.admission.extended_resource_toleration import ExtendedResourceToleration
from proa.apiserver.admission.limit_pod_hard_anti_affinity_topology import LimitPodHardAntiAffinityTopology
from proa.apiserver.admission.namespace_existence import NamespaceExists
from proa.apiserver.admission.pod_node_selector import PodNodeSelector
from proa.apiserver.admission.pod_toleration_restriction import MEMORY_PRESSURE, PodTolerationRestriction
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes
from proa.lib.clock import VirtualClock

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]


def pod(*images: str, **spec: Any) -> Object:
    containers = [{"name": f"c{index}", "image": image, "imagePullPolicy": "IfNotPresent"} for index, image in enumerate(images)]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def in_namespace(**annotations: str) -> FakeReader:
    reader = FakeReader()
    reader.put("", "namespaces", {"metadata": {"name": "n", "annotations": annotations}})
    return reader


def test_images_are_always_pulled(attributes: Make, ask: Ask) -> None:
    new = pod("a", volumes=[{"name": "v", "image": {"reference": "x"}}])
    assert ask(AlwaysPullImages(), attributes("CREATE", "pods", new)) == ""
    assert (new["spec"]["containers"][0]["imagePullPolicy"], new["spec"]["volumes"][0]["image"]["pullPolicy"]) == ("Always", "Always")
    same = pod("a")
    assert ask(AlwaysPullImages(), attributes("UPDATE", "pods", same, old_object=pod("a"))) == ""
    assert same["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_a_pull_policy_that_somebody_set_since_is_refused(attributes: Make) -> None:
    text = 'pods "p" is forbidden: spec.containers[0].imagePullPolicy: Unsupported value: "IfNotPresent": supported values: "Always"'
    with pytest.raises(Forbidden) as raised:
        asyncio.run(AlwaysPullImages().validate(attributes("CREATE", "pods", pod("a"), name="p")))
    assert raised.value.message == text


@pytest.mark.parametrize(("old", "new", "said"), [
    ([], ["1.2.3.4"], '403 services "s" is forbidden: Use of external IPs is denied by admission control.'),
    (["1.2.3.4"], ["1.2.3.4"], ""), (["1.2.3.4"], [], ""),
])  # fmt: skip
def test_external_addresses(attributes: Make, ask: Ask, old: list[str], new: list[str], said: str) -> None:
    before, after = ({"metadata": {"name": "s"}, "spec": {"externalIPs": each}} for each in (old, new))
    assert ask(DenyServiceExternalIPs(), attributes("UPDATE", "services", after, old_object=before)) == said


def test_hard_anti_affinity(attributes: Make, ask: Ask) -> None:
    rules = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}
    said = ask(LimitPodHardAntiAffinityTopology(), attributes("CREATE", "pods", pod("a", affinity=rules)))
    text = "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed"
    assert said == f'403 pods "p" is forbidden: {text}'


def test_a_namespace_that_is_not_there(attributes: Make, ask: Ask) -> None:
    plugin = NamespaceExists(in_namespace())
    said = [ask(plugin, attributes("CREATE", "pods", pod("a"), namespace=each)) for each in ("n", "m")]
    assert said == ["", '404 namespaces "m" not found']


def test_devices_are_tolerated(attributes: Make, ask: Ask) -> None:
    new = pod("a")
    new["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1", "example.com/gpu": "1"}}
    assert ask(ExtendedResourceToleration(), attributes("CREATE", "pods", new)) == ""
    assert new["spec"]["tolerations"] == [{"key": "example.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


@pytest.mark.parametrize(
    ("own", "said", "selector"),
    [
        ({}, "", {"env": "test"}),
        ({"env": "prod"}, '403 pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector', None),
        ({"disk": "ssd"}, "", {"env": "test", "disk": "ssd"}),
        ({"cpu": "x"}, '403 pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist', None),
    ],
)
def test_node_selectors_of_namespaces(attributes: Make, ask: Ask, own: dict[str, str], said: str, selector: dict[str, str] | None) -> None:
    reader = in_namespace(**{"scheduler.alpha.kubernetes.io/node-selector": "env=test"})
    new = pod("a", nodeSelector=own)
    plugin = PodNodeSelector(reader, {"n": "env=test,disk=ssd", "clusterDefaultNodeSelector": "x=y"})
    assert ask(plugin, attributes("CREATE", "pods", new, namespace="n")) == said
    assert selector is None or new["spec"]["nodeSelector"] == selector


TOLERATION = {"key": "a", "operator": "Equal", "value": "1", "effect": "NoSchedule"}


def test_tolerations_of_namespaces(attributes: Make, ask: Ask) -> None:
    reader = in_namespace(**{
        "scheduler.alpha.kubernetes.io/defaultTolerations": '[{"key":"a","operator":"Equal","value":"1","effect":"NoSchedule"}]',
        "scheduler.alpha.kubernetes.io/tolerationsWhitelist":
        '[{"key":"a","operator":"Exists"},{"key":"node.kubernetes.io/memory-pressure","operator":"Exists"}]',
    })  # fmt: skip
    plugin = PodTolerationRestriction(reader)
    plain, burstable = pod("a"), pod("a")
    burstable["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    for each, wanted in ((plain, [TOLERATION]), (burstable, [TOLERATION, MEMORY_PRESSURE])):
        assert ask(plugin, attributes("CREATE", "pods", each, namespace="n")) == ""
        assert each["spec"]["tolerations"] == wanted
    other = pod("a", tolerations=[{"key": "b", "operator": "Exists"}])
    text = "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist"
    assert ask(plugin, attributes("CREATE", "pods", other, namespace="n")) == f"500 {text}"


class _Clock(VirtualClock):
    moment = 0.0

    def monotonic(self) -> float:
        return self.moment


def test_events_come_at_a_bounded_rate(attributes: Make, ask: Ask) -> None:
    clock = _Clock()
    plugin = EventRateLimit([Limit("Namespace", 1, 2)], clock)

    def send(namespace: str = "n") -> str:
        return ask(plugin, attributes("CREATE", "events", {"metadata": {"name": "e"}}, namespace=namespace))

    said = "429 Too many requests: limit reached on type Namespace for key n"
    assert [send(), send(), send(), send("m")] == ["", "", said, ""]
    clock.moment = 1.0
    assert [send(), send()] == ["", said]
