"""API aggregation as its users have it: an extension API server in a pod, behind a Service and an APIService, asked by kubectl."""

import base64
import json
from typing import Any

from proa.lib.pki import create_authority
from tests.e2e.namespace import Namespace, container, deployment
from tests.e2e.real_cluster import REPOSITORY, wait_for

CODE = (REPOSITORY / "tests/testdata/connect/extension_server.py").read_text()
GROUP, VERSION = "wardle.example.com", "v1alpha1"
NAME = f"{VERSION}.{GROUP}"
FLUNDER = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Flunder", "metadata": {"name": "first"}, "spec": {"reference": "x"}}


def _server(space: Namespace, image: str) -> list[dict[str, Any]]:
    """What an administrator applies, with the certificates of an authority of its own."""
    authority = create_authority("extension")
    certificate, key = authority.issue("server", dns_names=[f"extension.{space.name}.svc"], server=True)
    trust = space.get("configmap", "extension-apiserver-authentication", "--namespace=kube-system")["data"]
    tls = {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()}
    workload = deployment("extension")
    mounts = [{"name": each, "mountPath": f"/{each}"} for each in ("code", "trust", "tls")]
    probe = {"tcpSocket": {"port": 8443}, "periodSeconds": 1}
    main = container(image=image, volumeMounts=mounts, readinessProbe=probe) | {"command": ["/bin/python3.11", "/code/server.py"]}
    maps = [{"name": each, "configMap": {"name": each}} for each in ("code", "trust")]
    workload["spec"]["template"]["spec"] |= {"containers": [main], "volumes": [*maps, {"name": "tls", "secret": {"secretName": "tls"}}]}
    ports = [{"name": "https", "port": 443, "targetPort": 8443}]
    spec = {
        "group": GROUP, "version": VERSION, "groupPriorityMinimum": 1000, "versionPriority": 15,
        "service": {"namespace": space.name, "name": "extension"}, "caBundle": base64.b64encode(authority.certificate).decode(),
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": {"server.py": CODE}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trust"}, "data": trust},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"}, "data": tls},
        workload,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "extension"},
            "spec": {"selector": {"app": "extension"}, "ports": ports},
        },
        {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": NAME}, "spec": spec},
    ]


def _available(space: Namespace, status: str) -> dict[str, Any]:
    """The condition, once it has this status."""

    def found() -> dict[str, Any] | None:
        conditions = (space.get("apiservice", NAME).get("status") or {}).get("conditions") or []
        return next((each for each in conditions if (each["type"], each["status"]) == ("Available", status)), None)

    return dict(wait_for(found, f"Available never became {status}", patience=30.0, interval=0.2))


def test_kubectl_works_with_a_kind_of_an_extension_server(space: Namespace, python: str) -> None:
    try:
        space.apply(*_server(space, python))
        assert _available(space, "True")["reason"] == "Passed"
        listed = space.out("api-resources", f"--api-group={GROUP}", "-o", "wide").splitlines()
        assert listed[1].split() == ["flunders", "fl", f"{GROUP}/{VERSION}", "true", "Flunder", "create,delete,get,list"]
        assert space.out("create", "-f", "-", stdin=json.dumps(FLUNDER)) == f"flunder.{GROUP}/first created\n"
        first = space.get("flunder", "first")
        assert (first["spec"], first["metadata"]["namespace"]) == ({"reference": "x"}, space.name)
        identity = json.loads(space.out("auth", "whoami", "-o", "json"))["status"]["userInfo"]
        assert first["status"] == {"creator": identity["username"], "groups": identity["groups"]}
        assert space.out("get", "fl").splitlines()[1].split()[0] == "first"
        space.out("scale", "deployment", "extension", "--replicas=0")
        gone = _available(space, "False")
        where = f'service/extension in "{space.name}"'
        assert (gone["reason"], gone["message"]) == (
            "MissingEndpoints", f'endpointslices for {where} have no addresses with port name "https"',
        )  # fmt: skip
        assert space.out("get", "apiservice", NAME, "--no-headers").split()[2:4] == ["False", "(MissingEndpoints)"]
        assert "the server is currently unable to handle the request" in space.fails("get", "flunders")
        space.out("scale", "deployment", "extension", "--replicas=1")
        assert _available(space, "True")["message"] == "all checks passed"
        space.out("create", "-f", "-", stdin=json.dumps(FLUNDER))
        assert space.out("delete", "flunder", "first") == f'flunder.{GROUP} "first" deleted\n'
        assert space.fails("get", "flunder", "first") == f'Error from server (NotFound): flunders.{GROUP} "first" not found\n'
    finally:
        space.run("delete", "apiservice", NAME, "--ignore-not-found")
