"""Which container, node, address and path a request means, and the words of the refusals."""

import pytest

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.connect.kubelet import dial_error, node_address, node_port
from proa.apiserver.connect.log import kubelet_error, log_option_errors, log_path
from proa.apiserver.connect.pod import choose_container, node_of
from proa.apiserver.connect.proxied import choose_endpoint, first_port, pod_address, split_name, split_path
from proa.apiserver.connect.streams import command_path
from proa.client.streaming.command import CommandOptions
from proa.lib.http.client import Endpoint


def pod(*names: str, init: tuple[str, ...] = (), node: str = "") -> Object:
    spec: Object = {"containers": [{"name": name} for name in names], "nodeName": node}
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": spec | {"initContainers": [{"name": name} for name in init]}}


@pytest.mark.parametrize(
    ("subject", "name", "chosen"),
    [(pod("a"), "", "a"), (pod("a", "b"), "b", "b"), (pod("a", init=("i",)), "i", "i"), (pod("a", init=("i",)), "", "a")],
)
def test_a_container_is_named_or_the_only_one(subject: Object, name: str, chosen: str) -> None:
    assert choose_container(subject, name) == chosen


@pytest.mark.parametrize(
    ("subject", "name", "message"),
    [
        (pod("a", "b"), "", "a container name must be specified for pod p, choose one of: [a b]"),
        (
            pod("a", "b", init=("i", "j")),
            "",
            "a container name must be specified for pod p, choose one of: [i j a b]",
        ),
        (pod(), "", "a container name must be specified for pod p"),
        (pod("a"), "x", "container x is not valid for pod p"),
    ],
)
def test_a_container_that_cannot_be_said(subject: Object, name: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        choose_container(subject, name)
    assert (caught.value.status_code, caught.value.message) == (400, message)


def test_a_pod_without_a_node() -> None:
    assert node_of(pod("a", node="n1")) == "n1"
    with pytest.raises(ApiError, match=r"^pod p does not have a host assigned$"):
        node_of(pod("a"))


NODE: Object = {"status": {"addresses": [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "10.0.0.2"}]}}


def test_where_a_kubelet_listens() -> None:
    assert (node_address(NODE), node_port(NODE)) == ("10.0.0.2", 10250)
    assert node_port({"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 10350}}}}) == 10350
    with pytest.raises(ApiError, match=r"^no preferred addresses found; known addresses: \[\{ExternalDNS x\}\]$"):
        node_address({"status": {"addresses": [{"type": "ExternalDNS", "address": "x"}]}})


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(111, "x"), "dial tcp 10.0.0.2:1: connect: connection refused"),
        (OSError(113, "x"), "dial tcp 10.0.0.2:1: connect: no route to host"),
        (TimeoutError(), "dial tcp 10.0.0.2:1: i/o timeout"),
        (ConnectionError("closed early"), "dial tcp 10.0.0.2:1: closed early"),
    ],
)
def test_failed_connections_in_words(error: OSError, text: str) -> None:
    assert dial_error(Endpoint("10.0.0.2", 1), error) == text


def test_the_kubelets_path_of_a_command() -> None:
    options = CommandOptions(stdin=True, stdout=True, tty=True)
    path = command_path("exec", pod("a"), "a", options, ["sh", "-c", "echo a&b"])
    assert path == "/exec/n/p/a?input=1&output=1&tty=1&command=sh&command=-c&command=echo+a%26b"


