"""AuthorizationConfiguration (--authorization-config): which authorizers are asked in which order, and the details of webhooks. It is in
force again each time that the file changes. Source: apiserver.config.k8s.io/v1, KEP-3221.
"""

from dataclasses import field
from pathlib import Path
from typing import Any

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.apiserver.authz.webhook import WebhookPolicy
from proa.apiserver.configuration_file import read_configuration, seconds
from proa.apiserver.identity_expression import CompileError, IdentityExpression
from proa.lib.dataclass import dataclass

KIND = "AuthorizationConfiguration"
VERSIONS = ("v1", "v1beta1", "v1alpha1")
TYPES = ("AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook")
MAX_CONDITIONS = 64
_WEBHOOK: dict[str, Any] = {
    **dict.fromkeys(
        (
            "authorizedTTL", "cacheAuthorizedRequests", "unauthorizedTTL", "cacheUnauthorizedRequests", "timeout",
            "subjectAccessReviewVersion", "matchConditionSubjectAccessReviewVersion", "failurePolicy",
        )
    ),
    "connectionInfo": {"type": None, "kubeConfigFile": None},
    "matchConditions": [{"expression": None}],
}  # fmt: skip
MEMBERS: dict[str, Any] = {"authorizers": [{"type": None, "name": None, "webhook": _WEBHOOK}]}


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """`policy`, `timeout` and `kubeconfig` are a webhook's; without a file it is the one that a pod finds."""

    type: str
    name: str = ""
    policy: WebhookPolicy = field(default_factory=WebhookPolicy)
    timeout: float = 30.0
    kubeconfig: Path | None = None


def read_authorization_configuration(text: str) -> list[AuthorizerSettings]:
    """Raises ValueError with every problem."""
    document = read_configuration(text, KIND, VERSIONS, MEMBERS)
    authorizers = document.get("authorizers") or []
    causes = problems(authorizers)
    if causes:
        details = [cause.detail for cause in causes]
        raise ValueError(details[0] if len(details) == 1 else f"[{', '.join(details)}]")
    return [_settings(each) for each in authorizers]


def problems(authorizers: list[Object]) -> list[Cause]:
    causes = [] if authorizers else [required("authorizers", "at least one authorization mode must be defined")]
    types: set[str] = set()
    names: set[str] = set()
    for index, each in enumerate(authorizers):
        path, kind, name = f"authorizers[{index}]", each.get("type") or "", each.get("name") or ""
        if kind not in TYPES:
            causes.append(not_supported(f"{path}.type", kind, TYPES) if kind else required(f"{path}.type"))
            continue
        if kind in types and kind != "Webhook":
            causes.append(duplicate(f"{path}.type", kind))
            continue
        types.add(kind)
        causes += _name_problems(name, names, f"{path}.name")
        names.add(name)
        if kind != "Webhook":
            if each.get("webhook") is not None:
                causes.append(invalid(f"{path}.webhook", "non-null", "may only be specified when type=Webhook"))
        elif each.get("webhook") is None:
            causes.append(required(f"{path}.webhook", "required when type=Webhook"))
        else:
            causes += webhook_problems(each["webhook"], path)
    return causes


def _name_problems(name: str, seen: set[str], path: str) -> list[Cause]:
    if not name:
        return [required(path)]
    if name in seen:
        return [duplicate(path, name)]
    wrong = dns1123_subdomain(name)
    return [invalid(path, name, f"authorizer name is invalid: {', '.join(wrong)}")] if wrong else []


def webhook_problems(webhook: Object, path: str) -> list[Cause]:
    """Upstream leaves `webhook` out of these paths."""
    causes = _duration_problems(webhook, path)
    version = webhook.get("subjectAccessReviewVersion") or ""
    if version not in ("v1", "v1beta1"):
        where = f"{path}.subjectAccessReviewVersion"
        causes.append(not_supported(where, version, ("v1", "v1beta1")) if version else required(where))
    conditions, seen = webhook.get("matchConditions") or [], webhook.get("matchConditionSubjectAccessReviewVersion") or ""
    where = f"{path}.matchConditionSubjectAccessReviewVersion"
    if not seen and conditions:
        causes.append(required(where, "required if match conditions are specified"))
    elif seen not in ("", "v1"):
        causes.append(not_supported(where, seen, ("v1",)))
    policy = webhook.get("failurePolicy") or ""
    if policy not in ("NoOpinion", "Deny"):
        where = f"{path}.failurePolicy"
        causes.append(not_supported(where, policy, ("NoOpinion", "Deny")) if policy else required(where))
    return causes + _connection_problems(webhook.get("connectionInfo") or {}, path) + _condition_problems(conditions, path)


