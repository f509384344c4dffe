"""Services, Ingresses, NetworkPolicies and EndpointSlices through the front door: what is refused, and in which words."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import LABEL, LABEL_VALUE, NOT_QUALIFIED, SUBDOMAIN, causes, changed

Object = dict[str, Any]
CORE = "/api/v1/namespaces/default"
NETWORKING = "/apis/networking.k8s.io/v1"
SERVICE: Object = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spec.clusterIPs": ["None", "10.0.0.7"], "spec.clusterIP": "None"}, [
            'spec.clusterIPs: Invalid value: ["None","10.0.0.7"]: \'None\' must be the first and only value']),
        ({"spec.clusterIP": "x"}, [f'spec.clusterIPs[0]: Invalid value: "x": {NOT_AN_IP}']),
        ({"spec.clusterIPs": ["10.96.0.7"]},
         ['spec.clusterIPs: Invalid value: ["10.96.0.7"]: must be empty when `clusterIP` is not specified']),
        ({"spec.clusterIP": "10.96.0.7", "spec.clusterIPs": ["10.96.0.7", "10.96.0.8"]}, [
            'spec.clusterIPs: Invalid value: ["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family']),
        ({"spec.clusterIP": "10.96.0.7", "spec.ipFamilies": ["IPv6"]}, [
            'spec.clusterIPs[0]: Invalid value: "10.96.0.7": expected an IPv6 value as indicated by `ipFamilies[0]`']),
        ({"spec.clusterIP": "10.96.0.8", "spec.clusterIPs": ["10.96.0.7"]},
         ['spec.clusterIPs: Invalid value: ["10.96.0.7"]: first value must match `clusterIP`']),
        ({"spec.ipFamilies": ["IPv4", "IPv4"]}, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
        ({"spec.ipFamilies": ["IPv5"]}, ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"']),
        ({"spec.type": "LoadBalancer", "spec.ports": [{"port": 10250}]}, []),
        ({"spec.type": "NodePort", "spec.clusterIP": "None"},
         ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services']),
        ({"spec.type": "ExternalName", "spec.externalName": "a.example", "spec.ports": [{"port": 80, "nodePort": 30000}]}, []),
        ({"spec.ports": [{"port": 80, "nodePort": 30000}]},
         ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ({"spec.ports": [{"port": 80, "appProtocol": ""}]}, [
            'spec.ports[0].appProtocol: Invalid value: "": name part must be non-empty',
            f'spec.ports[0].appProtocol: Invalid value: "": {NOT_QUALIFIED}']),
        ({"spec.ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "a"}]}, [
            'spec.ports[1].name: Duplicate value: "a"',
            'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']),
        ({"spec.type": "LoadBalancer", "spec.clusterIP": "None"},
         ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services']),
        ({"spec.type": "LoadBalancer", "spec.externalTrafficPolicy": "Local", "spec.healthCheckNodePort": 70000},
         ["spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        ({"spec.type": "NodePort", "spec.ports": [{"port": 80, "nodePort": 30000}, {"name": "a", "port": 81, "nodePort": 30000}]}, [
            "spec.ports[0].name: Required value", "spec.ports[1].nodePort: Duplicate value: 30000"]),
        ({"spec.type": "NodePort", "spec.ports": [
            {"name": "b", "port": 53, "nodePort": 30000}, {"name": "a", "port": 53, "nodePort": 30000, "protocol": "UDP"}]}, []),
        ({"spec.ports": [{"port": 0}], "spec.sessionAffinity": "x", "spec.type": "y", "spec.externalIPs": ["z"]}, [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
            'spec.sessionAffinity: Unsupported value: "x": supported values: "ClientIP", "None"',
            f'spec.externalIPs[0]: Invalid value: "z": {NOT_AN_IP}',
            'spec.type: Unsupported value: "y": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
        ({"spec.trafficDistribution": "x"}, [
            'spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"']),
        ({"spec.internalTrafficPolicy": "x", "spec.type": "ExternalName", "spec.externalName": "a.example"},
         ['spec.internalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"']),
        ({"metadata.annotations": {MODE: "Auto", HINTS: "Disabled"}},
         [f'metadata.annotations[{MODE}]: Invalid value: "Auto": must match annotations[{HINTS}] when both are specified']),
        ({"metadata.annotations": {MODE: "Auto", HINTS: "Auto"}}, []),
        ({"spec.clusterIP": "10.96.0.7", "spec.clusterIPs": ["10.96.0.7", "fd00::1", "x"]}, [
            f'spec.clusterIPs[2]: Invalid value: "x": {NOT_AN_IP}',
            'spec.clusterIPs: Invalid value: ["10.96.0.7","fd00::1","x"]: may only hold up to 2 values']),
        ({"spec.ipFamilies": ["IPv5", "IPv5"]}, [
            'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
            'spec.ipFamilies[1]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
            'spec.ipFamilies[1]: Duplicate value: "IPv5"']),
        ({"spec.externalIPs": ["10.00.0.1"]}, ['spec.externalIPs[0]: Invalid value: "10.00.0.1": must not have leading 0s']),
        ({"spec.externalIPs": ["ff12::1"]},
         ['spec.externalIPs[0]: Invalid value: "ff12::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)']),
        ({"spec.type": "LoadBalancer", "spec.loadBalancerSourceRanges": [" 10.0.0.0/08 ", "10.0.0.1/8", "::ffff:1.0.0.0/104"]}, [
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0/08": must not have leading 0s in IP or prefix length',
            'spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
            'spec.LoadBalancerSourceRanges[2]: Invalid value: "::ffff:1.0.0.0/104": must not have an IPv4-mapped IPv6 address']),
        ({"spec.type": "LoadBalancer", "spec.loadBalancerClass": "a b"},
         [f'spec.loadBalancerClass: Invalid value: "a b": {NOT_QUALIFIED}']),
        ({"spec.loadBalancerClass": "a"}, ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        ({"spec.externalTrafficPolicy": "Local"},
         ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services']),
        ({"spec.healthCheckNodePort": 30000}, ["spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is "
                                               "'LoadBalancer' and `externalTrafficPolicy` is 'Local'"]),
        ({"metadata.name": "1s"}, []),
        ({"metadata.name": "a.s"}, ['metadata.name: Invalid value: "a.s": must not contain dots']),
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


LOAD_BALANCER: Object = changed(
    SERVICE, {"spec.type": "LoadBalancer", "spec.externalTrafficPolicy": "Local", "spec.loadBalancerClass": "a"}
)


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (LOAD_BALANCER, {"spec.loadBalancerClass": "b"}, ['spec.loadBalancerClass: Invalid value: "b": may not change once set']),
        (LOAD_BALANCER, {"spec.loadBalancerClass": None}, ["spec.loadBalancerClass: Invalid value: null: may not change once set"]),
        (LOAD_BALANCER, {"spec.healthCheckNodePort": 30001}, ["spec.healthCheckNodePort: Forbidden: field is immutable"]),
        (LOAD_BALANCER, {"spec.type": "NodePort", "spec.externalTrafficPolicy": "Cluster"}, []),
        (LOAD_BALANCER, {"spec.type": "NodePort", "spec.loadBalancerClass": "b"},
         ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        (SERVICE, {"spec.ipFamilies": ["IPv6"]}, [
            'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
            'spec.clusterIPs[0]: Invalid value: "10.96.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`']),
        (SERVICE, {"spec.clusterIP": "None"}, ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set']),
    ],
)  # fmt: skip
def test_changed_services(run: Run, before: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", f"{CORE}/services", before)).body
        answer = await api("PUT", f"{CORE}/services/s", changed(made, changes))
        assert causes(answer) == [each.replace("10.96.0.1", made["spec"]["clusterIP"]) for each in expected]

    run(scenario)


def test_node_ports_follow_the_names_of_ports(run: Run) -> None:
    async def scenario(api: Api) -> None:
        ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
        made = (await api("POST", f"{CORE}/services", changed(SERVICE, {"spec.type": "NodePort", "spec.ports": ports}))).body
        first, second = (port["nodePort"] for port in made["spec"]["ports"])
        moved = [{"name": "b", "port": 90, "protocol": "UDP"}, {"name": "c", "port": 80, "nodePort": first}, {"name": "a", "port": 7}]
        again = (await api("PUT", f"{CORE}/services/s", changed(made, {"spec.ports": moved}))).body["spec"]["ports"]
        assert [port["nodePort"] for port in again[:2]] == [second, first]
        assert again[2]["nodePort"] not in (first, second)

    run(scenario)


def test_what_only_load_balancers_have_goes_with_the_type(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", f"{CORE}/services", LOAD_BALANCER)).body
        point = {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
        assert (await api.patch("merge", f"{CORE}/services/s/status", point)).status == 200
        plain = (await api("PUT", f"{CORE}/services/s", changed(made, {"spec.type": "ClusterIP", "metadata.resourceVersion": None}))).body
        gone = ("loadBalancerClass", "allocateLoadBalancerNodePorts", "externalTrafficPolicy", "healthCheckNodePort")
        assert not set(gone) & set(plain["spec"])
        assert plain["status"] == {"loadBalancer": {}}
        refused = await api.patch("merge", f"{CORE}/services/s/status", point)
        assert causes(refused) == ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"]

    run(scenario)


BACKEND: Object = {"service": {"name": "s", "port": {"number": 80}}}
PATH: Object = {"path": "/", "pathType": "Prefix", "backend": BACKEND}
INGRESS: Object = {"metadata": {"name": "i"}, "spec": {"rules": [{"host": "a.example", "http": {"paths": [PATH]}}]}}
FIRST, PLACE = "spec.rules.0.http.paths.0", "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"spec.rules": None}, ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
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
        ({"spec.rules.0.host": "FE80::1"}, [
            'spec.rules[0].host: Invalid value: "FE80::1": must be a DNS name, not an IP address',
            f'spec.rules[0].host: Invalid value: "FE80::1": {SUBDOMAIN}']),
        ({f"{FIRST}.pathType": None, f"{FIRST}.backend": {}}, [f"{PLACE}.pathType: Required value: pathType must be specified"]),
        ({f"{FIRST}.backend.service.name": "1s"}, []),
        ({f"{FIRST}.backend.service.name": "a.s"}, [f'{PLACE}.backend.service.name: Invalid value: "a.s": must not contain dots']),
        ({"spec.ingressClassName": ""}, [f'spec.ingressClassName: Invalid value: "": {SUBDOMAIN}']),
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
         [f'{PORT}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"']),
        (policy(None, {}), [f"{PEER}: Required value: must specify a peer"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
         [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0"}}), [f'{PEER}.ipBlock.cidr: Invalid value: "10.0.0.0": {NOT_A_CIDR}']),
        (policy(None, {"ipBlock": {}}), [f"{PEER}.ipBlock.cidr: Required value"]),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "11.0.0.0/9", "10.0.0.0/8"]}}), [
            f'{PEER}.ipBlock.except[1]: Invalid value: "11.0.0.0/9": must be a strict subset of `cidr`',
            f'{PEER}.ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`']),
        (policy(None, {"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.1.0.1/24", "x"]}, "podSelector": {"matchLabels": {"a": "b c"}}}), [
            f'{PEER}.podSelector.matchLabels: Invalid value: "b c": {LABEL_VALUE}',
            f'{PEER}.ipBlock.except[0]: Invalid value: "10.1.0.1/24": must not have bits set beyond the prefix length',
            f'{PEER}.ipBlock.except[0]: Invalid value: "10.1.0.1/24": must be a strict subset of `cidr`',
            f'{PEER}.ipBlock.except[1]: Invalid value: "x": {NOT_A_CIDR}',
            f"{PEER}: Forbidden: may not specify both ipBlock and another peer"]),
        (changed(policy(), {"spec.policyTypes": ["Ingress", "x"]}),
         ['spec.policyTypes[1]: Unsupported value: "x": supported values: "Ingress", "Egress"']),
        (changed(policy(), {"spec.policyTypes": ["Ingress", "Egress", "x"]}),
         ['spec.policyTypes: Invalid value: ["Ingress","Egress","x"]: may not specify more than two policyTypes']),
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
        ({f"{E}.hostname": "", f"{E}.nodeName": ""}, [
            f'endpoints[0].nodeName: Invalid value: "": {SUBDOMAIN}', f'endpoints[0].hostname: Invalid value: "": {LABEL}']),
        ({f"{E}.hints": {"forZones": [{"name": str(index)} for index in range(9)], "forNodes": [{"name": "A"}]}},
         ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"]),
        ({"ports.1": {"name": "b", "port": 81, "appProtocol": "a b"}},
         [f'ports[1].appProtocol: Invalid value: "a b": {NOT_QUALIFIED}']),
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


SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def test_slices_of_the_version_before(run: Run) -> None:
    """deprecatedTopology can't be written, and labels count for generation."""

    async def scenario(api: Api) -> None:
        old = changed(SLICE, {f"{E}.deprecatedTopology": {"kubernetes.io/hostname": "n"}})
        made = (await api("POST", SLICES, old)).body
        assert "deprecatedTopology" not in made["endpoints"][0]
        assert made["metadata"]["generation"] == 1
        labelled = (await api("PUT", f"{SLICES}/e", changed(made, {"metadata.labels": {"a": "b"}}))).body
        assert labelled["metadata"]["generation"] == 2
        noted = (await api("PUT", f"{SLICES}/e", changed(labelled, {"metadata.annotations": {"a": "b"}}))).body
        assert noted["metadata"]["generation"] == 2

    run(scenario)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (f"{CORE}/services", changed(SERVICE, {"spec.externalIPs": ["2001:DB8::1"]}), [
            'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
        (f"{CORE}/services", changed(SERVICE, {"spec.clusterIP": "None", "spec.loadBalancerIP": "::ffff:1.2.3.4"}), [
            "spec.loadBalancerIP is ignored for headless services",
            'spec.loadBalancerIP: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']),
        (f"{CORE}/services", changed(SERVICE, {"spec.externalName": "a.example", "spec.trafficDistribution": "PreferClose"}), [
            'spec.externalName is ignored when spec.type is not "ExternalName"',
            'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']),
        (f"{CORE}/services", changed(SERVICE, {
            "spec.externalName": "a.example", "spec.type": "ExternalName", "spec.externalIPs": ["1.2.3.4"]}),
         ['spec.externalIPs is ignored when spec.type is "ExternalName"']),
        (f"{NETWORKING}/namespaces/default/ingresses", changed(INGRESS, {"metadata.annotations": {"kubernetes.io/ingress.class": "b"}}), [
            'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead']),
        (f"{NETWORKING}/namespaces/default/networkpolicies", policy(None, {"ipBlock": {"cidr": "2001:DB8::/32"}}), [
            f'{PEER}.ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")']),
        (SLICES, changed(SLICE, {"addressType": "FQDN", f"{E}.addresses": ["a.example"]}), [
            "spec.addressType: FQDN endpoints are deprecated"]),
        (SLICES, changed(SLICE, {"addressType": "IPv6", f"{E}.addresses": ["2001:DB8::1"]}), [
            'endpoints[0].addresses[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']),
        (SLICES, changed(SLICE, {"addressType": "IPv6", f"{E}.addresses": ["2001:DB8::1"], "metadata.labels": {
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}), []),
    ],
)  # fmt: skip
def test_warnings(run: Run, path: str, body: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", path, body)
        assert answer.status == 201, answer.body
        told = [each for each in answer.warnings if "this version of proa" not in each]
        assert told == ['299 - "' + each.replace('"', '\\"') + '"' for each in expected]

    run(scenario)
