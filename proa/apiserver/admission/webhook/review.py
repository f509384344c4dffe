"""AdmissionReview: what a webhook is asked, and what counts as an answer. Source: admission.k8s.io v1 and its verification rules."""

import base64
import binascii
import random
from dataclasses import field
from typing import Any
from uuid import UUID

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.admission.policy.request_view import NAMESPACES
from proa.apiserver.admission.shown import SCALE
from proa.apiserver.admission.webhook.matching import Invocation
from proa.apiserver.interface import Attributes, User
from proa.lib.dataclass import dataclass

REVIEW_VERSIONS = ("v1", "v1beta1")


class InvalidReview(Exception):
    """Why an answer does not count."""


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    status: Object = field(default_factory=dict)
    patch: bytes = b""
    patch_type: str = ""
    warnings: tuple[str, ...] = ()
    audit_annotations: dict[str, str] = field(default_factory=dict)


def build_review(attributes: Attributes, invocation: Invocation, obj: Object | None, old: Object | None) -> tuple[Object, str]:
    """(AdmissionReview, its UID)."""
    uid = str(UUID(int=random.getrandbits(128), version=4))
    asked, shown = attributes.resource.id, invocation.resource.id
    version = next((each for each in invocation.hook.review_versions if each in REVIEW_VERSIONS), "v1")
    namespace = attributes.namespace
    if attributes.group_resource == NAMESPACES:
        namespace = attributes.name
    request: Object = {
        "uid": uid,
        "kind": _kind(obj or old, shown, attributes.subresource),
        "resource": {"group": shown.group, "version": shown.version, "resource": shown.plural},
        "requestKind": _kind(attributes.object or attributes.old_object, asked, attributes.subresource),
        "requestResource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
        "name": attributes.name,
        "namespace": namespace,
        "operation": attributes.operation,
        "userInfo": _user(attributes.user),
        "object": obj,
        "oldObject": old,
        "dryRun": attributes.dry_run,
        "options": attributes.options or None,
    }
    if attributes.subresource:
        request |= {"subResource": attributes.subresource, "requestSubResource": attributes.subresource}
    for key in ("name", "namespace"):
        if not request[key]:
            del request[key]
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}, uid


def _kind(obj: Object | None, identity: ResourceId, subresource: str) -> Object:
    api_version, kind = identity.api_version, identity.kind
    if subresource == "scale":
        api_version, kind = SCALE, "Scale"
    elif obj is not None and obj.get("kind") and obj.get("apiVersion"):
        api_version, kind = obj["apiVersion"], obj["kind"]
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _user(user: User) -> Object:
    told: Object = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {k: list(v) for k, v in user.extra.items()},
    }
    return {key: value for key, value in told.items() if value}


def verify(answer: Any, review: Object, uid: str, *, mutating: bool) -> Verdict:
    """Raises InvalidReview."""
    if not isinstance(answer, dict):
        raise InvalidReview("webhook response was absent")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise InvalidReview("webhook response was absent")
    if response.get("uid", "") != uid:
        raise InvalidReview(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    if (answer.get("apiVersion"), answer.get("kind")) != (review["apiVersion"], review["kind"]):
        got = f"{answer.get('apiVersion', '') or '/'}, Kind={answer.get('kind', '')}"
        raise InvalidReview(f"expected webhook response of {review['apiVersion']}, Kind={review['kind']}, got {got}")
    patch, patch_type = response.get("patch") or "", response.get("patchType")
    if mutating:
        _check_patch(patch, patch_type, lenient=review["apiVersion"].endswith("v1beta1"))
    elif review["apiVersion"].endswith("/v1"):
        if patch:
            raise InvalidReview("validating webhook may not return response.patch")
        if patch_type is not None:
            raise InvalidReview("validating webhook may not return response.patchType")
    try:
        decoded = base64.b64decode(patch, validate=True) if mutating else b""
    except (binascii.Error, ValueError) as error:
        raise InvalidReview(f"illegal base64 data in response.patch: {error}") from None
    return Verdict(
        bool(response.get("allowed")),
        response.get("status") or {},
        decoded,
        patch_type or ("JSONPatch" if patch else ""),
        tuple(str(each) for each in response.get("warnings") or ()),
        {str(key): str(value) for key, value in (response.get("auditAnnotations") or {}).items()},
    )


def _check_patch(patch: str, patch_type: str | None, *, lenient: bool) -> None:
    if lenient:
        return
    if patch and patch_type is None:
        raise InvalidReview("webhook returned response.patch but not response.patchType")
    if patch_type is not None and not patch:
        raise InvalidReview("webhook returned response.patchType but not response.patch")
    if patch_type == "":
        raise InvalidReview('webhook returned invalid response.patchType of ""')


class Denial(ApiError):
    """A webhook's own word."""


def denial(name: str, status: Object) -> Denial:
    """The Status that the webhook gave, with its name before the message."""
    denied = f'admission webhook "{name}" denied the request'
    if status.get("message"):
        message = f"{denied}: {status['message']}"
    elif status.get("reason"):
        message = f"{denied}: {status['reason']}"
    else:
        message = f"{denied} without explanation"
    code = max(int(status.get("code") or 0), 400)
    return Denial(message, status.get("details"), code=code, reason=status.get("reason") or "")
