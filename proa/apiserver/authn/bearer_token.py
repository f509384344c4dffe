"""The token of a request: in its Authorization header, or in a WebSocket's subprotocol, as browsers can't set headers there.

What has served to authenticate goes no further: proxies to pods, nodes and extension servers must not hand it on.
"""

from collections.abc import Sequence

from proa.apiserver.authn.token import InvalidToken, TokenAuthenticator
from proa.apiserver.interface import User
from proa.lib.http.message import Request
from proa.lib.json_web_signature import decode_base64

BEARER = "bearer "
PROTOCOLS = "sec-websocket-protocol"
PROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io."


class BearerTokenAuthenticator:
    """`audiences` are those of this API server: a token made for someone else is wrong here."""

    def __init__(self, tokens: TokenAuthenticator, audiences: Sequence[str]) -> None:
        self._tokens = tokens
        self._audiences = tuple(audiences)

    async def authenticate(self, request: Request) -> User | None:
        token = header_token(request) or websocket_token(request)
        if not token:
            return None
        found = await self._tokens.authenticate_token(token, self._audiences)
        return found.user if found else None


def header_token(request: Request) -> str:
    """The second word of a header whose first one is Bearer; a third is nobody's business."""
    header = request.headers.get("authorization", "").strip()
    if header[: len(BEARER)].lower() != BEARER:
        return ""
    words = header.split(" ", 3)
    return words[1] if len(words) > 1 else ""


def websocket_token(request: Request) -> str:
    """Taken out of the list of subprotocols, which must hold another one to speak; raises InvalidToken."""
    header = request.headers.get(PROTOCOLS, "")
    if PROTOCOL_PREFIX not in header:
        return ""
    protocols = [each.strip() for each in header.split(",")]
    tokens = [each for each in protocols if each.startswith(PROTOCOL_PREFIX)]
    rest = [each for each in protocols if each not in tokens]
    if not tokens:
        return ""
    if len(tokens) > 1:
        raise InvalidToken("multiple base64.bearer.authorization tokens specified")
    try:
        token = decode_base64(tokens[0].removeprefix(PROTOCOL_PREFIX)).decode()
    except ValueError:
        raise InvalidToken("invalid base64.bearer.authorization token encoding") from None
    if not rest:
        raise InvalidToken("missing additional subprotocol")
    request.headers[PROTOCOLS] = ",".join(rest)
    return token
