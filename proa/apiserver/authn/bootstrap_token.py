"""Bootstrap tokens, `ID.SECRET`: a node that joins has one before it has anything else. Each is a Secret of kube-system, of type
bootstrap.kubernetes.io/token and named bootstrap-token-ID. Source: Kubernetes' "Authenticating with Bootstrap Tokens".
"""

import base64
import hmac
import re
from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.authn.token import Identified
from proa.apiserver.interface import ObjectReader, User
from proa.lib.clock import Clock, parse_time

TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
SECRET_TYPE = "bootstrap.kubernetes.io/token"
NAMESPACE, NAME_PREFIX = "kube-system", "bootstrap-token-"
USER_PREFIX, GROUP = "system:bootstrap:", "system:bootstrappers"


class BootstrapTokenAuthenticator:
    def __init__(self, reader: ObjectReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        parts = TOKEN.fullmatch(token)
        secret = self._reader.get("", "secrets", f"{NAME_PREFIX}{parts[1]}", NAMESPACE) if parts else None
        if parts is None or secret is None:
            return None
        groups = groups_of(secret, parts[1], parts[2], self._clock.now().timestamp())
        return Identified(User(f"{USER_PREFIX}{parts[1]}", groups)) if groups else None


def groups_of(secret: Object, token_id: str, token_secret: str, now: float) -> tuple[str, ...]:
    """The groups that this token gives, none if the Secret does not allow it to authenticate."""
    data = decoded(secret)
    if meta.is_terminating(secret) or secret.get("type") != SECRET_TYPE or data.get("token-id") != token_id:
        return ()
    if not hmac.compare_digest(data.get("token-secret", "").encode(), token_secret.encode()):
        return ()
    if is_expired(data, now) or data.get("usage-bootstrap-authentication") != "true":
        return ()
    extra = sorted({each for each in data.get("auth-extra-groups", "").split(",") if each})
    if not all(EXTRA_GROUP.fullmatch(each) for each in extra):
        return ()
    return (GROUP, *extra)


def is_expired(data: dict[str, str], now: float) -> bool:
    """A time that can't be read counts as over."""
    expiration = data.get("expiration", "")
    if not expiration:
        return False
    try:
        return parse_time(expiration).timestamp() < now
    except ValueError:
        return True


def decoded(secret: Object) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in (secret.get("data") or {}).items()}
