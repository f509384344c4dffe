"""Tokens that lie in Secrets: made, signed with, and thrown away when their time or their account is over."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from proa.api import meta
from proa.api.kinds import CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS
from proa.api.meta import Object
from proa.controllers import bootstrap_signer, service_account_token, token_cleaner
from proa.controllers.rehearsal import Stage, rehearse
from proa.lib.json_web_token import SigningKey
from proa.lib.pki import load_or_create_private_key

RESOURCES = (CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS)


def play(build: Any, objects: list[Object], scene: Callable[[Stage], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with rehearse(build, *objects, resources=RESOURCES, **options) as stage:
            await scene(stage)

    asyncio.run(main())


def encoded(**values: str) -> dict[str, str]:
    return {name.replace("_", "-"): base64.b64encode(value.encode()).decode() for name, value in values.items()}


def bootstrap_token(token_id: str, **data: str) -> Object:
    metadata = {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"}
    values = encoded(token_id=token_id, token_secret="0123456789abcdef", usage_bootstrap_signing="true", **data)
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "bootstrap.kubernetes.io/token", "data": values}


def names(stage: Stage) -> list[str]:
    return sorted(meta.name(secret) for secret in stage.objects(SECRETS))


def test_bootstrap_tokens_go_when_their_time_is_over() -> None:
    async def scene(stage: Stage) -> None:
        assert names(stage) == ["bootstrap-token-bbbbbb", "bootstrap-token-cccccc", "other"]
        await stage.settle(3599)
        assert names(stage) == ["bootstrap-token-bbbbbb", "bootstrap-token-cccccc", "other"]
        await stage.settle(2)
        assert names(stage) == ["bootstrap-token-cccccc", "other"]

    other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other", "namespace": "kube-system"}, "type": "Opaque",
             "data": encoded(expiration="2029-12-31T23:00:00Z")}  # fmt: skip
    tokens = [
        bootstrap_token("aaaaaa", expiration="2029-12-31T23:00:00Z"), bootstrap_token("bbbbbb", expiration="2030-01-01T01:00:00Z"),
        bootstrap_token("cccccc"),
    ]  # fmt: skip
    play(token_cleaner.build, [*tokens, other], scene)


def test_a_signature_is_the_one_that_others_verify() -> None:
    """The pair that kubeadm's own tests agree on."""
    content = "Hello from the other side. I must have called a thousand times."
    signature = "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8"
    assert bootstrap_signer.detached_signature(content, "joshua", "my voice is my passcode") == signature


def test_cluster_info_is_signed_by_each_token_that_may() -> None:
    content = "apiVersion: v1\nkind: Config\n"
    expected = {
        token_id: bootstrap_signer.detached_signature(content, token_id, "0123456789abcdef") for token_id in ("aaaaaa", "bbbbbb")
    }  # fmt: skip
    header, empty, signature = expected["aaaaaa"].split(".")
    assert (base64.urlsafe_b64decode(header + "=="), empty, len(signature)) == (b'{"alg":"HS256","kid":"aaaaaa"}', "", 43)

    async def scene(stage: Stage) -> None:
        def data() -> dict[str, str]:
            return dict(stage.objects(CONFIG_MAPS)[0]["data"])

        both = {"kubeconfig": content, "jws-kubeconfig-aaaaaa": expected["aaaaaa"], "jws-kubeconfig-bbbbbb": expected["bbbbbb"]}
        assert data() == both
        await stage.settle(3601)
        assert data() == {"kubeconfig": content, "jws-kubeconfig-aaaaaa": expected["aaaaaa"]}
        await stage.client.delete(SECRETS, "bootstrap-token-aaaaaa", "kube-system")
        await stage.settle()
        assert data() == {"kubeconfig": content}
        changed = {**stage.objects(CONFIG_MAPS)[0], "data": {"kubeconfig": content, "jws-kubeconfig-zzzzzz": "forged"}}
        await stage.client.update(CONFIG_MAPS, changed)
        await stage.settle()
        assert data() == {"kubeconfig": content}

    info = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cluster-info", "namespace": "kube-public"},
            "data": {"kubeconfig": content}}  # fmt: skip
    silent = bootstrap_token("cccccc")
    silent["data"] |= encoded(usage_bootstrap_signing="false")
    tokens = [bootstrap_token("aaaaaa"), bootstrap_token("bbbbbb", expiration="2030-01-01T01:00:00Z"), silent]
    play(bootstrap_signer.build, [info, *tokens], scene)


def token_secret(name: str, account: str, **more: Any) -> Object:
    annotations = {"kubernetes.io/service-account.name": account, **more}
    metadata = {"name": name, "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}


def test_a_secret_gets_its_accounts_token_and_goes_with_the_account(tmp_path: Path) -> None:
    load_or_create_private_key(tmp_path / "key")
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app", "namespace": "shop", "uid": "u1"}}

    async def scene(stage: Stage) -> None:
        assert names(stage) == ["app-token"]
        [secret] = stage.objects(SECRETS)
        uid = meta.uid(stage.objects(SERVICE_ACCOUNTS)[0])
        assert meta.annotations(secret)["kubernetes.io/service-account.uid"] == uid
        data = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
        assert (data["ca.crt"], data["namespace"]) == ("PEM", "shop")
        claims = SigningKey(tmp_path / "key").decode(data["token"])
        assert claims == {
            "iss": "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": "shop",
            "kubernetes.io/serviceaccount/secret.name": "app-token", "kubernetes.io/serviceaccount/service-account.name": "app",
            "kubernetes.io/serviceaccount/service-account.uid": uid, "sub": "system:serviceaccount:shop:app",
        }  # fmt: skip
        await stage.client.delete(SERVICE_ACCOUNTS, "app", "shop")
        await stage.settle()
        assert names(stage) == []

    stray, former = token_secret("stray", "nobody"), token_secret("former", "app", **{"kubernetes.io/service-account.uid": "u0"})
    objects = [account, token_secret("app-token", "app"), stray, former]
    play(service_account_token.build, objects, scene, root_ca="PEM", service_account_key=str(tmp_path / "key"))
