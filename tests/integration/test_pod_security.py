"""Pod Security through the front door: pods per level and version, what namespaces are told, what the audit log keeps."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from proa.apiserver.server import build
from tests.integration.conftest import Api, Run, running

PREFIX = "pod-security.kubernetes.io/"
Object = dict[str, Any]


def labels(**given: str) -> Object:
    return {PREFIX + key.replace("_", "-"): value for key, value in given.items()}


def namespace(name: str, **given: str) -> Object:
    return {"metadata": {"name": name, "labels": labels(**given)}}


def pod(security: Object | None = None, **spec: Any) -> Object:
    container = {"name": "c", "image": "i", **({"securityContext": security} if security else {})}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


HARD = {
    "allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
SLOW_START: Object = {"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_slow_start_after_idle", "value": "0"}]}}
PODS: list[tuple[str, Object, str]] = [
    ("baseline:latest", pod(), ""),
    ("baseline:latest", pod({"privileged": True}), 'privileged (container "c" must not set securityContext.privileged=true)'),
    ("baseline:latest", pod({"procMount": "Unmasked"}, hostUsers=False), ""),
    ("baseline:latest", pod(**SLOW_START), ""),
    ("baseline:v1.37", pod(**SLOW_START), ""),
    ("baseline:v1.36", pod(**SLOW_START), "forbidden sysctls (net.ipv4.tcp_slow_start_after_idle)"),
    ("restricted:latest", pod(HARD), ""),
    (
        "restricted:latest", pod({**HARD, "procMount": "Unmasked"}, hostUsers=False),
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ),
    (
        "restricted:v1.34", pod({**HARD, "procMount": "Unmasked"}, hostUsers=False),
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ),
    ("restricted:latest", pod({**HARD, "runAsUser": 0}, hostUsers=False), ""),
    ("restricted:v1.34", pod({**HARD, "runAsUser": 0}, hostUsers=False), 'runAsUser=0 (container "c" must not set runAsUser=0)'),
    ("restricted:v1.25", pod(HARD, volumes=[{"name": "v", "image": {"reference": "r"}}]), ""),
    (
        "restricted:latest",
        pod(HARD, volumes=[{"name": "v", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {"server": "s", "path": "/"}}]),
        'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
    ),
]  # fmt: skip


def test_pods_of_levels_and_versions(run: Run) -> None:
    async def scenario(api: Api) -> None:
        for number, (policy, body, why) in enumerate(PODS):
            level, version = policy.split(":")
            await api("POST", "/api/v1/namespaces", namespace(f"n{number}", enforce=level, enforce_version=version, warn="privileged"))
            await api("POST", f"/api/v1/namespaces/n{number}/serviceaccounts", {"metadata": {"name": "default"}})
            answer = await api("POST", f"/api/v1/namespaces/n{number}/pods", body)
            expected = (403, "Forbidden", f'pods "p" is forbidden: violates PodSecurity "{policy}": {why}') if why else (201, "", "")
            assert answer.summary == expected, (policy, body)

    run(scenario)


def test_labels_that_can_not_be_read(run: Run) -> None:
    async def scenario(api: Api) -> None:
        refused = await api("POST", "/api/v1/namespaces", namespace("n", enforce="strict", warn_version="2"))
        field = f"metadata.labels[{PREFIX}enforce]"
        told = 'Invalid value: "strict": must be one of privileged, baseline, restricted'
        versions = f'metadata.labels[{PREFIX}warn-version]: Invalid value: "2": must be "latest" or "v1.x"'
        assert refused.summary == (422, "Invalid", f'Namespace "n" is invalid: [{field}: {told}, {versions}]')
        assert refused.body["details"]["kind"] == "Namespace"
        assert refused.body["details"]["causes"][0] == {"reason": "FieldValueInvalid", "message": told, "field": field}
        await api("POST", "/api/v1/namespaces", namespace("n"))
        changed = await api.patch("merge", "/api/v1/namespaces/n", namespace("n", audit="much"))
        assert changed.summary[:2] == (422, "Invalid")

    run(scenario)


UPDATES: list[tuple[Object, bool]] = [
    ({"metadata": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}}, False),
    ({"metadata": {"labels": {"a": "b"}}}, False),
    ({"metadata": {"annotations": {"container.seccomp.security.alpha.kubernetes.io/c": "unconfined"}}}, True),
    ({"spec": {"containers": [{"name": "c", "image": "other"}]}}, True),
]


def test_updates_that_are_looked_at(run: Run) -> None:
    async def scenario(api: Api) -> None:
        pods = "/api/v1/namespaces/default/pods"
        await api("POST", pods, pod({"privileged": True}))
        await api.patch("merge", "/api/v1/namespaces/default", {"metadata": {"labels": labels(enforce="baseline")}})
        for change, refused in UPDATES:
            answer = await api.patch("strategic", f"{pods}/p?dryRun=All", change)
            assert answer.status == (403 if refused else 200), change

    run(scenario)


def exempting(folder: Path) -> Path:
    exemptions = {"usernames": ["ci"], "namespaces": ["free"], "runtimeClasses": ["kata"]}
    group = {"apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration"}
    plugin = {"name": "PodSecurity", "configuration": {**group, "exemptions": exemptions}}
    path = folder / "admission.yaml"
    path.write_bytes(orjson.dumps({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": [plugin]}))
    return path


def test_an_exempt_namespace_hears_that_its_labels_mean_nothing(signing_key: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(signing_key, tmp_path, admission_control_config_file=exempting(tmp_path)) as api:
            told = '299 - "namespace \\"free\\" is exempt from Pod Security, and the policy ({}) will be ignored"'
            made = await api("POST", "/api/v1/namespaces", namespace("free", enforce="baseline", audit="restricted", warn="privileged"))
            assert (made.status, made.warnings) == (201, [told.format("enforce=baseline:latest, audit=restricted:latest")])
            tightened = await api.patch("merge", "/api/v1/namespaces/free", namespace("free", enforce="restricted"))
            assert tightened.warnings == [told.format("enforce=restricted:latest, audit=restricted:latest")]
            relaxed = await api.patch("merge", "/api/v1/namespaces/free", namespace("free", enforce="privileged"))
            assert relaxed.warnings == []
            other = await api("POST", "/api/v1/namespaces", namespace("other", enforce="baseline"))
            assert (other.status, other.warnings) == (201, [])

    asyncio.run(scenario())


AUDITED: list[tuple[str, Object, Object]] = [
    ("open", pod(), {"enforce-policy": "privileged:latest"}),
    ("free", pod(), {"exempt": "namespace"}),
    ("shop", pod(runtimeClassName="kata"), {"exempt": "runtimeClass"}),
    (
        "shop", pod({"privileged": True}),
        {
            "enforce-policy": "baseline:v1.30",
            "audit-violations": 'would violate PodSecurity "baseline:latest": '
            'privileged (container "c" must not set securityContext.privileged=true)',
        },
    ),
    ("shop", pod(), {"enforce-policy": "baseline:v1.30"}),
]  # fmt: skip


def test_what_the_audit_log_keeps(signing_key: Path, tmp_path: Path) -> None:
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    wanted = {"level": "Metadata", "verbs": ["create", "update"], "resources": [{"group": "", "resources": ["pods", "pods/status"]}]}
    policy.write_bytes(orjson.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [wanted, {"level": "None"}]}))

    def annotations() -> Iterator[Object]:
        for line in log.read_bytes().splitlines():
            event = orjson.loads(line)
            if event["stage"] == "ResponseComplete":
                yield {key.removeprefix(PREFIX): value for key, value in event["annotations"].items() if key.startswith(PREFIX)}

    async def scenario() -> None:
        async with running(signing_key, tmp_path) as api:
            await api.server.stop(0)
            options = {"audit_policy_file": policy, "audit_log_path": log, "admission_control_config_file": exempting(tmp_path)}
            api.server = await build(replace(api.server.config, **options), clock=api.clock, backend=api.backend)  # type: ignore[arg-type]
            await api.server.start(listen=False)
            given = {"shop": {"enforce": "baseline", "enforce_version": "v1.30", "audit": "baseline", "warn": "privileged"}}
            for name in ("open", "free", "shop"):
                await api("POST", "/api/v1/namespaces", namespace(name, **given.get(name, {})))
                await api("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
            await api("POST", "/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "kata"}, "handler": "k"})
            for number, (name, body, _) in enumerate(AUDITED):
                await api("POST", f"/api/v1/namespaces/{name}/pods", {**body, "metadata": {"name": f"p{number}"}})
            made = (await api("GET", "/api/v1/namespaces/free/pods/p1")).body
            await api("PUT", "/api/v1/namespaces/free/pods/p1/status", made)

    asyncio.run(scenario())
    assert list(annotations()) == [*(told for _, _, told in AUDITED), {}]
