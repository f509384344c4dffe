"""Who a request is from, by each kind of credential, as `kubectl auth whoami` and a TokenReview would tell it."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proa.lib import json_web_signature, pki
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from proa.lib.http.tls import server_context
from proa.lib.json_web_signature import encode_base64
from tests.integration.conftest import Answer, Api, running

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
UNAUTHORIZED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized",
                "reason": "Unauthorized", "code": 401}  # fmt: skip


async def ask(api: Api, method: str, path: str, body: Any = None, *, certificate: bytes | None = None, **headers: str) -> Answer:
    """From the network, as nobody but what the headers and the certificate prove."""
    named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    data = b"" if body is None else orjson.dumps(body)
    repeated = {name: value.split("|") for name, value in named.items() if "|" in value}
    joined = {name: value.replace("|", ", ") for name, value in named.items()}
    request = Request(method, path, {}, joined, data, path, peer="10.9.9.9:1", certificate=certificate, repeated=repeated)
    return Answer(await api.server.handler(request))


async def whoami(api: Api, token: str = "", **more: Any) -> Any:
    """UserInfo, or the code of a refusal."""
    headers: dict[str, Any] = {"authorization": f"Bearer {token}"} if token else {}
    answer = await ask(api, "POST", WHOAMI, {}, **headers, **more)
    return answer.body["status"]["userInfo"] if answer.status == 201 else answer.status


async def token_error(api: Api, token: str) -> str:
    answer = await api("POST", REVIEWS, {"spec": {"token": token}})
    return str(answer.body["status"].get("error", ""))


def play(key: Path, directory: Path, scenario: Callable[[Api], Awaitable[None]], **config: Any) -> None:
    async def main() -> None:
        async with running(key, directory, **config) as api:
            await scenario(api)

    asyncio.run(main())


def test_no_or_wrong_credentials(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        answer = await ask(api, "GET", "/api", authorization="Bearer nonsense")
        assert (answer.status, answer.body) == (401, UNAUTHORIZED)
        denied = await ask(api, "GET", "/api")
        assert (denied.status, denied.body["details"], denied.body["message"]) == (
            403, {}, 'forbidden: User "system:anonymous" cannot get path "/api"',
        )  # fmt: skip
        assert (await ask(api, "GET", "/version")).status == 200

    play(signing_key, tmp_path, scenario)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("{enabled: false}", {"/version": 401, "/livez": 401, "/api": 401}),
        ("{enabled: true, conditions: [{path: /livez}]}", {"/version": 401, "/livez": 200, "/livez/": 401, "/api": 401}),
        ("{enabled: true}", {"/version": 200, "/livez": 200, "/api": 403}),
    ],
)
def test_who_may_be_anonymous_where(signing_key: Path, tmp_path: Path, conditions: str, expected: dict[str, int]) -> None:
    async def scenario(api: Api) -> None:
        assert {path: (await ask(api, "GET", path)).status for path in expected} == expected

    path = tmp_path / "authentication.yaml"
    path.write_text(f"apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {conditions}\n")
    play(signing_key, tmp_path, scenario, authentication_config=path)


def test_nobody_is_anonymous_where_the_flag_says_so(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        assert (await ask(api, "GET", "/version")).body == UNAUTHORIZED
        assert (await api("GET", "/version")).status == 200

    play(signing_key, tmp_path, scenario, anonymous_auth=False)


def test_static_tokens(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        assert await whoami(api, "one") == {"username": "jane", "uid": "7", "groups": ["dev", "ops", "system:authenticated"]}
        assert await whoami(api, "two") == {"username": "joe", "uid": "8", "groups": ["system:authenticated"]}
        assert await whoami(api, "three") == 401

    path = tmp_path / "tokens.csv"
    path.write_text('one,jane,7,"dev,ops"\ntwo,joe,8\n,empty,9\n')
    play(signing_key, tmp_path, scenario, token_auth_file=path)


def bootstrap_secret(token_id: str, **data: str) -> dict[str, Any]:
    values = {"token-id": token_id, "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true", **data}
    named = {name.replace("_", "-"): value for name, value in values.items()}
    metadata = {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"}
    return {"metadata": metadata, "type": "bootstrap.kubernetes.io/token", "stringData": named}


def test_bootstrap_tokens(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        secrets = {
            "aaaaaa": {},
            "bbbbbb": {"auth_extra_groups": "system:bootstrappers:kubeadm:default-node-token"},
            "cccccc": {"usage_bootstrap_authentication": "false"},
            "dddddd": {"expiration": "2029-12-31T23:59:59Z"},
            "eeeeee": {"expiration": "2030-01-01T01:00:00Z"},
            "ffffff": {"auth_extra_groups": "system:masters"},
        }
        for token_id, data in secrets.items():
            made = await api("POST", "/api/v1/namespaces/kube-system/secrets", bootstrap_secret(token_id, **data))
            assert made.status == 201, made.body
        found = {token_id: await whoami(api, f"{token_id}.0123456789abcdef") for token_id in secrets}
        plain = ["system:bootstrappers", "system:authenticated"]
        assert found == {
            "aaaaaa": {"username": "system:bootstrap:aaaaaa", "groups": plain},
            "bbbbbb": {
                "username": "system:bootstrap:bbbbbb",
                "groups": ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token", "system:authenticated"],
            },
            "cccccc": 401,
            "dddddd": 401,
            "eeeeee": {"username": "system:bootstrap:eeeeee", "groups": plain},
            "ffffff": 401,
        }
        assert await whoami(api, "aaaaaa.0123456789abcdee") == 401
        await api.clock.advance(3601)
        assert await whoami(api, "eeeeee.0123456789abcdef") == 401

    play(signing_key, tmp_path, scenario)


def test_a_front_proxy_says_who_asks_and_nobody_else_does(signing_key: Path, tmp_path: Path) -> None:
    users, proxies = pki.create_authority("users"), pki.create_authority("proxies")

    def der(authority: pki.CertificateAuthority, name: str) -> bytes:
        return ssl.PEM_cert_to_DER_cert(authority.issue(name, client=True, days=3650)[0].decode())

    async def scenario(api: Api) -> None:
        stated = {"x_remote_user": "jane", "x_remote_group": "dev|a,b", "x_remote_uid": "7", "x_remote_extra_acme.com%2fscopes": "x|y"}
        assert await whoami(api, certificate=der(proxies, "front-proxy-client"), **stated) == {
            "username": "jane", "uid": "7", "groups": ["dev", "a,b", "system:authenticated"], "extra": {"acme.com/scopes": ["x", "y"]},
        }  # fmt: skip
        assert await whoami(api, certificate=der(proxies, "somebody"), **stated) == 401
        own = await whoami(api, certificate=der(users, "front-proxy-client"), **stated)
        assert own["username"] == "front-proxy-client"
        assert await whoami(api, certificate=der(proxies, "front-proxy-client")) == 401

    for name, authority in (("users", users), ("proxies", proxies)):
        (tmp_path / name).write_bytes(authority.certificate)
    play(
        signing_key, tmp_path, scenario, client_ca=tmp_path / "users", requestheader_client_ca=tmp_path / "proxies",
        requestheader_allowed_names=("front-proxy-client",),
    )  # fmt: skip


class Provider:
    """An OpenID Connect issuer: discovery and keys over TLS."""

    def __init__(self, directory: Path) -> None:
        self.authority = pki.create_authority("issuer")
        certificate, key = self.authority.issue("openid", ip_addresses=["127.0.0.1"], server=True)
        (directory / "issuer.crt").write_bytes(certificate)
        (directory / "issuer.key").write_bytes(key)
        self._tls = server_context(directory / "issuer.crt", directory / "issuer.key")
        self.keys: dict[str, Any] = {}
        self.asked: list[str] = []
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Provider"]:
        server = HttpServer(self._answer, ServerOptions(refuse=lambda status, message: Response(status)))
        port = await server.listen("127.0.0.1", 0, self._tls)
        self.url = f"https://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await server.stop(0)

    async def _answer(self, request: Request) -> AnyResponse:
        self.asked.append(request.path)
        listed = [{"kid": name, "use": "sig", **json_web_signature.to_json_web_key(key.public_key())} for name, key in self.keys.items()]
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/elsewhere": {"issuer": "https://issuer.example.com", "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": listed},
        }
        document = documents.get(request.path)
        return Response(404) if document is None else Response(200, {"content-type": "application/json"}, orjson.dumps(document))

    def token(self, name: str, algorithm: str, issuer: str = "", **claims: Any) -> str:
        start = 1893456000
        payload = {"iss": issuer or self.url, "aud": "proa", "sub": "jane", "iat": start, "exp": start + 3600, **claims}
        signed = ".".join(encode_base64(orjson.dumps(part)) for part in ({"alg": algorithm, "kid": name}, payload))
        return f"{signed}.{encode_base64(sign(self.keys[name], algorithm, signed.encode()))}"


def sign(key: Any, algorithm: str, data: bytes) -> bytes:
    if algorithm == "PS256":
        pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
        return bytes(key.sign(data, pss, SHA256()))
    return json_web_signature.sign(key, data)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", rsa.generate_private_key(65537, 2048)),
        ("PS256", rsa.generate_private_key(65537, 2048)),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("ES512", ec.generate_private_key(ec.SECP521R1())),
    ],
)
def test_an_issuer_of_flags_and_the_rotation_of_its_keys(signing_key: Path, tmp_path: Path, algorithm: str, key: Any) -> None:
    async def main() -> None:
        async with Provider(tmp_path).running() as provider:
            provider.keys = {"a": key}
            (tmp_path / "ca").write_bytes(provider.authority.certificate)
            options: dict[str, Any] = {
                "oidc_issuer_url": provider.url, "oidc_client_id": "proa", "oidc_ca": tmp_path / "ca", "oidc_groups_claim": "groups",
                "oidc_groups_prefix": "oidc:", "oidc_required_claims": {"tenant": "t1"}, "oidc_signing_algs": (algorithm,),
            }  # fmt: skip
            async with running(signing_key, tmp_path, **options) as api:
                token = provider.token("a", algorithm, groups=["dev", "ops"], tenant="t1", jti="j")
                assert await whoami(api, token) == {
                    "username": f"{provider.url}#jane", "groups": ["oidc:dev", "oidc:ops", "system:authenticated"],
                    "extra": {"authentication.kubernetes.io/credential-id": ["JTI=j"]},
                }  # fmt: skip
                assert await whoami(api, provider.token("a", algorithm, tenant="t1")) != 401
                assert provider.asked == ["/.well-known/openid-configuration", "/keys"]
                refused = provider.token("a", algorithm, tenant="t2")
                assert await whoami(api, refused) == 401
                assert await token_error(api, refused) == "oidc: required claim tenant value does not match. Got = t2, want = t1"
                old, provider.keys = provider.keys["a"], {"b": type_of(key)}
                await api.clock.advance(2)
                assert await whoami(api, provider.token("b", algorithm, tenant="t1")) != 401
                provider.keys["a"] = old
                forged = provider.token("a", algorithm, tenant="t1", sub="x")
                del provider.keys["a"]
                assert await whoami(api, forged) == 401
                await api.clock.advance(3601)
                assert await whoami(api, provider.token("b", algorithm, tenant="t1")) == 401

    asyncio.run(main())


def type_of(key: Any) -> Any:
    """Another key of the same kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(key.curve)
    return rsa.generate_private_key(65537, 2048)


