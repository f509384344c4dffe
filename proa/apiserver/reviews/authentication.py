"""Who is it? TokenReview, which webhooks and aggregated servers ask about their callers, and SelfSubjectReview (`kubectl auth whoami`)."""

from collections.abc import Sequence

from proa.api.errors import BadRequest
from proa.api.meta import Object
from proa.apiserver.authn.token import InvalidToken, TokenUnion
from proa.apiserver.interface import User

GROUP = "authentication.k8s.io"


class AuthenticationReviews:
    """`audiences` are this API server's, for reviews that ask for none."""

    def __init__(self, tokens: TokenUnion, audiences: Sequence[str]) -> None:
        self._tokens = tokens
        self._audiences = tuple(audiences)

    async def token(self, user: User, namespace: str, obj: Object) -> Object:
        """Who a token stands for, and which of the audiences asked for it is good for."""
        spec = obj.get("spec") or {}
        if not spec.get("token"):
            raise BadRequest("token is required for TokenReview in authentication")
        status: Object = {"user": {}}
        try:
            found = await self._tokens.authenticate_token(spec["token"], spec.get("audiences") or self._audiences)
        except InvalidToken as refused:
            status["error"] = refused.why
        else:
            status = {"authenticated": True, "user": user_info(found.user), "audiences": list(found.audiences)}
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
