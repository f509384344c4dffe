"""The Pod Security Standards: every check with the words of its violation, policies from labels, and who is told what."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.admission.pod_security.admission import PodSecurity
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.policy import Level, Policy, policy_of, told, violations
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
PREFIX = "pod-security.kubernetes.io/"
GOOD = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def c(name: str = "a", **context: Any) -> Object:
    return {"name": name, "securityContext": context}


def with_(*containers: Object, **spec: Any) -> Object:
    return {"containers": list(containers or (c(),)), **spec}


def good(name: str = "a", **context: Any) -> Object:
    return c(name, **{**GOOD, **context})


BASELINE: list[tuple[Object, str]] = [
    (with_(), ""),
    (with_(hostNetwork=True, hostIPC=True), "host namespaces (hostNetwork=true, hostIPC=true)"),
    (with_(c(privileged=True)), 'privileged (container "a" must not set securityContext.privileged=true)'),
    (
        with_(c(privileged=True), c("b", privileged=True)),
        'privileged (containers "a", "b" must not set securityContext.privileged=true)',
    ),
    (
        with_(c(capabilities={"add": ["NET_RAW", "CHOWN", "BPF"]})),
        'non-default capabilities (container "a" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
    ),
    (with_(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), 'hostPath volumes (volume "v")'),
    (with_({"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 443}]}), 'hostPort (container "a" uses hostPorts 443, 80)'),
    (
        with_({"name": "a", "livenessProbe": {"httpGet": {"host": "h"}}}),
        'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
    ),
    (
        with_({"name": "a", "lifecycle": {"preStop": {"httpGet": {"host": "h"}}, "postStart": {"tcpSocket": {"host": "g"}}}}),
        'probe or lifecycle host (container "a" uses probe or lifecycle hosts "g", "h")',
    ),
    (with_(c(procMount="Unmasked")), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    (with_(c(procMount="Unmasked"), hostUsers=False), ""),
    (
        with_(c(seLinuxOptions={"type": "spc_t", "user": "u"}), securityContext={"seLinuxOptions": {"role": "r"}}),
        'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; '
        "role may not be set)",
    ),
    (with_(c(seLinuxOptions={"type": "container_engine_t"})), ""),
    (
        with_(c(seccompProfile={"type": "Unconfined"})),
        'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ),
    (
        with_(securityContext={"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]}),
        "forbidden sysctls (kernel.msgmax)",
    ),
    (
        with_(securityContext={"windowsOptions": {"hostProcess": True}}),
        "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ),
    (
        with_(c(appArmorProfile={"type": "Unconfined"})),
        'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ),
    (
        with_(c(privileged=True), hostPID=True, volumes=[{"name": "v", "hostPath": {}}]),
        'host namespaces (hostPID=true), hostPath volumes (volume "v"), '
        'privileged (container "a" must not set securityContext.privileged=true)',
    ),
]
RESTRICTED: list[tuple[Object, str]] = [
    (with_(good()), ""),
    (
        with_(),
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ),
    (
        with_(good(capabilities={"drop": ["ALL"], "add": ["CHOWN", "NET_BIND_SERVICE"]})),
        'unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ),
    (
        with_(good(), volumes=[{"name": "n", "nfs": {}}, {"name": "h", "hostPath": {}}, {"name": "e", "emptyDir": {}}]),
        'restricted volume types (volumes "n", "h" use restricted volume types "hostPath", "nfs")',
    ),
    (
        with_(good(runAsNonRoot=False), securityContext={"runAsNonRoot": False}),
        'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
    ),
    (with_(good(runAsUser=0)), 'runAsUser=0 (container "a" must not set runAsUser=0)'),
    (with_(good(runAsUser=0, runAsNonRoot=False), hostUsers=False), ""),
    (
        with_(good(procMount="Unmasked"), hostUsers=False),
        'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ),
    (
        with_(good(procMount="Unmasked")),
        'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ),
    (with_(good(), volumes=[{"name": "i", "image": {"reference": "r"}}]), ""),
    (with_(good(), volumes=[{"name": "u"}]), 'restricted volume types (volume "u" uses restricted volume type "unknown")'),
    (with_(c(runAsNonRoot=True), os={"name": "windows"}), ""),
    (with_(good(seccompProfile={"type": "Localhost"}), securityContext={"runAsUser": 0}), "runAsUser=0 (pod must not set runAsUser=0)"),
]


@pytest.mark.parametrize(("spec", "expected"), BASELINE)
def test_baseline(spec: Object, expected: str) -> None:
    assert told(violations(Level("baseline"), {}, spec)) == expected


@pytest.mark.parametrize(("spec", "expected"), RESTRICTED)
def test_restricted(spec: Object, expected: str) -> None:
    assert told(violations(Level("restricted"), {}, spec)) == expected


@pytest.mark.parametrize(
    ("level", "spec", "metadata", "reasons"),
    [
        (Level("baseline", 33), with_({"name": "a", "livenessProbe": {"httpGet": {"host": "h"}}}), {}, []),
        (Level("baseline", 34), with_(c(procMount="Unmasked"), hostUsers=False), {}, ["procMount"]),
        (Level("baseline", 36), with_(securityContext={"sysctls": [{"name": "net.ipv4.tcp_notsent_lowat"}]}), {}, ["forbidden sysctls"]),
        (
            Level("baseline", 37), with_(securityContext={"sysctls": [
                {"name": "net.ipv4.tcp_notsent_lowat"}, {"name": "net.ipv4.tcp_slow_start_after_idle"}]}), {}, [],
        ),
        (Level("baseline", 31), with_(securityContext={"sysctls": [{"name": "net.ipv4.tcp_wmem"}]}), {}, ["forbidden sysctls"]),
        (Level("baseline", 28), with_(securityContext={"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}), {}, ["forbidden sysctls"]),
        (Level("restricted", 34), with_(good(procMount="Unmasked"), hostUsers=False), {}, ["procMount"]),
        (Level("restricted", 34), with_(good(runAsUser=0), hostUsers=False), {}, ["runAsUser=0"]),
        (Level("restricted", 22), with_(good(runAsUser=0)), {}, []),
        (Level("restricted", 21), with_(good(capabilities={"add": ["NET_RAW"]})), {}, ["non-default capabilities"]),
        (Level("baseline", 26), with_(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}), {}, ["forbidden sysctls"]),
        (Level("baseline", 30), with_(c(seLinuxOptions={"type": "container_engine_t"})), {}, ["seLinuxOptions"]),
        (Level("baseline", 18), with_(c(seccompProfile={"type": "Unconfined"})), {}, []),
        (
            Level("baseline", 18), with_(),
            {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}, ["seccompProfile"],
        ),
        (Level("restricted", 7), with_(runAsNonRoot=True), {}, ["runAsNonRoot != true"]),
        (
            Level("restricted", 24), with_(c(runAsNonRoot=True), os={"name": "windows"}), {},
            ["allowPrivilegeEscalation != false", "unrestricted capabilities", "seccompProfile"],
        ),
        (
            Level("baseline"), with_(), {"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}},
            ["forbidden AppArmor profile"],
        ),
        (Level("privileged"), with_(c(privileged=True)), {}, []),
    ],
)  # fmt: skip
def test_versions_of_the_policies(level: Level, spec: Object, metadata: Object, reasons: list[str]) -> None:
    assert [violation.reason for violation in violations(level, metadata, spec)] == reasons


def labelled(**labels: str) -> dict[str, str]:
    return {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}


@pytest.mark.parametrize(
    ("labels", "policy", "causes"),
    [
        ({}, Policy(), []),
        (labelled(enforce="baseline"), Policy(Level("baseline"), Level(), Level("baseline")), []),
        (labelled(enforce="baseline", warn="privileged"), Policy(Level("baseline")), []),
        (
            labelled(enforce="restricted", enforce_version="v1.25"),
            Policy(Level("restricted", 25), Level(), Level("restricted", 25)), [],
        ),
        (labelled(audit="restricted", audit_version="latest"), Policy(audit=Level("restricted")), []),
        (
            labelled(enforce="x", warn="y", warn_version="1.2"), Policy(Level("restricted")),
            [
                f'metadata.labels[{PREFIX}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted',
                f'metadata.labels[{PREFIX}warn]: Invalid value: "y": must be one of privileged, baseline, restricted',
                f'metadata.labels[{PREFIX}warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
            ],
        ),
    ],
)  # fmt: skip
def test_policy_of_labels(labels: dict[str, str], policy: Policy, causes: list[str]) -> None:
    found, wrong = policy_of(labels, Policy())
    assert (found, [cause.detail for cause in wrong]) == (policy, causes)


def namespaces(exemptions: Exemptions | None = None, **labels: str) -> PodSecurity:
    reader = FakeReader()
    plugin = PodSecurity(reader, exemptions=exemptions)
    reader.put("", "namespaces", {"metadata": {"name": "shop", "labels": labelled(**labels)}})
    return plugin


BAD = {"metadata": {"name": "web"}, "spec": with_(c(privileged=True), runtimeClassName="kata")}
WORDS = 'violates PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)'


@pytest.mark.parametrize(
    ("labels", "kind", "obj", "more", "answer", "warnings"),
    [
        ({}, "pods", BAD, {}, "", []),
        ({"enforce": "baseline"}, "pods", BAD, {}, f'403 pods "web" is forbidden: {WORDS}', []),
        ({"enforce": "baseline"}, "pods", BAD, {"subresource": "status"}, "", []),
        ({"enforce": "baseline"}, "pods", BAD, {"user": User("root")}, "", []),
        ({"warn": "baseline"}, "pods", BAD, {}, "", [f"would {WORDS.replace('violates', 'violate')}"]),
        (
            {"enforce": "baseline"},
            "apps/deployments",
            {"spec": {"template": BAD}},
            {},
            "",
            [f"would {WORDS.replace('violates', 'violate')}"],
        ),
        ({"enforce": "baseline"}, "batch/jobs", {"spec": {"template": {"spec": with_()}}}, {}, "", []),
    ],
)
def test_who_is_told(
    attributes: Make, ask: Ask, labels: dict[str, str], kind: str, obj: Object, more: dict[str, Any], answer: str, warnings: list[str]
) -> None:
    heard: list[str] = []
    asked = attributes("CREATE", kind, obj, **{"namespace": "shop", "add_warning": heard.append, **more})
    assert (ask(namespaces(Exemptions(frozenset({"root"})), **labels), asked), heard) == (answer, warnings)


@pytest.mark.parametrize("exemptions", [Exemptions(namespaces=frozenset({"shop"})), Exemptions(runtime_classes=frozenset({"kata"}))])
def test_exemptions(attributes: Make, ask: Ask, exemptions: Exemptions) -> None:
    assert ask(namespaces(exemptions, enforce="baseline"), attributes("CREATE", "pods", BAD, namespace="shop")) == ""


@pytest.mark.parametrize(
    ("new", "refused"),
    [
        ({**BAD, "metadata": {"labels": {"x": "y"}}}, False),
        ({"metadata": {}, "spec": with_({**c(privileged=True), "image": "other"})}, True),
        ({"metadata": {}, "spec": {**BAD["spec"], "ephemeralContainers": [c("debug")]}}, True),
    ],
)
def test_updates_that_change_nothing_of_importance_pass(attributes: Make, ask: Ask, new: Object, refused: bool) -> None:
    asked = attributes("UPDATE", "pods", new, old_object=BAD, namespace="shop", name="web")
    assert bool(ask(namespaces(enforce="baseline"), asked)) is refused


def test_a_namespace_with_wrong_labels_is_invalid(attributes: Make, ask: Ask) -> None:
    obj = {"metadata": {"name": "shop", "labels": labelled(enforce="strict")}}
    assert ask(namespaces(), attributes("CREATE", "namespaces", obj)) == (
        f'422 Namespace "shop" is invalid: metadata.labels[{PREFIX}enforce]: Invalid value: "strict": '
        "must be one of privileged, baseline, restricted"
    )
    assert ask(namespaces(), attributes("UPDATE", "namespaces", obj, old_object=obj, name="shop")) == ""


def test_a_tightened_namespace_hears_of_its_pods(attributes: Make, ask: Ask) -> None:
    reader = FakeReader()
    for name, owner in (("b", "one"), ("a", "one"), ("z", "two")):
        metadata = {"name": name, "namespace": "shop", "ownerReferences": [{"uid": owner, "controller": True}]}
        reader.put("", "pods", {"metadata": metadata, "spec": with_(c(privileged=owner == "one"), hostPID=owner == "two")})
    old: Object = {"metadata": {"name": "shop"}}
    new = {"metadata": {"name": "shop", "labels": labelled(enforce="baseline")}}
    heard: list[str] = []
    asked = attributes("UPDATE", "namespaces", new, old_object=old, name="shop", add_warning=heard.append)
    assert ask(PodSecurity(reader), asked) == ""
    assert heard == [
        'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 1 other pod): privileged",
        "z: host namespaces",
    ]


def test_no_more_than_three_thousand_pods_are_looked_at(attributes: Make, ask: Ask) -> None:
    reader, heard = FakeReader(), list[str]()
    for number in range(3002):
        spec = with_(c(privileged=True), **({"runtimeClassName": "kata"} if number == 0 else {}))
        reader.put("", "pods", {"metadata": {"name": f"p{number:04}", "namespace": "shop"}, "spec": spec})
    new = {"metadata": {"name": "shop", "labels": labelled(enforce="baseline")}}
    asked = attributes("UPDATE", "namespaces", new, old_object={"metadata": {"name": "shop"}}, name="shop", add_warning=heard.append)
    assert ask(PodSecurity(reader, exemptions=Exemptions(runtime_classes=frozenset({"kata"}))), asked) == ""
    assert heard == [
        "new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods",
        'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
        "p0001 (and 2999 other pods): privileged",
    ]