def test_the_kubelets_path_of_a_log() -> None:
    query = {"follow": ["true"], "previous": ["false"], "tailLines": ["5"], "sinceTime": ["2026-01-01T00:00:00Z"], "container": ["a"]}
    assert log_path(pod("a"), "a", query) == "/containerLogs/n/p/a?follow=true&sinceTime=2026-01-01T00%3A00%3A00Z&tailLines=5"
    assert log_path(pod("a"), "a", {}) == "/containerLogs/n/p/a"


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({}, []),
        ({"tailLines": ["0"], "sinceSeconds": ["1"]}, []),
        ({"tailLines": ["-1"]}, ["tailLines: Invalid value: -1: must be greater than or equal to 0"]),
        ({"limitBytes": ["0"]}, ["limitBytes: Invalid value: 0: must be greater than 0"]),
        (
            {"sinceSeconds": ["5"], "sinceTime": ["2026-01-01T00:00:00Z"]},
            ["[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"],
        ),
        ({"stream": ["stdout"]}, ['stream: Unsupported value: "stdout": supported values: "All", "Stderr", "Stdout"']),
        ({"stream": ["Stdout"], "tailLines": ["1"]}, ["[]: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now"]),
    ],
)
def test_log_options_that_contradict(query: dict[str, list[str]], details: list[str]) -> None:
    assert [cause.detail for cause in log_option_errors(query)] == details


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (400, (400, "BadRequest", "why")),
        (500, (500, "InternalError", "Internal error occurred: why")),
        (404, (404, "NotFound", "the server could not find the requested resource ( pods p)")),
        (418, (418, "", "the server responded with the status code 418 but did not return more information ( pods p)")),
    ],
)
def test_what_a_kubelet_refuses_becomes_a_status(code: int, answer: tuple[int, str, str]) -> None:
    error = kubelet_error(code, "why", "p")
    assert (error.status_code, error.status_reason, error.message) == answer


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("a", ("", "a", "")),
        ("a:80", ("", "a", "80")),
        ("https:a:web", ("https", "a", "web")),
        ("https:a:", ("https", "a", "")),
        ("ftp:a:1", None),
        ("", None),
        ("http::1", None),
        ("a:b:c:d", None),
    ],
)
def test_names_with_scheme_and_port(identifier: str, parts: tuple[str, str, str] | None) -> None:
    assert split_name(identifier) == parts


@pytest.mark.parametrize(
    ("path", "namespaced", "parts"),
    [
        ("/api/v1/namespaces/proxy/pods/proxy/proxy", True, ("/api/v1/namespaces/proxy/pods/proxy/proxy", "")),
        ("/api/v1/namespaces/n/pods/p/proxy/", True, ("/api/v1/namespaces/n/pods/p/proxy", "/")),
        ("/api/v1/namespaces/n/services/s/proxy/a%2Fb//c/", True, ("/api/v1/namespaces/n/services/s/proxy", "/a%2Fb//c/")),
        ("/api/v1/nodes/n/proxy/proxy/x", False, ("/api/v1/nodes/n/proxy", "/proxy/x")),
    ],
)
def test_what_follows_the_proxy(path: str, namespaced: bool, parts: tuple[str, str]) -> None:
    assert split_path(path, namespaced=namespaced) == parts


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", "169.254.169.254", "::1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "::ffff:127.0.0.1", "name"]
)
def test_addresses_that_no_pod_can_have(address: str) -> None:
    with pytest.raises(ApiError, match=r"^address not allowed$"):
        pod_address({"status": {"podIP": address}})


def test_a_pods_own_address_and_first_port() -> None:
    assert pod_address({"status": {"podIP": "10.1.2.3"}}) == "10.1.2.3"
    assert pod_address({"status": {"podIP": "10.1.2.3", "podIPs": [{"ip": "fd00::1"}]}}) == "fd00::1"
    assert first_port({"spec": {"containers": [{}, {"ports": [{"containerPort": 9}, {"containerPort": 8}]}]}}) == "9"
    assert first_port({"spec": {"containers": [{}]}}) == ""


SERVICE: Object = {"metadata": {"name": "s"}, "spec": {"ports": [{"name": "web", "port": 80}, {"name": "admin", "port": 81}]}}
ENDPOINTS: Object = {
    "subsets": [
        {"notReadyAddresses": [{"ip": "10.0.0.9"}], "ports": [{"name": "web", "port": 8080}]},
        {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"name": "web", "port": 8080}]},
    ]
}


@pytest.mark.parametrize("port", ["web", "80"])
def test_a_service_leads_to_a_ready_endpoint(port: str) -> None:
    assert choose_endpoint(SERVICE, ENDPOINTS, port, f"s:{port}") == ("10.0.0.1", 8080)


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("82", 'no service port 82 found for service "s"'),
        ("admin", 'no endpoints available for service "http:s:admin"'),
        ("", 'no endpoints available for service "http:s:"'),
    ],
)
def test_a_service_that_leads_nowhere(port: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        choose_endpoint(SERVICE, ENDPOINTS, port, f"http:s:{port}")
    assert (caught.value.status_code, caught.value.message) == (503, message)
