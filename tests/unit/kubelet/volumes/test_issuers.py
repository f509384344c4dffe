"""Trust bundles and certificates of pods over an API in memory, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.kinds import CLUSTER_TRUST_BUNDLES, POD_CERTIFICATE_REQUESTS
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.kubelet.volumes.issuers import Issuers, certificate_files
from proa.kubelet.volumes.payload import PayloadError
from proa.kubelet.volumes.pod_certificates import CredentialBundle, PodCertificates
from proa.kubelet.volumes.tokens import TokenManager
from proa.kubelet.volumes.trust_bundles import TrustBundles
from proa.lib.clock import VirtualClock, format_time
from proa.lib.pki import create_authority
from tests.unit.kubelet.objects import pod

CHAIN = create_authority("signer").certificate.decode()
NODE: Object = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "node-uid"}}
ACCOUNT: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "n", "uid": "account-uid"}}
CERTIFICATE: Object = {
    "signerName": "example.com/s", "keyType": "ECDSAP256", "maxExpirationSeconds": 7200, "userAnnotations": {"example.com/a": "b"},
    "credentialBundlePath": "bundle.pem",
}  # fmt: skip


class Recorded:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        self.events.append((type_, reason, message))


class Stage:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.client = FakeClient(NODE, ACCOUNT, clock=self.clock)
        self.recorder, self.woken = Recorded(), list[str]()
        self.issuers = Issuers(
            TokenManager(self.client, self.clock),
            TrustBundles(self.client, self.woken.append, self.clock),
            PodCertificates(self.client, lambda: NODE, self.recorder, self.clock, self.woken.append),
        )

    async def files(self, source: Object) -> dict[int, dict[str, bytes]]:
        volume = {"name": "v", "projected": {"sources": [{"configMap": {}}, source]}}
        return await self.issuers.files(pod(volumes=[volume]), volume)

    async def pending(self, source: Object) -> None:
        with pytest.raises(PayloadError, match=r"^credential bundle is not issued yet$"):
            await self.files(source)

    def requests(self) -> list[Object]:
        return self.client.objects(POD_CERTIFICATE_REQUESTS)

    async def answer(self, request: Object, condition: str, **status: str) -> None:
        conditions = [{"type": condition, "status": "True", "reason": "Because", "message": "so"}]
        self.client.modify(request | {"status": {"conditions": conditions, **status}})
        await self.settle()

    async def issue(self, request: Object) -> None:
        moment = self.clock.now().timestamp()
        times = {name: format_time(moment_of(moment + hours * 3600)) for name, hours in (("beginRefreshAt", 1), ("notAfter", 2))}
        await self.answer(request, "Issued", certificateChain=CHAIN, **times)

    async def settle(self, seconds: float = 0.0) -> None:
        for _ in range(20):
            await self.clock.advance(seconds / 20)


def moment_of(timestamp: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(timestamp, UTC)


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def main() -> None:
        stage = Stage()
        try:
            await scene(stage)
        finally:
            await stage.issuers.close()

    asyncio.run(main())


def test_a_certificate_is_asked_for_once_and_its_pod_is_woken() -> None:
    async def scene(stage: Stage) -> None:
        source = {"podCertificate": CERTIFICATE}
        await stage.pending(source)
        await stage.pending(source)
        await stage.settle()
        (request,) = stage.requests()
        request_spec = dict(request["spec"])
        assert len(request_spec.pop("stubPKCS10Request")) > 100
        assert request_spec == {
            "signerName": "example.com/s", "podName": "p", "podUID": "u1", "serviceAccountName": "default",
            "serviceAccountUID": "account-uid",
            "nodeName": "n1", "nodeUID": "node-uid", "maxExpirationSeconds": 7200, "unverifiedUserAnnotations": {"example.com/a": "b"},
        }  # fmt: skip
        assert meta.namespace(request) == "n"
        assert request["metadata"]["generateName"] == "req-"
        assert request["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u1"}]
        stage.woken.clear()
        await stage.issue(request)
        assert stage.woken == ["u1"]
        files = (await stage.files(source))[1]
        assert list(files) == ["bundle.pem"]
        key, _, chain = files["bundle.pem"].partition(b"-----END PRIVATE KEY-----\n")
        assert key.startswith(b"-----BEGIN PRIVATE KEY-----\n")
        assert chain.decode() == CHAIN

    play(scene)


def test_a_refresh_has_a_new_key_and_the_old_one_serves_until_then() -> None:
    async def scene(stage: Stage) -> None:
        source = {"podCertificate": CERTIFICATE}
        await stage.pending(source)
        await stage.settle()
        await stage.issue(stage.requests()[0])
        first = await stage.files(source)
        await stage.settle(3590)
        assert await stage.files(source) == first
        assert len(stage.requests()) == 1
        await stage.settle(320)  # the jitter is five minutes at most
        assert await stage.files(source) == first
        await stage.settle()
        assert len(stage.requests()) == 2
        await stage.issue(stage.requests()[1])
        assert await stage.files(source) != first
        assert stage.recorder.events == []

    play(scene)


def test_a_refusal_is_an_event_and_the_reason_why_the_volume_fails() -> None:
    async def scene(stage: Stage) -> None:
        source = {"podCertificate": CERTIFICATE}
        await stage.pending(source)
        await stage.settle()
        await stage.answer(stage.requests()[0], "Denied")
        for _ in range(2):
            with pytest.raises(PayloadError, match=r'^PodCertificateRequest was permanently denied: reason="Because" message="so"$'):
                await stage.files(source)
        assert stage.recorder.events == [
            ("Warning", "Denied", 'PodCertificateRequest n/req-00003 was denied, reason="Because", message="so"')
        ]  # fmt: skip
        stage.issuers.forget("u1")
        await stage.pending(source)
        assert len(stage.requests()) == 2

    play(scene)


def test_a_pod_without_an_account_gets_the_answer_of_the_api() -> None:
    async def scene(stage: Stage) -> None:
        stage.client.remove(ACCOUNT)
        with pytest.raises(ApiError, match='serviceaccounts "default" not found'):
            await stage.files({"podCertificate": CERTIFICATE})

    play(scene)


def trust_bundle(name: str) -> Object:
    return {
        "apiVersion": "certificates.k8s.io/v1", "kind": "ClusterTrustBundle", "metadata": {"name": name}, "spec": {"trustBundle": CHAIN}
    }  # fmt: skip


def test_a_bundle_is_read_from_a_watch_that_wakes_pods() -> None:
    async def scene(stage: Stage) -> None:
        stage.client.add(trust_bundle("b"))
        source = {"clusterTrustBundle": {"name": "b", "path": "ca.pem"}}
        assert await stage.files(source) == {1: {"ca.pem": CHAIN.encode()}}
        await stage.settle()
        stage.woken.clear()
        stage.client.add(trust_bundle("other"))
        await stage.settle()
        assert stage.woken == ["u1"]
        stage.client.remove(trust_bundle("b"))
        await stage.settle()
        with pytest.raises(PayloadError, match=r"^while getting ClusterTrustBundle: "):
            await stage.files(source)
        stage.issuers.forget("u1")
        stage.woken.clear()
        stage.client.add(trust_bundle("b"))
        await stage.settle()
        assert stage.woken == []

    play(scene)


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1", ""])
def test_the_newest_version_that_is_served_is_read(version: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.resources = tuple(each for each in stage.client.resources if each != CLUSTER_TRUST_BUNDLES)
        source = {"clusterTrustBundle": {"name": "b", "path": "ca.pem", "optional": True}}
        if version:
            kind = CLUSTER_TRUST_BUNDLES
            stage.client.resources += (type(kind)(kind.group, version, kind.plural, kind.kind, kind.namespaced),)
            stage.client.add(trust_bundle("b") | {"apiVersion": f"certificates.k8s.io/{version}"})
            assert (await stage.files(source))[1]["ca.pem"]
            return
        with pytest.raises(PayloadError, match="no version of the ClusterTrustBundle API was found"):
            await stage.files(source)

    play(scene)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"credentialBundlePath": "b"}, {"b": b"KC"}),
        ({"keyPath": "k", "certificateChainPath": "c"}, {"k": b"K", "c": b"C"}),
        ({"credentialBundlePath": "b", "keyPath": "", "certificateChainPath": "d/c"}, {"b": b"KC", "d/c": b"C"}),
    ],
)
def test_files_of_a_certificate(paths: dict[str, str], expected: dict[str, bytes]) -> None:
    assert certificate_files(paths, CredentialBundle(b"K", b"C")) == expected