def _duration_problems(webhook: Object, path: str) -> list[Cause]:
    causes = []
    for member, most, default in (("timeout", 30.0, None), ("authorizedTTL", None, "5m"), ("unauthorizedTTL", None, "30s")):
        told = webhook.get(member) or default
        where = f"{path}.{member}"
        if told is None:
            causes.append(required(where))
            continue
        found = seconds(told)
        if found <= 0 or (most is not None and found > most):
            causes.append(invalid(where, told, "must be > 0s and <= 30s" if most else "must be > 0s"))
    return causes


def _connection_problems(connection: Object, path: str) -> list[Cause]:
    kind, file = connection.get("type") or "", connection.get("kubeConfigFile")
    where = f"{path}.connectionInfo"
    if not kind:
        return [required(f"{where}.type")]
    if kind == "InClusterConfig":
        return [invalid(f"{where}.kubeConfigFile", file, "can only be set when type=KubeConfigFile")] if file is not None else []
    if kind != "KubeConfigFile":
        return [not_supported(f"{where}.type", kind, ("InClusterConfig", "KubeConfigFile"))]
    if not file:
        return [required(f"{where}.kubeConfigFile")]
    if not Path(file).is_absolute():
        return [invalid(f"{where}.kubeConfigFile", file, "must be an absolute path")]
    if not Path(file).exists():
        return [invalid(f"{where}.kubeConfigFile", file, f"error loading file: stat {file}: no such file or directory")]
    return [] if Path(file).is_file() else [invalid(f"{where}.kubeConfigFile", file, "must be a regular file")]


def _condition_problems(conditions: list[Object], path: str) -> list[Cause]:
    where = f"{path}.matchConditions"
    if len(conditions) > MAX_CONDITIONS:
        return [Cause(where, f"Too many: {len(conditions)}: must have at most {MAX_CONDITIONS} items", "FieldValueTooMany")]
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, each in enumerate(conditions):
        place, source = f"{where}[{index}].expression", each.get("expression") or ""
        if not source.strip():
            causes.append(required(place))
        elif source in seen:
            causes.append(duplicate(place, source))
        else:
            seen.add(source)
            causes += _compile_problems(source, place)
    return causes


def _compile_problems(source: str, place: str) -> list[Cause]:
    try:
        IdentityExpression(source, "request", condition=True)
    except CompileError as error:
        return [invalid(place, source, str(error))]
    return []


def _settings(document: Object) -> AuthorizerSettings:
    webhook = document.get("webhook") or {}
    if document["type"] != "Webhook":
        return AuthorizerSettings(document["type"], document["name"])
    conditions = tuple(
        IdentityExpression(each["expression"], "request", condition=True) for each in webhook.get("matchConditions") or ()
    )  # fmt: skip
    remembers = {member: webhook.get(member) is not False for member in ("cacheAuthorizedRequests", "cacheUnauthorizedRequests")}
    policy = WebhookPolicy(
        version=webhook["subjectAccessReviewVersion"],
        authorized_seconds=seconds(webhook.get("authorizedTTL") or "5m") if remembers["cacheAuthorizedRequests"] else 0.0,
        unauthorized_seconds=seconds(webhook.get("unauthorizedTTL") or "30s") if remembers["cacheUnauthorizedRequests"] else 0.0,
        deny_on_failure=webhook["failurePolicy"] == "Deny",
        conditions=conditions,
    )
    file = (webhook.get("connectionInfo") or {}).get("kubeConfigFile")
    return AuthorizerSettings("Webhook", document["name"], policy, seconds(webhook["timeout"]), Path(file) if file else None)
