"""The file of a clusterTrustBundle source: trust anchors of one bundle or of all that match, each once, in an order that means nothing.

Pure. The order is the same as long as the node agent runs, so that files change only when anchors do, and another one after each restart,
so that nobody comes to rely on it. Source: KEP-3257 and the kubelet's manager of trust anchors.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping

from proa.api import meta
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.api.pem import blocks
from proa.kubelet.volumes.payload import PayloadError

_LINE = 64


def trust_anchors(source: Object, bundles: Mapping[str, Object], salt: bytes) -> bytes:
    """PEM for a ClusterTrustBundleProjection out of all bundles by name. Raises PayloadError where nothing is found that must be."""
    return normalized(_selected(source, bundles), salt)


def _selected(source: Object, bundles: Mapping[str, Object]) -> list[Object]:
    optional = bool(source.get("optional"))
    if (name := source.get("name")) is not None:
        if name in bundles:
            return [bundles[name]]
        if not optional:
            raise PayloadError(f'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "{name}" not found')
        return []
    if (signer := source.get("signerName")) is None:
        raise PayloadError("ClusterTrustBundle projection requires either name or signerName to be set")
    found = _of_signer(signer, source.get("labelSelector"), bundles.values())
    if not found and not optional:
        raise PayloadError("combination of signerName and labelSelector matched zero ClusterTrustBundles")
    return found


def _of_signer(signer: str, label_selector: Object | None, bundles: Iterable[Object]) -> list[Object]:
    """No selector matches nothing, an empty one everything."""
    if label_selector is None:
        return []
    selector = selector_from_object(label_selector)
    return [each for each in bundles if each.get("spec", {}).get("signerName") == signer and selector.matches(meta.labels(each))]


def normalized(bundles: Iterable[Object], salt: bytes) -> bytes:
    anchors = {block.der for bundle in bundles for block in blocks(bundle.get("spec", {}).get("trustBundle") or "")}
    return b"".join(_pem(der) for der in sorted(anchors, key=lambda der: hashlib.sha256(salt + der).digest()))


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])
