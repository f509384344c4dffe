"""A bound token is good for exactly what it was made for, as long as everything that it names is there."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proa.api.errors import ApiError, Unauthorized
from proa.api.meta import Object
from proa.apiserver.authn.bearer_token import BearerTokenAuthenticator, header_token, websocket_token
from proa.apiserver.authn.service_account_claims import EXTENDED_SECONDS
from proa.apiserver.authn.service_account_token import ServiceAccountTokenAuthenticator
from proa.apiserver.authn.token import Identified, InvalidToken, TokenUnion
from proa.apiserver.authn.token_request import TokenRequests
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import User
from proa.lib.clock import VirtualClock, format_time
from proa.lib.http.message import Request
from proa.lib.json_web_token import SigningKey
from proa.lib.pki import load_or_create_private_key

ISSUER = "https://kubernetes.default.svc.cluster.local"
NODE = User("system:node:n1", ("system:nodes",))
POD = {"metadata": {"name": "web", "namespace": "shop", "uid": "pod-uid"}, "spec": {"serviceAccountName": "app", "nodeName": "n1"}}


class World:
    """A service account `app`, a pod of it on node n1, a secret; tokens of both kinds."""

    def __init__(self, directory: Path) -> None:
        load_or_create_private_key(directory / "sa.key")
        self.clock, self.reader, self.key = VirtualClock(), FakeReader(), SigningKey(directory / "sa.key")
        config = ApiServerConfig(directory, (), None, directory, directory, directory, directory / "sa.key", issuer=ISSUER)
        self.requests = TokenRequests(config, self.key, self.reader, self.clock)
        self.authenticator = ServiceAccountTokenAuthenticator(self.key, [ISSUER], [ISSUER], self.reader, self.clock)
        self.reader.put("", "serviceaccounts", {"metadata": {"name": "app", "namespace": "shop", "uid": "sa-uid"}})
        self.reader.put("", "pods", POD)
        self.reader.put("", "nodes", {"metadata": {"name": "n1", "uid": "node-uid"}})
        self.reader.put("", "secrets", {"metadata": {"name": "s", "namespace": "shop", "uid": "secret-uid"}})

    def request(self, **spec: Any) -> Object:
        return asyncio.run(self.requests.create(NODE, "shop", "app", {"spec": spec}))

    def token(self, **spec: Any) -> str:
        return str(self.request(**spec)["status"]["token"])

    def identified(self, token: str, *audiences: str) -> Identified | str | None:
        """Who it is, or why the token is not good."""
        try:
            return asyncio.run(self.authenticator.authenticate_token(token, audiences or [ISSUER]))
        except InvalidToken as refused:
            return refused.why

    def user(self, token: str) -> User | None:
        found = self.identified(token)
        return found.user if isinstance(found, Identified) else None

    def advance(self, seconds: float) -> None:
        asyncio.run(self.clock.advance(seconds))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bound(kind: str, name: str, **more: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "name": name, **more}


def test_a_request_is_answered_with_its_defaults_and_a_token(world: World) -> None:
    answer = world.request()
    now = world.clock.now()
    assert answer == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": "app", "namespace": "shop", "creationTimestamp": format_time(now)},
        "spec": {"audiences": [ISSUER], "expirationSeconds": 3600},
        "status": {"token": answer["status"]["token"], "expirationTimestamp": format_time(now + timedelta(hours=1))},
    }


def test_a_pod_bound_token_says_account_pod_and_node(world: World) -> None:
    token = world.token(boundObjectRef=bound("Pod", "web", uid="pod-uid"))
    claims = world.key.decode(token) or {}
    start = int(world.clock.now().timestamp())
    assert claims == {
        "aud": [ISSUER], "exp": start + 3600, "iat": start, "iss": ISSUER, "jti": claims["jti"], "nbf": start,
        "sub": "system:serviceaccount:shop:app",
        "kubernetes.io": {
            "namespace": "shop", "node": {"name": "n1", "uid": "node-uid"}, "pod": {"name": "web", "uid": "pod-uid"},
            "serviceaccount": {"name": "app", "uid": "sa-uid"},
        },
    }  # fmt: skip
    assert world.user(token) == User(
        "system:serviceaccount:shop:app",
        ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
        "sa-uid",
        {
            "authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",),
            "authentication.kubernetes.io/node-name": ("n1",),
            "authentication.kubernetes.io/node-uid": ("node-uid",),
            "authentication.kubernetes.io/pod-name": ("web",),
            "authentication.kubernetes.io/pod-uid": ("pod-uid",),
        },
    )


def test_the_mounted_token_of_a_pod_lives_a_year_and_says_when_to_renew(world: World) -> None:
    claims = world.key.decode(world.token(boundObjectRef=bound("Pod", "web"), expirationSeconds=3607)) or {}
    assert (claims["exp"] - claims["iat"], claims["kubernetes.io"]["warnafter"] - claims["iat"]) == (EXTENDED_SECONDS, 3607)


@pytest.mark.parametrize(
    ("spec", "gone"),
    [
        ({}, ("serviceaccounts", "app", "shop")),
        ({"boundObjectRef": bound("Pod", "web")}, ("pods", "web", "shop")),
        ({"boundObjectRef": bound("Secret", "s")}, ("secrets", "s", "shop")),
        ({"boundObjectRef": bound("Node", "n1")}, ("nodes", "n1", "")),
    ],
)
def test_a_token_ends_with_what_it_is_bound_to(world: World, spec: Object, gone: tuple[str, str, str]) -> None:
    plural, name, namespace = gone
    token = world.token(**spec)
    found = world.reader.get("", plural, name, namespace)
    assert found is not None
    assert world.user(token) is not None
    world.reader.put("", plural, {**found, "metadata": found["metadata"] | {"uid": "another"}})
    assert world.user(token) is None
    deleted = format_time(world.clock.now())
    world.reader.put("", plural, {**found, "metadata": found["metadata"] | {"deletionTimestamp": deleted}})
    assert world.user(token) is not None
    world.advance(62)
    assert world.user(token) is None
    world.reader.remove("", plural, name, namespace)
    assert world.user(token) is None


def test_a_token_has_its_time(world: World) -> None:
    token = world.token(expirationSeconds=600)
    world.advance(659)
    assert world.user(token) is not None
    world.advance(2)
    assert world.user(token) is None


def test_a_token_is_for_its_audiences(world: World) -> None:
    token = world.token(audiences=["vault", "other"])
    assert world.identified(token) == f'token audiences ["vault" "other"] is invalid for the target audiences ["{ISSUER}"]'
    found = world.identified(token, "x", "vault")
    assert isinstance(found, Identified)
    assert found.audiences == ("vault",)


def test_tokens_of_another_issuer_or_key_are_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    assert world.user(other.token()) is None
    assert world.user(world.key.encode({"iss": "https://elsewhere", "sub": "x"})) is None
    assert world.user("not-a-token") is None


@pytest.mark.parametrize(
    ("headers", "expected", "rest"),
    [
        ({}, "", None),
        ({"authorization": "Bearer abc"}, "abc", None),
        ({"authorization": "bearer abc x"}, "abc", None),
        ({"authorization": "Basic abc"}, "", None),
        (
            {"sec-websocket-protocol": "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.YWJj, v4.channel.k8s.io"},
            "abc", "v5.channel.k8s.io,v4.channel.k8s.io",
        ),
        ({"sec-websocket-protocol": "v5.channel.k8s.io"}, "", "v5.channel.k8s.io"),
    ],
)  # fmt: skip
def test_where_a_token_is_found_and_what_is_left_of_it(headers: dict[str, str], expected: str, rest: str | None) -> None:
    request = Request("GET", "/", {}, headers)
    assert (header_token(request) or websocket_token(request)) == expected
    assert request.headers.get("sec-websocket-protocol") == rest


@pytest.mark.parametrize(
    ("protocols", "why"),
    [
        ("base64url.bearer.authorization.k8s.io.YWJj", "missing additional subprotocol"),
        ("a, base64url.bearer.authorization.k8s.io.YWJj, base64url.bearer.authorization.k8s.io.YWJj",
         "multiple base64.bearer.authorization tokens specified"),
        ("a, base64url.bearer.authorization.k8s.io._w", "invalid base64.bearer.authorization token encoding"),
    ],
)  # fmt: skip
def test_wrong_subprotocols(protocols: str, why: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        websocket_token(Request("GET", "/", {}, {"sec-websocket-protocol": protocols}))
    assert caught.value.why == why


def test_a_wrong_bearer_token_is_an_error_and_none_is_not(world: World) -> None:
    bearer = BearerTokenAuthenticator(TokenUnion([world.authenticator]), [ISSUER])
    assert asyncio.run(bearer.authenticate(Request("GET", "/", {}, {}))) is None
    with pytest.raises(Unauthorized):
        asyncio.run(bearer.authenticate(Request("GET", "/", {}, {"authorization": "Bearer x"})))


REPLACED = (
    "the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated"
)


@pytest.mark.parametrize(
    ("name", "spec", "expected"),
    [
        ("ghost", {}, (404, 'serviceaccounts "ghost" not found')),
        (
            "app", {"expirationSeconds": 599},
            (422, 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: '
             "may not specify a duration less than 10 minutes"),
        ),
        ("app", {"boundObjectRef": bound("Pod", "ghost")}, (404, 'pods "ghost" not found')),
        ("app", {"boundObjectRef": bound("Pod", "web", uid="old")}, (409, f'Operation cannot be fulfilled on Pod "web": {REPLACED}')),
        (
            "app", {"boundObjectRef": bound("Service", "web")},
            (400, "cannot bind token for serviceaccount to object of type /v1, Kind=Service"),
        ),
        (
            "other", {"boundObjectRef": bound("Pod", "web")},
            (400, 'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.'),
        ),
    ],
)  # fmt: skip
def test_refused_requests(world: World, name: str, spec: Object, expected: tuple[int, str]) -> None:
    world.reader.put("", "serviceaccounts", {"metadata": {"name": "other", "namespace": "shop", "uid": "o"}})
    with pytest.raises(ApiError) as caught:
        asyncio.run(world.requests.create(NODE, "shop", name, {"spec": spec}))
    assert (caught.value.status_code, caught.value.message) == expected
