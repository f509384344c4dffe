"""PodCertificateRequest: a kubelet's request of a certificate for one pod. The spec never changes; the signer answers once, with a
certificate and its times or with a refusal. Source: certificates.k8s.io/v1, KEP-4317.
"""

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from proa.api.errors import Cause, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, qualified_name
from proa.api.pem import Malformed, blocks, check_certificates, parse_certificate, parse_request_der
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_name
from proa.apiserver.registry.kinds.certificate_signing_request import conditions_of, keep_conditions
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
CONSISTENT = "must be present and consistent with the issued certificate"


class PodCertificateRequestStrategy(PlainStrategy):
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("maxExpirationSeconds", DEFAULT_SECONDS)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = check_signer_name("spec.signerName", spec.get("signerName") or "")
        for field in ("podName", "serviceAccountName", "nodeName"):
            causes += check_name(f"spec.{field}", spec.get(field), dns1123_subdomain)
        for field in ("podUID", "serviceAccountUID", "nodeUID"):
            causes += _check_uid(f"spec.{field}", spec.get(field) or "")
        kubernetes = (spec.get("signerName") or "").partition("/")[0] in ("kubernetes.io",)
        longest, seconds = LONGEST_OF_KUBERNETES if kubernetes else LONGEST, spec.get("maxExpirationSeconds", 0)
        if not SHORTEST <= seconds <= longest:
            causes.append(invalid("spec.maxExpirationSeconds", seconds, f"must be in the range [{SHORTEST}, {longest}]"))
        causes += _check_request(spec.get("stubPKCS10Request") or "")
        return causes + _check_annotations(spec.get("unverifiedUserAnnotations") or {})

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec", obj.get("spec"), old.get("spec"))


def _check_uid(path: str, value: str) -> list[Cause]:
    if not value:
        return [required(path)]
    return [too_long(path, MAX_UID)] if len(value) > MAX_UID else []


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
        keep_conditions(obj, old, KNOWN)
        for each in conditions_of(obj):
            if not each.get("lastTransitionTime"):
                each["lastTransitionTime"] = context.now

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return check_answer(obj, old)


def check_answer(obj: Object, old: Object) -> list[Cause]:
    """One answer, whole, and for good."""
    status, before = obj.get("status") or {}, old.get("status") or {}
    if any(before.get(field) for field in ISSUED_FIELDS) or conditions_of(old, *KNOWN):
        causes = [cause for field in ISSUED_FIELDS for cause in immutable(f"status.{field}", status.get(field), before.get(field))]
        return causes + immutable("status.conditions", conditions_of(obj, *KNOWN), conditions_of(old, *KNOWN))
    causes = _check_conditions(obj)
    issued = bool(conditions_of(obj, "Issued"))
    if not issued and not any(status.get(field) for field in ISSUED_FIELDS):
        return causes
    if not issued:
        detail = 'must be unset unless a condition of type "Issued" is present'
        return causes + [invalid(f"status.{field}", status[field], detail) for field in ISSUED_FIELDS if status.get(field)]
    missing = [required(f"status.{field}", CONSISTENT) for field in ISSUED_FIELDS if not status.get(field)]
    return causes + (missing or _check_chain(status, obj["spec"]))


def _check_conditions(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    for index, each in enumerate(conditions_of(obj)):
        path = f"status.conditions[{index}]"
        if each.get("type") not in KNOWN:
            causes.append(not_supported(f"{path}.type", each.get("type") or "", KNOWN))
        elif each.get("status") != "True":
            causes.append(not_supported(f"{path}.status", each.get("status") or "", ("True",)))
        if not each.get("reason"):
            causes.append(required(f"{path}.reason"))
    if len(conditions_of(obj, *KNOWN)) > 1:
        found = [each["type"] for each in conditions_of(obj, *KNOWN)]
        detail = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
        causes.append(invalid("status.conditions", found, detail))
    return causes


def _check_chain(status: Object, spec: Object) -> list[Cause]:
    try:
        check_certificates(status["certificateChain"])
        leaf = parse_certificate(blocks(status["certificateChain"])[0].der)
    except Malformed as error:
        return [invalid("status.certificateChain", "<certificate data>", str(error))]
    start, end, refresh = (parse_time(status[field]) for field in ("notBefore", "notAfter", "beginRefreshAt"))
    causes: list[Cause] = []
    if start != leaf.not_valid_before_utc:
        causes.append(invalid("status.notBefore", status["notBefore"], "must be set to the NotBefore time encoded in the leaf certificate"))
    if end != leaf.not_valid_after_utc:
        causes.append(invalid("status.notAfter", status["notAfter"], "must be set to the NotAfter time encoded in the leaf certificate"))
    return causes + _check_times(status, start, refresh, end, timedelta(seconds=spec.get("maxExpirationSeconds", DEFAULT_SECONDS)))


def _check_times(status: Object, start: datetime, refresh: datetime, end: datetime, longest: timedelta) -> list[Cause]:
    causes: list[Cause] = []
    if end - start < timedelta(seconds=SHORTEST):
        causes.append(invalid("status.certificateChain", "<certificate data>", "leaf certificate lifetime must be >= 1 hour"))
    if end - start > longest:
        detail = f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({int(longest.total_seconds())})"
        causes.append(invalid("status.certificateChain", "<certificate data>", detail))
    if refresh < start + MARGIN:
        causes.append(invalid("status.beginRefreshAt", status["beginRefreshAt"], "must be at least 10 minutes after status.notBefore"))
    if refresh > end - MARGIN:
        causes.append(invalid("status.beginRefreshAt", status["beginRefreshAt"], "must be at least 10 minutes before status.notAfter"))
    return causes
