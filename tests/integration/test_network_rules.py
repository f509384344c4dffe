"""Services, Ingresses, NetworkPolicies and EndpointSlices through the front door: what is refused, and in which words."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes, changed

Object = dict[str, Any]
CORE = "/api/v1/namespaces/default"
NETWORKING = "/apis/networking.k8s.io/v1"
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
SERVICE: Object = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spec.clusterIPs": ["None", "10.0.0.7"], "spec.clusterIP": "None"}, [
            'spec.clusterIPs: Invalid value: ["None","10.0.0.7"]: \'None\' must be the first and only value']),
        ({"spec.clusterIPs": ["x"]}, [f'spec.clusterIPs[0]: Invalid value: "x": {NOT_AN_IP}']),
        ({"spec.clusterIPs": ["10.96.0.7", "10.96.0.8"]}, [
            'spec.clusterIPs: Invalid value: ["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family']),
        ({"spec.clusterIPs": ["10.96.0.7"], "spec.ipFamilies": ["IPv6"]}, [
            'spec.clusterIPs[0]: Invalid value: "10.96.0.7": expected an IPv6 value as indicated by `ipFamilies[0]`']),
        ({"spec.clusterIP": "10.96.0.8", "spec.clusterIPs": ["10.96.0.7"]},
         ['spec.clusterIPs: Invalid value: ["10.96.0.7"]: first value must match `clusterIP`']),
        ({"spec.ipFamilies": ["IPv4", "IPv4"]}, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
        ({"spec.ipFamilies": ["IPv5"]}, ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"']),
        ({"spec.type": "LoadBalancer", "spec.ports": [{"port": 10250}]},
         ["spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"]),
        ({"spec.type": "NodePort", "spec.clusterIP": "None"},
         ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services']),
        ({"spec.externalIPs": ["127.0.0.1"]},
         ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
        ({"spec.externalIPs": ["0.0.0.0"]}, ['spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)']),
        ({"spec.externalIPs": ["224.0.0.5"]},
         ['spec.externalIPs[0]: Invalid value: "224.0.0.5": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)']),
        ({"metadata.annotations": {RANGES: "10.0.0.0/8"}},
         [f"metadata.annotations[{RANGES}]: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        ({"spec.type": "LoadBalancer", "metadata.annotations": {RANGES: "10.0.0.0/8, x"}},
         [f'metadata.annotations[{RANGES}]: Invalid value: "x": {NOT_A_CIDR}']),
        ({"spec.type": "LoadBalancer", "spec.loadBalancerSourceRanges": ["10.0.0.0"]},
         [f'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": {NOT_A_CIDR}']),
    ],
)  # fmt: skip
def test_new_services(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", f"{CORE}/services", changed(SERVICE, changes))) == expected

    run(scenario)


def test_the_address_of_a_service_stays_until_it_has_another_type(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", f"{CORE}/services", SERVICE)).body
        address = made["spec"]["clusterIP"]
        other = await api.patch("merge", f"{CORE}/services/s", {"spec": {"clusterIP": "10.96.9.9", "clusterIPs": ["10.96.9.9"]}})
        assert causes(other) == ['spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set']
        assert address != "10.96.9.9"
        external = {"spec": {"type": "ExternalName", "externalName": "a.example"}}
        assert "clusterIP" not in (await api.patch("merge", f"{CORE}/services/s", external)).body["spec"]
        back = {"spec": {"type": "NodePort", "externalName": None, "clusterIP": "", "clusterIPs": None}}
        ported = (await api.patch("merge", f"{CORE}/services/s", back)).body["spec"]
        assert ported["ports"][0]["nodePort"]
        assert ported["clusterIP"]
        plain = (await api.patch("merge", f"{CORE}/services/s", {"spec": {"type": "ClusterIP"}})).body["spec"]
        assert "nodePort" not in plain["ports"][0]
        assert plain["clusterIP"] == ported["clusterIP"]

    run(scenario)


BACKEND: Object = {"service": {"name": "s", "port": {"number": 80}}}
PATH: Object = {"path": "/", "pathType": "Prefix", "backend": BACKEND}
INGRESS: Object = {"metadata": {"name": "i"}, "spec": {"rules": [{"host": "a.example", "http": {"paths": [PATH]}}]}}
FIRST, PLACE = "spec.rules.0.http.paths.0", "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"spec.rules": None}, ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
        ({f"{FIRST}.pathType": None}, [f"{PLACE}.pathType: Required value: pathType must be specified"]),
        ({f"{FIRST}.pathType": "Any"},
         [f'{PLACE}.pathType: Unsupported value: "Any": supported values: "Exact", "ImplementationSpecific", "Prefix"']),
        ({f"{FIRST}.path": "x"}, [f'{PLACE}.path: Invalid value: "x": must be an absolute path']),
        ({f"{FIRST}.path": "/a//b/.."}, [
            f'{PLACE}.path: Invalid value: "/a//b/..": must not contain \'//\'',
            f'{PLACE}.path: Invalid value: "/a//b/..": cannot end with \'/..\'']),
        ({f"{FIRST}.pathType": "ImplementationSpecific", f"{FIRST}.path": "/a//b"}, []),
        ({"spec.rules.0.host": "*.a.example"}, []),
        ({"spec.rules.0.host": "10.0.0.1"}, ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address']),
        ({"spec.rules.0.host": "*"}, [
            'spec.rules[0].host: Invalid value: "*": a wildcard DNS-1123 subdomain must start with \'*.\', followed by a valid DNS '
            "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character "
            "(e.g. '*.example.com', regex used for validation is "
            "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
        ({f"{FIRST}.backend": {}}, [f'{PLACE}.backend: Invalid value: "": resource or service backend is required']),
        ({f"{FIRST}.backend.resource": {"kind": "K", "name": "n"}},
         [f'{PLACE}.backend: Invalid value: "": cannot set both resource and service backends']),
        ({f"{FIRST}.backend": {"resource": {"apiGroup": "a_b", "name": "n/m"}}}, [
            f'{PLACE}.backend.resource.apiGroup: Invalid value: "a_b": {SUBDOMAIN}',
            f"{PLACE}.backend.resource.kind: Required value: kind is required",
            f"{PLACE}.backend.resource.name: Invalid value: \"n/m\": may not contain '/'"]),
        ({f"{FIRST}.backend.service.port": {"number": 1, "name": "x"}},
         [f'{PLACE}.backend: Invalid value: "": cannot set both port name & port number']),
        ({f"{FIRST}.backend.service.port": {}}, [f"{PLACE}.backend: Required value: port name or number is required"]),
        ({f"{FIRST}.backend.service.port": {"number": 70000}},
         [f"{PLACE}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        ({"spec.tls": [{"hosts": ["a.example"], "secretName": "A"}]},
         [f'spec.tls[0].secretName: Invalid value: "A": {SUBDOMAIN}']),
        ({"spec.ingressClassName": "a", "metadata.annotations": {"kubernetes.io/ingress.class": "b"}}, [
            'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified']),
    ],
)  # fmt: skip
def test_new_ingresses(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", f"{NETWORKING}/namespaces/default/ingresses", changed(INGRESS, changes))) == expected

    run(scenario)


PARAMETERS: Object = {"apiGroup": "a.example", "kind": "K", "name": "n", "scope": "Namespace", "namespace": "x"}
CLASS: Object = {"metadata": {"name": "c"}, "spec": {"controller": "a.example/c", "parameters": PARAMETERS}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"spec.controller": None}, ["spec.controller: Required value"]),
        ({"spec.controller": "nginx"},
         ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")']),
        ({"spec.controller": "a.example/a b"}, [
            'spec.controller: Invalid value: "a b": Invalid path (regex used for validation is \'[A-Za-z0-9/\\-._~%!$&\'()*+,;=:]+\')']),
        ({"spec.controller": "a.example/" + "x" * 250}, ["spec.controller: Too long: may not be more than 250 bytes"]),
        ({"spec.parameters.scope": "Pod"},
         ['spec.parameters.scope: Unsupported value: "Pod": supported values: "Cluster", "Namespace"']),
        ({"spec.parameters.scope": "Cluster"}, ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"]),
        ({"spec.parameters.namespace": None}, ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]),
        ({"spec.parameters.kind": None}, ["spec.parameters.kind: Required value: kind is required"]),
    ],
)  # fmt: skip
def test_new_ingress_classes(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", f"{NETWORKING}/ingressclasses", changed(CLASS, changes))) == expected

    run(scenario)


def policy(port: Object | None = None, *peers: Object) -> Object:
    rule: Object = {"ports": [port] if port else [], "from": list(peers)}
    return {"metadata": {"name": "n"}, "spec": {"podSelector": {}, "ingress": [rule]}}


PORT, PEER = "spec.ingress[0].ports[0]", "spec.ingress[0].from[0]"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (policy({"port": 80, "endPort": 90}, {"podSelector": {}}), []),
        (policy({"endPort": 90}), [f"{PORT}.endPort: Invalid value: 90: may not be specified when `port` is not specified"]),
        (policy({"port": "web", "endPort": 90}), [f"{PORT}.endPort: Invalid value: 90: may not be specified when `port` is non-numeric"]),
        (policy({"port": 80, "endPort": 70}), [f"{PORT}.endPort: Invalid value: 80: must be greater than or equal to `port`"]),
        (policy({"port": 80, "endPort": 70000}), [f"{PORT}.endPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        (policy({"port": 0}), [f"{PORT}.port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        (policy({"port": 80, "protocol": "ICMP"}),
         [f'{PORT}.protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"']),
        (policy(None, {}), [f"{PEER}: Required value: must specify a peer"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
         [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0"}}), [f'{PEER}.ipBlock.cidr: Invalid value: "10.0.0.0": {NOT_A_CIDR}']),
        (policy(None, {"ipBlock": {}}), [f"{PEER}.ipBlock.cidr: Required value"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "11.0.0.0/9", "10.0.0.0/8"]}}), [
            f'{PEER}.ipBlock.except[1]: Invalid value: "11.0.0.0/9": must be a strict subset of `cidr`',
            f'{PEER}.ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`']),
    ],
)  # fmt: skip
def test_new_network_policies(run: Run, body: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", f"{NETWORKING}/namespaces/default/networkpolicies", body)) == expected

    run(scenario)


SLICE: Object = {
    "metadata": {"name": "e"}, "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"name": "a", "port": 80}],
}  # fmt: skip
E = "endpoints.0"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"addressType": "IPv5"}, ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"']),
        ({"addressType": "IPv6"}, ['endpoints[0].addresses[0]: Invalid value: "10.0.0.1": must be an IPv6 address']),
        ({"addressType": "FQDN", f"{E}.addresses": ["a.example."]}, []),
        ({"addressType": "FQDN", f"{E}.addresses": ["a"]}, [
            'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots']),
        ({f"{E}.addresses": []}, ["endpoints[0].addresses: Required value: must contain at least 1 address"]),
        ({f"{E}.addresses": [f"10.0.1.{index}" for index in range(101)]},
         ["endpoints[0].addresses: Too many: 101: must have at most 100 items"]),
        ({f"{E}.addresses": ["127.0.0.1"]}, [
            'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
        ({"endpoints": [{"addresses": ["10.0.0.1"]}] * 1001}, ["endpoints: Too many: 1001: must have at most 1000 items"]),
        ({"ports.1": {"name": "a", "port": 81}}, ['ports[1].name: Duplicate value: "a"']),
        ({"ports.1": {"name": "b", "port": 81, "protocol": "X"}},
         ['ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"']),
        ({f"{E}.nodeName": "A"}, [f'endpoints[0].nodeName: Invalid value: "A": {SUBDOMAIN}']),
        ({f"{E}.hints": {"forZones": [{"name": "z"}, {"name": "z"}]}}, ['endpoints[0].hints.forZones[1].name: Duplicate value: "z"']),
        ({f"{E}.hints": {"forZones": [{"name": str(index)} for index in range(9)]}},
         ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"]),
        ({f"{E}.hints": {"forNodes": [{"name": "A"}]}}, [f'endpoints[0].hints.forNodes[0].name: Invalid value: "A": {SUBDOMAIN}']),
    ],
)  # fmt: skip
def test_new_endpoint_slices(run: Run, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", changed(SLICE, changes))
        assert causes(answer) == expected

    run(scenario)
