"""Who may do what, asked and used through kubectl."""

import base64
import json
import re

from tests.e2e.namespace import Namespace, container, pod


def test_can_i_answers_for_me_and_for_others(space: Namespace) -> None:
    assert space.out("auth", "can-i", "create", "pods") == "yes\n"
    robot = f"--as=system:serviceaccount:{space.name}:robot"
    refused = space.run("auth", "can-i", "list", "pods", robot)
    assert (refused.returncode, refused.stdout) == (1, "no\n")
    space.out("create", "serviceaccount", "robot")
    space.out("create", "role", "reader", "--verb=get,list", "--resource=pods")
    space.out("create", "rolebinding", "robot", "--role=reader", f"--serviceaccount={space.name}:robot")
    assert space.out("auth", "can-i", "list", "pods", robot) == "yes\n"
    assert space.run("auth", "can-i", "delete", "pods", robot).stdout == "no\n"
    listed = [line.split() for line in space.out("auth", "can-i", "--list", robot).splitlines()]
    assert listed[0] == ["Resources", "Non-Resource", "URLs", "Resource", "Names", "Verbs"]
    assert ["pods", "[]", "[]", "[get", "list]"] in listed
    told = space.fails("get", "secrets", robot)
    assert told == (
        f'Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:{space.name}:robot" cannot list resource '
        f'"secrets" in API group "" in the namespace "{space.name}"\n'
    )
    assert "system:masters" in space.out("auth", "whoami") or "kubeadm:cluster-admins" in space.out("auth", "whoami")


def test_a_created_token_opens_what_its_account_may(space: Namespace) -> None:
    space.out("create", "serviceaccount", "robot")
    space.out("create", "rolebinding", "robot", "--clusterrole=view", f"--serviceaccount={space.name}:robot")
    token = space.out("create", "token", "robot", "--duration=20m").strip()
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (f"system:serviceaccount:{space.name}:robot", 1200)
    config = json.loads(space.out("config", "view", "--minify", "--raw", "-o", "json"))
    server, authority = (config["clusters"][0]["cluster"][field] for field in ("server", "certificate-authority-data"))
    file = space.cluster.home.with_name("ca.crt")
    file.write_bytes(base64.b64decode(authority))
    bare = ("--kubeconfig=/dev/null", f"--server={server}", f"--certificate-authority={file}")
    assert "kube-root-ca.crt" in space.out(*bare, f"--token={token}", "get", "configmaps")
    assert "is forbidden" in space.fails(*bare, f"--token={token}", "delete", "configmap", "kube-root-ca.crt")
    assert "You must be logged in to the server (Unauthorized)" in space.fails(*bare, f"--token={token}x", "get", "configmaps")
    space.out("delete", "serviceaccount", "robot")
    assert "Unauthorized" in space.fails(*bare, f"--token={token}", "get", "configmaps")


def test_a_pod_talks_to_the_api_with_its_own_account(space: Namespace) -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    space.apply(pod("p", container()))
    space.ready("p")
    assert space.shell("p", f"cat {folder}/namespace") == space.name
    assert space.shell("p", f"head -1 {folder}/ca.crt").startswith("-----BEGIN CERTIFICATE-----")
    assert space.shell("p", f"cut -d. -f1 {folder}/token").startswith("ey")
    found = json.loads(base64.urlsafe_b64decode(space.shell("p", f"cut -d. -f2 {folder}/token").strip() + "=="))
    assert found["kubernetes.io"]["pod"]["name"] == "p"


def test_contexts_and_cluster_info(space: Namespace) -> None:
    context = space.out("config", "current-context").strip()
    assert space.out("config", "use-context", context) == f'Switched to context "{context}".\n'
    assert 'no context exists with the name: "none"' in space.fails("config", "use-context", "none")
    info = re.sub(r"\x1b\[[0-9;]*m", "", space.out("cluster-info", "-n", "kube-system"))
    assert "Kubernetes control plane is running at https://127.0.0.1:" in info
    assert "CoreDNS is running at https://127.0.0.1:" in info
    version = json.loads(space.out("version", "-o", "json"))["serverVersion"]
    assert (version["major"], version["minor"], version["gitVersion"][:6]) == ("1", "37", "v1.37.")
    assert space.out("get", "--raw", "/readyz") == "ok"
