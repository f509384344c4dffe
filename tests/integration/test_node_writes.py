"""What a kubelet may write, through the front door: authorizer and admission together. And what pods may use of their account's secrets."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.integration.conftest import Answer, Api, Run

Object = dict[str, Any]
BASE = "/api/v1/namespaces/default"
PODS, ACCOUNT, NODE = f"{BASE}/pods", f"{BASE}/serviceaccounts/default", "/api/v1/nodes/n1"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
AUDIENCE = {"apiGroups": [""], "resources": ["granted"], "verbs": ["request-serviceaccounts-token-audience"]}


async def as_node(api: Api, method: str, target: str, body: Any = None, **more: str) -> Answer:
    return await api(method, target, body, impersonate_user="system:node:n1", impersonate_group="system:nodes", **more)


def certificate_request(name: str, signer: str = "kubernetes.io/kubelet-serving") -> Object:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    request = base64.b64encode(made.public_bytes(Encoding.PEM)).decode()
    return {"metadata": {"name": "r"}, "spec": {"request": request, "signerName": signer, "usages": ["digital signature", "server auth"]}}


def test_a_kubelet_asks_for_its_own_certificates(run: Run) -> None:
    async def scenario(api: Api) -> None:
        refused = await as_node(api, "POST", CSRS, certificate_request("system:node:n2"))
        why = 'certificatesigningrequests.certificates.k8s.io "r" is forbidden: can only create a node CSR with CN=system:node:n1'
        assert refused.summary == (403, "Forbidden", why)
        assert (await as_node(api, "POST", CSRS, certificate_request("system:node:n1"))).status == 201

    run(scenario)


def test_a_kubelet_leaves_owners_and_taints_of_its_node_alone(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await as_node(api, "POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})).body
        owner = {"apiVersion": "v1", "kind": "Node", "name": "gone", "uid": "x"}
        owned = {**made, "metadata": {**made["metadata"], "ownerReferences": [owner]}}
        told = 'nodes "n1" is forbidden: node "n1" is not allowed to modify {}'
        assert (await as_node(api, "PUT", NODE, owned)).summary == (403, "Forbidden", told.format("ownerReferences"))
        both = {**owned, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
        assert (await as_node(api, "PUT", NODE, both)).summary == (403, "Forbidden", told.format("taints"))

    run(scenario)


AUDIENCES: list[tuple[list[str], str]] = [
    ([], ""),
    (["vault"], ""),
    (["driver"], ""),
    (["granted"], ""),
    (
        ["x"],
        'serviceaccounts "default" is forbidden: audience "x" not found in pod spec volume, system:node:n1 is not authorized to request '
        "tokens for this audience",
    ),
    (["vault", "driver"], 'serviceaccounts "default" is forbidden: node may only request 0 or 1 audiences'),
]


def test_a_kubelet_asks_for_the_tokens_that_its_pods_want(run: Run) -> None:
    async def scenario(api: Api) -> None:
        tokens = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]}}
        volumes = [tokens, {"name": "v", "csi": {"driver": "d"}}]
        spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], "volumes": volumes}
        pod = (await api("POST", PODS, {"metadata": {"name": "p"}, "spec": spec})).body
        driver = {"metadata": {"name": "d"}, "spec": {"tokenRequests": [{"audience": "driver"}]}}
        assert (await api("POST", "/apis/storage.k8s.io/v1/csidrivers", driver)).status == 201
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        await api("POST", f"{rbac}/clusterroles", {"metadata": {"name": "a"}, "rules": [AUDIENCE]})
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:node:n1"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"}
        await api("POST", f"{rbac}/clusterrolebindings", {"metadata": {"name": "a"}, "roleRef": role, "subjects": [subject]})
        bound = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": pod["metadata"]["uid"]}
        for audiences, refused in AUDIENCES:
            answer = await as_node(api, "POST", f"{ACCOUNT}/token", {"spec": {"audiences": audiences, "boundObjectRef": bound}})
            assert answer.summary == ((403, "Forbidden", refused) if refused else (201, "", "")), audiences

    run(scenario)


def env(name: str, secret: str, **more: Any) -> Object:
    return {"name": name, "image": "i", "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}], **more}


def env_from(name: str, secret: str) -> Object:
    return {"name": name, "image": "i", "envFrom": [{"secretRef": {"name": secret}}]}


PLAIN = {"name": "c", "image": "i"}
SECRETS: list[tuple[Object, str]] = [
    ({"containers": [env("c", "mine")]}, ""),
    (
        {"containers": [env("c", "x")], "volumes": [{"name": "v", "secret": {"secretName": "x"}}]},
        'volume with secret.secretName="x" is not allowed because service account strict does not reference that secret',
    ),
    (
        {"containers": [env("c", "x")]},
        'container c with envVar E referencing secret.secretName="x" is not allowed because service account strict does not reference '
        "that secret",
    ),
    (
        {"containers": [env_from("c", "pull")]},
        'container c with envFrom referencing secret.secretName="pull" is not allowed because service account strict does not reference '
        "that secret",
    ),
    (
        {"containers": [env("c", "x")], "initContainers": [env_from("i", "x")]},
        'init container i with envFrom referencing secret.secretName="x" is not allowed because service account strict does not '
        "reference that secret",
    ),
    ({"containers": [PLAIN], "imagePullSecrets": [{"name": "pull"}]}, ""),
    (
        {"containers": [PLAIN], "imagePullSecrets": [{"name": "pull"}, {"name": "mine"}]},
        'imagePullSecrets[1].name="mine" is not allowed because service account strict does not reference that imagePullSecret',
    ),
]


@pytest.mark.parametrize("enforced", ["true", "1", "no"])
def test_pods_use_the_secrets_that_their_account_lists(run: Run, enforced: str) -> None:
    async def scenario(api: Api) -> None:
        metadata = {"name": "strict", "annotations": {"kubernetes.io/enforce-mountable-secrets": enforced}}
        account = {"metadata": metadata, "secrets": [{"name": "mine"}], "imagePullSecrets": [{"name": "pull"}]}
        assert (await api("POST", f"{BASE}/serviceaccounts", account)).status == 201
        for spec, why in SECRETS:
            answer = await api("POST", f"{PODS}?dryRun=All", {"metadata": {"name": "p"}, "spec": {**spec, "serviceAccountName": "strict"}})
            refused = why and enforced != "no"
            assert answer.summary == ((403, "Forbidden", f'pods "p" is forbidden: {why}') if refused else (201, "", "")), spec
        await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [PLAIN], "serviceAccountName": "strict"}})
        debug = {"spec": {"ephemeralContainers": [env("d", "x")]}}
        answer = await api.patch("strategic", f"{PODS}/p/ephemeralcontainers", debug)
        told = (
            'ephemeral container d with envVar E referencing secret.secretName="x" is not allowed because service account strict does not '
        )
        assert answer.summary == ((200, "", "") if enforced == "no" else (500, "", f"{told}reference that secret"))

    run(scenario)
