"""The opening handshake of WebSockets (RFC 6455, section 4) as plain values, for a server and a client that speak HTTP themselves."""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def is_upgrade(headers: Mapping[str, str], protocol: str) -> bool:
    """Whether a request (lower-case header names) asks for this protocol, upper or lower case."""
    return "upgrade" in tokens(headers.get("connection", "")) and protocol.lower() in headers.get("upgrade", "").lower()


def tokens(value: str) -> list[str]:
    return [part.strip().lower() for part in value.split(",") if part.strip()]


def offered_protocols(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a client offers, in its order."""
    return [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",") if part.strip()]


def refusal(headers: Mapping[str, str]) -> str:
    """Why a request can't be a WebSocket, "" if it can."""
    if headers.get("sec-websocket-version") != "13":
        return "the WebSocket version must be 13"
    return "" if headers.get("sec-websocket-key") else "Sec-WebSocket-Key is missing"


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()


def accept_headers(headers: Mapping[str, str], protocol: str = "") -> dict[str, str]:
    """The headers of the 101 answer."""
    answer = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept_key(headers["sec-websocket-key"])}
    return answer | ({"sec-websocket-protocol": protocol} if protocol else {})


def client_headers(protocols: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The headers of a request."""
    key = base64.b64encode(os.urandom(16)).decode()
    headers = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13"), ("sec-websocket-key", key)]
    return headers + ([("sec-websocket-protocol", ", ".join(protocols))] if protocols else [])


def is_accepted(request: Sequence[tuple[str, str]], answer: Mapping[str, str]) -> bool:
    """Whether a 101 answer belongs to the request that `client_headers` made."""
    return answer.get("sec-websocket-accept") == accept_key(dict(request)["sec-websocket-key"])
