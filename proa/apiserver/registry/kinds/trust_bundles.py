"""ClusterTrustBundle: authorities' certificates, each once, under a name that begins with the signer's if the bundle speaks for one.
Source: certificates.k8s.io/v1, KEP-3257.
"""

from collections import defaultdict

from proa.api.errors import Cause, invalid, too_long
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.pem import blocks, parse_certificate
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import NameCheck, immutable
from proa.apiserver.registry.signer_name import bundle_name_problems, check_signer_name

MAX_SIZE = 1024 * 1024
OMITTED = "<value omitted>"
BUNDLE = "spec.trustBundle"


class ClusterTrustBundleStrategy(StatuslessStrategy):
    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def check(self, obj: Object) -> list[Cause]:
        return self._check_name(obj) + check_bundle((obj.get("spec") or {}).get("trustBundle") or "")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, before = obj.get("spec") or {}, old.get("spec") or {}
        causes = self._check_name(obj)
        if new.get("trustBundle") != before.get("trustBundle"):
            causes += check_bundle(new.get("trustBundle") or "")
        return causes + immutable("spec.signerName", new.get("signerName") or "", before.get("signerName") or "")

    def _check_name(self, obj: Object) -> list[Cause]:
        name, signer = obj.get("metadata", {}).get("name", ""), (obj.get("spec") or {}).get("signerName") or ""
        causes = [invalid("metadata.name", name, problem) for problem in bundle_name_problems(name, signer)]
        return causes + (check_signer_name("spec.signerName", signer) if signer else [])


def check_bundle(text: str) -> list[Cause]:
    """At least one authority's certificate, none twice, nothing else."""
    if len(text) > MAX_SIZE:
        return [too_long(BUNDLE, MAX_SIZE)]
    causes: list[Cause] = []
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, block in enumerate(blocks(text)):
        problem = f"bad block type: {block.type}" if block.type != "CERTIFICATE" else "PEM block headers" if block.headers else ""
        if problem:
            causes.append(invalid(BUNDLE, OMITTED, f"entry {index} has {problem}"))
        elif problem := _not_an_authority(block.der):
            causes.append(invalid(BUNDLE, OMITTED, f"entry {index} {problem}"))
        else:
            places[block.der].append(index)
    if causes:
        return causes
    if not places:
        return [invalid(BUNDLE, OMITTED, "at least one trust anchor must be provided")]
    repeated = (f"[{' '.join(map(str, indices))}]" for indices in places.values() if len(indices) > 1)
    return [invalid(BUNDLE, OMITTED, f"duplicate trust anchor (indices {each})") for each in repeated]


def _not_an_authority(der: bytes) -> str:
    from cryptography import x509

    try:
        constraints = parse_certificate(der).extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return "does not have the CA bit set"
    except ValueError:
        return "does not parse as X.509"
    return "" if constraints.ca else "does not have the CA bit set"
