"""CertificateSigningRequests: the requester is whoever asks, the spec never changes, and who approves is not who signs.

/approval changes nothing but conditions and may add Approved or Denied, /status sets the certificate once and any other condition; neither
takes an Approved, Denied or Failed back. Source: certificates.k8s.io/v1 and "Certificate Signing Requests" in the Kubernetes documentation.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import SUBDOMAIN_MAX_LENGTH, dns1123_label, dns1123_subdomain, path_segment
from proa.api.resource import StrategyContext
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy

LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
    "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
    "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
)  # fmt: skip
VERDICTS = ("Approved", "Denied")
LASTING = (*VERDICTS, "Failed")
STATUSES = ("False", "True", "Unknown")
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


class CertificateSigningRequestStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.setdefault("spec", {})
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        requester = context.requester
        if requester is None:
            return
        spec["username"] = requester.name
        if requester.uid:
            spec["uid"] = requester.uid
        if requester.groups:
            spec["groups"] = list(requester.groups)
        if requester.extra:
            spec["extra"] = {key: list(values) for key, values in requester.extra.items()}

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        obj["spec"] = old.get("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        problem = request_problem(spec.get("request") or "")
        causes = [invalid("spec.request", spec.get("request") or "", problem)] if problem else []
        causes += _check_usages(spec.get("usages") or ())
        causes += check_signer_name("spec.signerName", spec.get("signerName") or "")
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return []


def request_problem(encoded: str) -> str:
    """Why it is no PKCS#10 request in PEM whose signature is its own key's; "" if it is."""
    from cryptography import x509

    try:
        data = base64.b64decode(encoded)
    except (ValueError, binascii.Error):
        return "PEM block type must be CERTIFICATE REQUEST"
    block = _BLOCK.search(data)
    if block is None or block[1] != b"CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        return "" if x509.load_pem_x509_csr(block[0]).is_signature_valid else "x509: signature is not that of the request's key"
    except ValueError as error:
        return f"x509: malformed certificate request: {error}"


def _check_usages(usages: Sequence[str]) -> list[Cause]:
    if not usages:
        return [required("spec.usages")]
    causes = [not_supported(f"spec.usages[{index}]", each, USAGES) for index, each in enumerate(usages) if each not in USAGES]
    return causes + [duplicate(f"spec.usages[{index}]", each) for index, each in enumerate(usages) if each in usages[:index]]


def check_signer_name(path: str, name: str) -> list[Cause]:
    """DOMAIN/PATH, the domain of two segments at least."""
    if not name:
        return [required(path)]
    if name == LEGACY_SIGNER:
        return [invalid(path, name, "the legacy signerName is not allowed via this API version")]
    domain, slash, rest = name.partition("/")
    if not slash or "/" in rest:
        return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
    causes = [too_long(path, SUBDOMAIN_MAX_LENGTH)] if len(domain) > SUBDOMAIN_MAX_LENGTH else []
    causes += _check_labels(path, domain, dns1123_label)
    if "." not in domain:
        causes.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    return causes + _check_labels(path, rest, dns1123_subdomain)


def _check_labels(path: str, text: str, check: NameCheck) -> list[Cause]:
    for label in text.split("."):
        if problems := check(label):
            return [invalid(path, text, f'validating label "{label}": {problem}') for problem in problems]
    return []


class CertificateSigningRequestStatusStrategy(StatusStrategy):
    """/status: what the signer says."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, (), self._check)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        for kind in VERDICTS:
            _keep_instances(obj, old, kind)
        _stamp(obj, old, context.now)

    def _check(self, obj: Object, old: Object) -> list[Cause]:
        causes = _check_conditions(obj, old)
        for kind in VERDICTS:
            if len(_of(obj, kind)) > len(_of(old, kind)):
                causes.append(forbidden("status.conditions", f'updates may not add a condition of type "{kind}"'))
        new, before = (each.get("status", {}).get("certificate") or "" for each in (obj, old))
        if new == before:
            return causes
        if before:
            causes.append(forbidden("status.certificate", "updates may not modify existing certificate content"))
        return causes + [invalid("status.certificate", "<certificate data>", problem) for problem in _certificate_problems(new)]


class CertificateSigningRequestApprovalStrategy(StatusStrategy):
    """/approval: what the approver says."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, (), _check_conditions)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        conditions = (obj.get("status") or {}).get("conditions")
        obj["status"] = {key: value for key, value in (old.get("status") or {}).items() if key != "conditions"}
        if conditions is not None:
            obj["status"]["conditions"] = conditions
        _stamp(obj, old, context.now)


def _conditions(obj: Object) -> list[Any]:
    found: list[Any] = (obj.get("status") or {}).get("conditions") or []
    return found


def _of(obj: Object, kind: str) -> list[Object]:
    return [each for each in _conditions(obj) if each.get("type") == kind]


def _keep_instances(obj: Object, old: Object, kind: str) -> None:
    """Verdicts are not the signer's: as many as there were stay what they were."""
    before = _of(old, kind)
    if before and len(before) == len(_of(obj, kind)):
        kept = iter(before)
        obj["status"]["conditions"] = [next(kept) if each.get("type") == kind else each for each in _conditions(obj)]


def _stamp(obj: Object, old: Object, now: str) -> None:
    for condition in _conditions(obj):
        condition.setdefault("lastUpdateTime", now)
        if not condition.get("lastTransitionTime"):
            same = [each for each in _of(old, condition.get("type", "")) if each.get("status") == condition.get("status")]
            condition["lastTransitionTime"] = same[0].get("lastTransitionTime", now) if same else now


def _check_conditions(obj: Object, old: Object) -> list[Cause]:
    causes: list[Cause] = []
    kinds = [each.get("type", "") for each in _conditions(obj)]
    for index, condition in enumerate(_conditions(obj)):
        path, status = f"status.conditions[{index}]", condition.get("status", "")
        if not kinds[index]:
            causes.append(required(f"{path}.type"))
        if not status:
            causes.append(required(f"{path}.status"))
        elif status not in STATUSES or (kinds[index] in LASTING and status != "True"):
            causes.append(not_supported(f"{path}.status", status, ("True",) if kinds[index] in LASTING else STATUSES))
        if kinds[index] in kinds[:index]:
            causes.append(duplicate(f"{path}.type", kinds[index]))
    if set(VERDICTS) <= set(kinds):
        causes.append(invalid("status.conditions", "", "Approved and Denied conditions are mutually exclusive"))
    return causes + [
        forbidden("status.conditions", f'updates may not remove a condition of type "{kind}"')
        for kind in LASTING
        if len(_of(obj, kind)) < len(_of(old, kind))
    ]


def _certificate_problems(encoded: str) -> list[str]:
    try:
        blocks = _BLOCK.findall(base64.b64decode(encoded))
    except (ValueError, binascii.Error):
        blocks = []
    if not blocks:
        return ["must contain at least one CERTIFICATE PEM block"] if encoded else []
    strange = next((kind.decode() for kind, _ in blocks if kind != b"CERTIFICATE"), "")
    if strange:
        return [f'only CERTIFICATE PEM blocks are allowed, found "{strange}"']
    return ["no PEM block headers are permitted"] if any(b":" in body for _, body in blocks) else []
