"""The projected sources whose files the API issues for a pod: tokens, trust anchors, certificates. Each has a manager that remembers."""

from proa.api.meta import Object
from proa.kubelet.volumes.pod_certificates import CredentialBundle, PodCertificates
from proa.kubelet.volumes.tokens import TokenManager
from proa.kubelet.volumes.trust_bundles import TrustBundles


class Issuers:
    """The three of them, as volumes need them."""

    def __init__(self, tokens: TokenManager, trust_bundles: TrustBundles, certificates: PodCertificates) -> None:
        self._tokens, self._trust_bundles, self._certificates = tokens, trust_bundles, certificates

    async def files(self, pod: Object, volume: Object) -> dict[int, dict[str, bytes]]:
        """{index of the projected source: {path: content}}. Raises PayloadError, or what the API answers."""
        found = {}
        for index, source in enumerate((volume.get("projected") or {}).get("sources") or []):
            if own := source.get("serviceAccountToken"):
                found[index] = {own["path"]: (await self._tokens.get(pod, own)).encode()}
            elif own := source.get("clusterTrustBundle"):
                found[index] = {own["path"]: await self._trust_bundles.read(pod, own)}
            elif own := source.get("podCertificate"):
                found[index] = certificate_files(own, await self._certificates.read(pod, volume["name"], index, own))
        return found

    def forget(self, uid: str) -> None:
        self._tokens.forget(uid)
        self._trust_bundles.forget(uid)
        self._certificates.forget(uid)

    async def close(self) -> None:
        await self._trust_bundles.close()
        await self._certificates.close()


def certificate_files(source: Object, bundle: CredentialBundle) -> dict[str, bytes]:
    """Key and chain together, apart, or both ways."""
    contents = {"credentialBundlePath": bundle.key + bundle.chain, "keyPath": bundle.key, "certificateChainPath": bundle.chain}
    return {source[field]: content for field, content in contents.items() if source.get(field)}
