"""What a bootstrap token's Secret says, as the controllers that look after them read it. Source: "Authenticating with Bootstrap Tokens"."""

import base64
from datetime import datetime

from proa.api import meta
from proa.api.meta import Object
from proa.lib.clock import parse_time

SECRET_TYPE = "bootstrap.kubernetes.io/token"
NAMESPACE, NAME_PREFIX = "kube-system", "bootstrap-token-"


def decoded(secret: Object) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in (secret.get("data") or {}).items()}


def expiration(data: dict[str, str], now: datetime) -> datetime | None:
    """When the token ends, None for never; a time that can't be read is over now."""
    told = data.get("expiration", "")
    if not told:
        return None
    try:
        return parse_time(told)
    except ValueError:
        return now


def signs(secret: Object, now: datetime) -> tuple[str, str] | None:
    """(ID, secret) of a token that the cluster-info ConfigMap is signed with."""
    data = decoded(secret)
    token_id, token_secret = data.get("token-id", ""), data.get("token-secret", "")
    if secret.get("type") != SECRET_TYPE or not token_id or not token_secret or meta.name(secret) != NAME_PREFIX + token_id:
        return None
    end = expiration(data, now)
    if (end is not None and end <= now) or data.get("usage-bootstrap-signing") != "true":
        return None
    return token_id, token_secret
