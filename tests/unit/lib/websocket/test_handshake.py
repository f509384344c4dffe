"""The opening handshake, with the example of RFC 6455."""

import pytest

from proa.lib.websocket import handshake

REQUEST = {"connection": "keep-alive, Upgrade", "upgrade": "WebSocket", "sec-websocket-version": "13"}
REQUEST |= {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": "v5.channel.k8s.io,v4.channel.k8s.io"}


def test_the_answer_to_a_request() -> None:
    assert handshake.accept_headers(REQUEST, "v5.channel.k8s.io") == {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "sec-websocket-protocol": "v5.channel.k8s.io",
    }


def test_subprotocols_keep_the_clients_order() -> None:
    assert handshake.offered_protocols(REQUEST) == ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    assert handshake.offered_protocols({}) == []


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        (REQUEST, True),
        ({"connection": "Upgrade", "upgrade": "SPDY/3.1"}, False),
        ({"connection": "close", "upgrade": "websocket"}, False),
        ({"upgrade": "websocket"}, False),
        ({}, False),
    ],
)
def test_what_asks_for_a_websocket(headers: dict[str, str], asked: bool) -> None:
    assert handshake.is_upgrade(headers, "websocket") is asked


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"sec-websocket-version": "8"}, "the WebSocket version must be 13"),
        ({"sec-websocket-key": ""}, "Sec-WebSocket-Key is missing"),
    ],
)
def test_requests_that_cannot_be_websockets(change: dict[str, str], why: str) -> None:
    assert handshake.refusal(REQUEST | change) == why


def test_a_client_recognizes_the_answer_to_its_own_request() -> None:
    request = handshake.client_headers(["one", "two"])
    answer = handshake.accept_headers(dict(request), "two")
    assert handshake.is_accepted(request, answer)
    assert not handshake.is_accepted(handshake.client_headers(["one"]), answer)
