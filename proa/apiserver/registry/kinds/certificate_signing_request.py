"""CertificateSigningRequest: who asks is what the server says, the spec never changes, approval and issuing have an endpoint each.

/approval sets the conditions Approved and Denied, /status the certificate and the condition Failed; neither takes anything back. Source:
certificates.k8s.io/v1, "Certificates and Certificate Signing Requests".
"""

import base64
import binascii
from collections.abc import Sequence
from typing import ClassVar, Literal

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.pem import Malformed, check_certificates, parse_request
from proa.api.resource import StrategyContext
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.signer_name import check_signer_name
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy

LEGACY = "kubernetes.io/legacy-unknown"
SHORTEST_SECONDS = 600
USAGES = (
    "signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment", "cert sign", "crl sign",
    "encipher only", "decipher only", "any", "server auth", "client auth", "code signing", "email protection", "s/mime", "ipsec end system",
    "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing", "microsoft sgc", "netscape sgc",
)  # fmt: skip
DECIDED = ("Approved", "Denied")
TERMINAL = (*DECIDED, "Failed")
CONDITIONS = "status.conditions"
Part = Literal["", "status", "approval"]


def conditions_of(obj: Object, *types: str) -> list[Object]:
    """All, or those of these types."""
    found = (obj.get("status") or {}).get("conditions") or []
    return [each for each in found if not types or each.get("type") in types]


class CertificateSigningRequestStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.setdefault("spec", {})
        who = context.requester
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        if who is not None:
            extra = {key: list(values) for key, values in who.extra.items()}
            caller = {"username": who.name, "uid": who.uid, "groups": list(who.groups), "extra": extra}
            spec.update({field: value for field, value in caller.items() if value})

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        obj["spec"] = old.get("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        return check_request(obj, None)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return check_change(obj, old, "")


class RequestPartStrategy(StatusStrategy):
    """/status or /approval. What this endpoint may not set stays as it was; what it may gets its times."""

    def __init__(self, main: KindStrategy, part: Part) -> None:
        super().__init__(main)
        self._part: Part = part

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        kept = ("Failed",) if self._part == "approval" else DECIDED
        keep_conditions(obj, old, kept)
        if self._part == "approval":
            status, before = obj.setdefault("status", {}), old.get("status") or {}
            status.pop("certificate", None)
            if before.get("certificate"):
                status["certificate"] = before["certificate"]
        stamp_conditions(obj, old, context.now)

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return check_change(obj, old, self._part)


def keep_conditions(obj: Object, old: Object, types: Sequence[str]) -> None:
    """Conditions of these types are the old ones, unless some were added or removed, which validation refuses."""
    new = conditions_of(obj)
    for type_ in types:
        before = conditions_of(old, type_)
        places = [index for index, each in enumerate(new) if each.get("type") == type_]
        if len(before) == len(places):
            for index, each in zip(places, before, strict=True):
                new[index] = dict(each)
    if new:
        obj["status"]["conditions"] = new


def stamp_conditions(obj: Object, old: Object, now: str) -> None:
    for each in conditions_of(obj):
        if not each.get("lastUpdateTime"):
            each["lastUpdateTime"] = now
        if not each.get("lastTransitionTime"):
            same = (one for one in conditions_of(old, each.get("type", "")) if one.get("status") == each.get("status"))
            each["lastTransitionTime"] = next((one["lastTransitionTime"] for one in same if one.get("lastTransitionTime")), now)


def check_request(obj: Object, old: Object | None) -> list[Cause]:
    """`old` is what is stored: what was wrong there already is borne."""
    spec = obj.get("spec") or {}
    causes = _check_body(spec.get("request") or "") if old is None else []
    if not spec.get("usages"):
        causes.append(required("spec.usages"))
    if old is None:
        causes += _check_usages(spec.get("usages") or [])
        if spec.get("signerName") == LEGACY:
            causes.append(invalid("spec.signerName", LEGACY, "the legacy signerName is not allowed via this API version"))
        else:
            causes += check_signer_name("spec.signerName", spec.get("signerName") or "")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST_SECONDS:
        causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))
    return causes + _check_conditions(obj, old) + _check_certificate(obj, old)


def _check_body(request: str) -> list[Cause]:
    try:
        parse_request(base64.b64decode(request).decode("latin-1"))
    except (Malformed, binascii.Error) as error:
        return [invalid("spec.request", request, str(error))]
    return []


def _check_usages(usages: list[str]) -> list[Cause]:
    causes = [not_supported(f"spec.usages[{index}]", each, USAGES) for index, each in enumerate(usages) if each not in USAGES]
    return causes + [duplicate(f"spec.usages[{index}]", each) for index, each in enumerate(usages) if each in usages[:index]]


def _check_conditions(obj: Object, old: Object | None) -> list[Cause]:
    causes: list[Cause] = []
    before = conditions_of(old) if old else []
    bears_both = {each.get("type") for each in before} >= set(DECIDED)
    seen: list[str] = []
    for index, each in enumerate(conditions_of(obj)):
        path, type_ = f"{CONDITIONS}[{index}]", each.get("type") or ""
        if not type_:
            causes.append(required(f"{path}.type"))
        causes += _check_condition_status(f"{path}.status", each.get("status") or "", type_)
        if type_ in DECIDED and set(DECIDED) - {type_} <= set(seen) and not bears_both:
            causes.append(invalid(CONDITIONS, type_, "Approved and Denied conditions are mutually exclusive"))
        if type_ in seen:
            causes.append(duplicate(f"{path}.type", type_))
        seen.append(type_)
    return causes


def _check_condition_status(path: str, status: str, type_: str) -> list[Cause]:
    allowed = ("True",) if type_ in TERMINAL else ("False", "True", "Unknown")
    if not status:
        return [required(path)]
    return [] if status in allowed else [not_supported(path, status, allowed)]


def _check_certificate(obj: Object, old: Object | None) -> list[Cause]:
    certificate = (obj.get("status") or {}).get("certificate")
    if not certificate or (old is not None and certificate == (old.get("status") or {}).get("certificate")):
        return []
    try:
        check_certificates(base64.b64decode(certificate).decode("latin-1"))
    except (Malformed, binascii.Error) as error:
        return [invalid("status.certificate", "<certificate data>", str(error))]
    return []


def check_change(obj: Object, old: Object, part: Part) -> list[Cause]:
    causes = check_request(obj, old)
    for type_ in TERMINAL:
        if len(conditions_of(obj, type_)) < len(conditions_of(old, type_)):
            causes.append(forbidden(CONDITIONS, f'updates may not remove a condition of type "{type_}"'))
    for type_ in DECIDED if part != "approval" else ():
        new, before = conditions_of(obj, type_), conditions_of(old, type_)
        if len(new) > len(before):
            causes.append(forbidden(CONDITIONS, f'updates may not add a condition of type "{type_}"'))
        elif len(new) == len(before) and new != before:
            causes.append(forbidden(CONDITIONS, f'updates may not modify a condition of type "{type_}"'))
    issued, was = (obj.get("status") or {}).get("certificate") or "", (old.get("status") or {}).get("certificate") or ""
    if issued != was and part != "status":
        causes.append(forbidden("status.certificate", "updates may not set certificate content"))
    elif issued != was and was:
        causes.append(forbidden("status.certificate", "updates may not modify existing certificate content"))
    return causes
