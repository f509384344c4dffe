"""PodCertificateRequest: a kubelet's request of a certificate for one pod. The spec never changes; the signer answers once, with a
certificate and its times or with a refusal. Source: certificates.k8s.io/v1, KEP-4317.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from proa.api.errors import Cause, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, qualified_name
from proa.api.pem import Block, Malformed, blocks, parse_certificate, parse_request_der
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_conditions, check_key, invalid_part
from proa.apiserver.registry.kinds.certificate_signing_request import conditions_of
from proa.apiserver.registry.kinds.plain import PlainStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.signer_name import check_signer_name
from proa.apiserver.registry.strategy import StatusStrategy
from proa.lib.clock import parse_time

if TYPE_CHECKING:
    from cryptography import x509

DEFAULT_SECONDS, SHORTEST, LONGEST, LONGEST_OF_KUBERNETES = 86400, 3600, 91 * 86400, 86400
MAX_REQUEST, MAX_UID = 10 * 1024, 128
KNOWN = ("Issued", "Denied", "Failed")
ISSUED_FIELDS = ("certificateChain", "notBefore", "beginRefreshAt", "notAfter")
MARGIN = timedelta(minutes=10)
MAX_CHAIN = 100 * 1024
CONSISTENT = "must be present and consistent with the issued certificate"
TIMES = {
    "notBefore": CONSISTENT, "notAfter": CONSISTENT,
    "beginRefreshAt": "must be present and in the range [notbefore+10min, notafter-10min]",
}  # fmt: skip
ONE = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
FINAL = "immutable after PodCertificateRequest is issued, denied, or failed"
ONLY_CONDITIONS = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
UNDECIDED = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
NOT_CERTIFICATES = "issued certificate chain must consist entirely of CERTIFICATE PEM blocks"


class PodCertificateRequestStrategy(PlainStrategy):
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("maxExpirationSeconds", DEFAULT_SECONDS)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = check_signer_name("spec.signerName", spec.get("signerName") or "")
        causes += _check_annotations(spec.get("unverifiedUserAnnotations") or {})
        for name, uid in (("podName", "podUID"), ("serviceAccountName", "serviceAccountUID"), ("nodeName", "nodeUID")):
            causes += check_key(f"spec.{name}", spec.get(name), dns1123_subdomain) + _check_uid(f"spec.{uid}", spec.get(uid) or "")
        kubernetes = f".{(spec.get('signerName') or '').partition('/')[0]}".endswith(".kubernetes.io")
        longest, seconds = LONGEST_OF_KUBERNETES if kubernetes else LONGEST, spec.get("maxExpirationSeconds", 0)
        if not SHORTEST <= seconds <= longest:
            causes.append(invalid("spec.maxExpirationSeconds", seconds, f"must be in the range [{SHORTEST}, {longest}]"))
        return causes + _check_request(spec.get("stubPKCS10Request") or "")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec", obj.get("spec"), old.get("spec"))


def _check_uid(path: str, value: str) -> list[Cause]:
    if not value:
        return [invalid(path, value, "must not be empty")]
    return [too_long(path, MAX_UID)] if len(value.encode()) > MAX_UID else []


def _check_annotations(annotations: dict[str, str]) -> list[Cause]:
    path, causes = "spec.unverifiedUserAnnotations", []
    for key in annotations:
        causes += [invalid(path, key, problem) for problem in qualified_name(key)]
        if "/" not in key:
            causes.append(invalid(path, key, 'must be domain-prefixed (such as "acme.io/foo")'))
    return causes


def _check_request(encoded: str) -> list[Cause]:
    path = "spec.stubPKCS10Request"
    if not encoded:
        return [required(path)]
    try:
        der = base64.b64decode(encoded)
        if len(der) > MAX_REQUEST:
            return [too_long(path, MAX_REQUEST)]
        problem = _key_problem(parse_request_der(der))
    except (Malformed, binascii.Error) as error:
        return [invalid(path, encoded, f"must be a PKCS#10 certificate signing request with a valid signature: {error}")]
    return [invalid(path, encoded, problem)] if problem else []


def _key_problem(request: "x509.CertificateSigningRequest") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "" if key.key_size in (3072, 4096) else "RSA keys must have modulus size 3072 or 4096"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "" if key.curve.name in ("secp256r1", "secp384r1", "secp521r1") else "elliptic public keys must use curve P256, P384 or P521"
    return "" if isinstance(key, ed25519.Ed25519PublicKey) else "unknown public key type; supported types are Ed25519, ECDSA, and RSA"


class PodCertificateStatusStrategy(StatusStrategy):
    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        for each in conditions_of(obj):
            if not each.get("lastTransitionTime"):
                each["lastTransitionTime"] = context.now

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return check_answer(obj, old)


def check_answer(obj: Object, old: Object) -> list[Cause]:
    """One answer, whole, and for good."""
    status, before = obj.get("status") or {}, old.get("status") or {}
    if causes := _check_conditions(obj):
        return causes
    if conditions_of(old, *KNOWN):
        return [] if status == before else [invalid_part("status", FINAL)]
    if conditions_of(obj, "Denied", "Failed"):
        return [invalid_part("status", ONLY_CONDITIONS)] if any(status.get(field) for field in ISSUED_FIELDS) else []
    if conditions_of(obj, "Issued"):
        return _check_chain(status, obj["spec"])
    return [] if status == before else [invalid_part("status", UNDECIDED)]


def _check_conditions(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    decided = 0
    for index, each in enumerate(conditions_of(obj)):
        path = f"status.conditions.[{index}]"
        if each.get("type") not in KNOWN:
            causes.append(not_supported(f"{path}.type", each.get("type") or "", KNOWN, in_order=False))
            continue
        decided += 1
        if decided > 1:
            causes.append(invalid(f"{path}.type", each["type"], ONE))
        if each.get("status") != "True":
            causes.append(not_supported(f"{path}.status", each.get("status") or "", ("True",)))
    return causes + check_conditions(conditions_of(obj), "status.conditions")


def _check_chain(status: Object, spec: Object) -> list[Cause]:
    """What is wrong first is enough to tell."""
    path, chain = "status.certificateChain", status.get("certificateChain") or ""
    if len(chain.encode()) > MAX_CHAIN:
        return [too_long(path, MAX_CHAIN)]
    found = blocks(chain)
    if not found:
        return [invalid(path, chain, "issued certificate chain must contain at least one certificate")]
    if found[0].type != "CERTIFICATE":
        return [invalid(path, chain, NOT_CERTIFICATES)]
    try:
        leaf = parse_certificate(found[0].der)
    except ValueError:
        return [invalid(path, chain, "leaf certificate does not parse as valid X.509")]
    if not _is_for(leaf, spec):
        return [invalid(path, chain, "leaf certificate was not issued to the requested public key")]
    return _check_times(status, leaf, spec) or _check_rest(path, chain, found[1:])


def _is_for(leaf: "x509.Certificate", spec: Object) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    wanted = parse_request_der(base64.b64decode(spec["stubPKCS10Request"])).public_key()
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return wanted.public_bytes(*form) == leaf.public_key().public_bytes(*form)


def _check_rest(path: str, chain: str, rest: Sequence[Block]) -> list[Cause]:
    for block in rest:
        if block.type != "CERTIFICATE":
            return [invalid(path, chain, NOT_CERTIFICATES)]
        try:
            parse_certificate(block.der)
        except ValueError:
            return [invalid(path, chain, "intermediate certificate does not parse as valid X.509")]
    return []


def _check_times(status: Object, leaf: "x509.Certificate", spec: Object) -> list[Cause]:
    missing = [required(f"status.{field}", why) for field, why in TIMES.items() if not status.get(field)]
    if missing:
        return missing
    start, end, refresh = (parse_time(status[field]) for field in TIMES)
    lifetime, longest = end - start, spec.get("maxExpirationSeconds", DEFAULT_SECONDS)
    nanoseconds = int(lifetime.total_seconds()) * 10**9
    if start != leaf.not_valid_before_utc:
        return [invalid("status.notBefore", status["notBefore"], "must be set to the NotBefore time encoded in the leaf certificate")]
    if end != leaf.not_valid_after_utc:
        return [invalid("status.notAfter", status["notAfter"], "must be set to the NotAfter time encoded in the leaf certificate")]
    if lifetime < timedelta(seconds=SHORTEST):
        return [invalid("status.certificateChain", nanoseconds, "leaf certificate lifetime must be >= 1 hour")]
    if lifetime > timedelta(seconds=longest):
        detail = f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({longest})"
        return [invalid("status.certificateChain", nanoseconds, detail)]
    if refresh < start + MARGIN:
        return [invalid("status.beginRefreshAt", status["beginRefreshAt"], "must be at least 10 minutes after status.notBefore")]
    if refresh > end - MARGIN:
        return [invalid("status.beginRefreshAt", status["beginRefreshAt"], "must be at least 10 minutes before status.notAfter")]
    return []