STRUCTURED = """
apiVersion: apiserver.config.k8s.io/{version}
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: {url}
    audiences: [proa, other]
    audienceMatchPolicy: MatchAny
    certificateAuthority: {ca}
  claimValidationRules:
  - claim: tenant
    requiredValue: t1
  - expression: claims.exp - claims.iat <= 7200
    message: too long
  claimMappings:
    username:
      expression: "claims.username + ':ext'"
    groups:
      expression: "claims.roles.split(',')"
    uid:
      claim: sub
    extra:
    - key: example.com/tenant
      valueExpression: claims.tenant
    - key: example.com/none
      valueExpression: "''"
  userValidationRules:
  - expression: "!user.username.startsWith('system:')"
    message: username cannot use the reserved prefix
- issuer:
    url: https://issuer.example.com
    discoveryURL: {url}/elsewhere
    audiences: [proa]
    certificateAuthority: {ca}
  claimMappings:
    username: {{claim: email, prefix: "mail:"}}
    groups: {{claim: team, prefix: ""}}
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_structured_configuration_with_several_issuers(signing_key: Path, tmp_path: Path, version: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    async def main() -> None:
        async with Provider(tmp_path).running() as provider:
            provider.keys = {"a": key}
            path = tmp_path / "authentication.yaml"
            ca = orjson.dumps(provider.authority.certificate.decode()).decode()
            text = STRUCTURED.format(version=version, url=provider.url, ca=ca)
            path.write_text(text)
            async with running(signing_key, tmp_path, authentication_config=path) as api:

                def first(**claims: Any) -> str:
                    return provider.token("a", "ES256", **({"username": "jane", "roles": "a,b", "tenant": "t1"} | claims))

                def second(**claims: Any) -> str:
                    return provider.token("a", "ES256", "https://issuer.example.com", **({"email": "j@x", "team": "red"} | claims))

                assert await whoami(api, first()) == {
                    "username": "jane:ext", "uid": "jane", "groups": ["a", "b", "system:authenticated"],
                    "extra": {"example.com/tenant": ["t1"]},
                }  # fmt: skip
                assert await whoami(api, second()) == {"username": "mail:j@x", "groups": ["red", "system:authenticated"]}
                assert await whoami(api, first(aud=["x", "other"])) != 401
                failures = {
                    first(aud="x"): "oidc: expected audience in [proa other] got [x]",
                    first(exp=1893456000 + 7201): (
                        "oidc: error evaluating claim validation expression: validation expression 'claims.exp - claims.iat <= 7200' "
                        "failed: too long"
                    ),
                    first(username="system:x"): (
                        "oidc: error evaluating claim validation expression: validation expression "
                        "'!user.username.startsWith('system:')' failed: username cannot use the reserved prefix"
                    ),
                    second(email_verified=False): "oidc: email not verified",
                    second(aud="other"): 'oidc: verify token: oidc: expected audience "proa" got [other]',
                }
                assert {token: await token_error(api, token) for token in failures} == failures
                assert [await whoami(api, token) for token in failures] == [401] * len(failures)
                await follows_the_file(api, path, text, first)

    asyncio.run(main())


async def follows_the_file(api: Api, path: Path, text: str, token: Callable[..., str]) -> None:
    """A broken file changes nothing; a good one is in force at the next look."""
    broken, changed = text.replace("tenant\n", "tenant\n    nonsense: 1\n", 1), text.replace(":ext", ":new")
    for content, expected in ((broken, "jane:ext"), (changed, "jane:new")):
        path.write_text(content)  # noqa: ASYNC240
        await api.clock.advance(1)
        async with asyncio.timeout(5):
            while (await whoami(api, token()))["username"] != expected:
                await api.clock.advance(1)
                await asyncio.sleep(0)


def test_others_can_verify_this_clusters_tokens(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", "/.well-known/openid-configuration")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "public, max-age=3600")
        assert answer.body["jwks_uri"] == "https://keys.example.com"
        keys = await api("GET", "/openid/v1/jwks")
        assert (keys.headers["content-type"], keys.headers["cache-control"]) == ("application/jwk-set+json", "public, max-age=3600")
        assert [key["kty"] for key in keys.body["keys"]] == ["EC", "RSA"]
        await api("POST", SERVICE_ACCOUNTS, {"metadata": {"name": "app"}})
        spec = {"expirationSeconds": 7200, "audiences": ["vault"]}
        made = await api("POST", f"{SERVICE_ACCOUNTS}/app/token", {"spec": spec})
        assert (made.status, made.body["spec"]["expirationSeconds"], made.warnings) == (
            201, 3600, ['299 - "requested expiration of 7200 seconds shortened to 3600 seconds"'],
        )  # fmt: skip
        token = made.body["status"]["token"]
        assert await whoami(api, token) == 401
        review = await api("POST", REVIEWS, {"spec": {"token": token, "audiences": ["vault", "x"]}})
        status = review.body["status"]
        assert (status["authenticated"], status["audiences"], status["user"]["username"]) == (
            True, ["vault"], "system:serviceaccount:default:app",
        )  # fmt: skip

    other = rsa.generate_private_key(65537, 2048).public_key()
    (tmp_path / "other.pub").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    play(
        signing_key, tmp_path, scenario, service_account_key_files=(tmp_path / "other.pub",), service_account_max_token_expiration=3600.0,
        service_account_jwks_uri="https://keys.example.com",
    )  # fmt: skip


SERVICE_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def test_tokens_that_lie_in_secrets(signing_key: Path, tmp_path: Path) -> None:
    from proa.api.legacy_token import build_claims
    from proa.lib.json_web_token import SigningKey

    async def scenario(api: Api) -> None:
        account = (await api("POST", SERVICE_ACCOUNTS, {"metadata": {"name": "app"}})).body
        token = SigningKey(signing_key).encode(build_claims("default", "app", account["metadata"]["uid"], "app-token"))
        assert await whoami(api, token) == 401
        assert await token_error(api, token) == "Token has been invalidated"
        annotations = {"kubernetes.io/service-account.name": "app"}
        data = {"token": base64.b64encode(token.encode()).decode()}
        secret = {
            "metadata": {"name": "app-token", "annotations": annotations},
            "type": "kubernetes.io/service-account-token",
            "data": data,
        }
        secrets = "/api/v1/namespaces/default/secrets"
        assert (await api("POST", secrets, secret)).status == 201
        assert await whoami(api, token) == {
            "username": "system:serviceaccount:default:app", "uid": account["metadata"]["uid"],
            "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        }  # fmt: skip
        async with asyncio.timeout(5):
            while "labels" not in (await api("GET", f"{secrets}/app-token")).body["metadata"]:  # noqa: ASYNC110 - only asking shows it
                await asyncio.sleep(0)
        labels = (await api("GET", f"{secrets}/app-token")).body["metadata"]["labels"]
        assert labels == {"kubernetes.io/legacy-token-last-used": "2030-01-01"}
        tracking = await api("GET", "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking")
        assert tracking.body["data"] == {"since": "2030-01-01"}
        await api.patch(
            "merge", f"{secrets}/app-token", {"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "2030-01-01"}}}
        )
        assert await whoami(api, token) == 401
        await api("DELETE", f"{secrets}/app-token")
        assert await whoami(api, token) == 401

    play(signing_key, tmp_path, scenario)


def test_a_webhook_that_knows_tokens(signing_key: Path, tmp_path: Path) -> None:
    asked: list[Any] = []

    async def webhook(request: Request) -> AnyResponse:
        review = orjson.loads(request.body)
        asked.append(review)
        known = {
            "good": {"authenticated": True, "user": {"username": "jane", "groups": ["dev"], "extra": {"a": ["b"]}}, "audiences": ["me"]},
            "bad": {"error": "no such token"},
            "other": {"authenticated": True, "user": {"username": "x"}, "audiences": ["elsewhere"]},
        }
        answer = review | {"status": known.get(review["spec"]["token"], {})}
        return Response(200, {"content-type": "application/json"}, orjson.dumps(answer))

    async def main() -> None:
        server = HttpServer(webhook, ServerOptions(refuse=lambda status, message: Response(status)))
        port = await server.listen("127.0.0.1", 0)
        path = tmp_path / "webhook.kubeconfig"
        path.write_text(kubeconfig(f"http://127.0.0.1:{port}/authenticate"))
        options: dict[str, Any] = {"authentication_token_webhook_config": path, "api_audiences": ("me", "too")}
        async with running(signing_key, tmp_path, **options) as api:
            for _ in range(2):
                assert await whoami(api, "good") == {"username": "jane", "groups": ["dev", "system:authenticated"], "extra": {"a": ["b"]}}
                assert await whoami(api, "unknown") == 401
            assert asked == [
                {
                    "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
                    "spec": {"token": token, "audiences": ["me", "too"]}, "status": {"user": {}},
                }
                for token in ("good", "unknown")
            ]  # fmt: skip
            assert [await whoami(api, "bad"), await whoami(api, "other"), await token_error(api, "bad")] == [401, 401, "no such token"]
            await api.clock.advance(121)
            asked.clear()
            await whoami(api, "good")
            assert len(asked) == 1
        await server.stop(0)

    asyncio.run(main())


def kubeconfig(server: str) -> str:
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}], "users": [{"name": "u", "user": {"token": "secret"}}],
    }  # fmt: skip
    return orjson.dumps(document).decode()
