"""Who is it? TokenReview, which webhooks and aggregated servers ask about their callers, and SelfSubjectReview (`kubectl auth whoami`)."""

from proa.api import meta
from proa.api.errors import Invalid, required
from proa.api.meta import Object
from proa.apiserver.authn.service_account_token import ServiceAccountTokenAuthenticator
from proa.apiserver.interface import User

GROUP = "authentication.k8s.io"


class AuthenticationReviews:
    def __init__(self, tokens: ServiceAccountTokenAuthenticator) -> None:
        self._tokens = tokens

    async def token(self, user: User, namespace: str, obj: Object) -> Object:
        spec = obj.get("spec") or {}
        if not spec.get("token"):
            raise Invalid.of(GROUP, "TokenReview", meta.name(obj), [required("spec.token")])
        found = self._tokens.authenticate_token(spec["token"], spec.get("audiences") or ())
        if found is None:
            status: Object = {"user": {}, "error": "invalid bearer token"}
        else:
            subject, audiences = found
            status = {"authenticated": True, "user": user_info(subject), "audiences": list(audiences)}
        return obj | {"metadata": obj.get("metadata") or {}, "status": status}

    async def self_subject(self, user: User, namespace: str, obj: Object) -> Object:
        identity = {"apiVersion": obj.get("apiVersion", f"{GROUP}/v1"), "kind": "SelfSubjectReview"}
        return identity | {"metadata": obj.get("metadata") or {}, "status": {"userInfo": user_info(user)}}


def user_info(user: User) -> Object:
    """authentication.k8s.io/v1 UserInfo, without empty members."""
    info: Object = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {key: value for key, value in info.items() if value}
