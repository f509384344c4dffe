"""Core kinds and what all kinds share, through the front door: what is refused, in which words and order, and what is warned of."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import NOT_QUALIFIED, causes, changed

Object = dict[str, Any]
CORE = "/api/v1/namespaces/default"
NODES = "/api/v1/nodes"
UNQUALIFIED = 'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'


def named(name: str, **fields: Any) -> Object:
    return {"metadata": {"name": name}, **fields}


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (f"{CORE}/configmaps", {"metadata": {"name": "c", "finalizers": ["mine"]}}, [f"metadata.finalizers[0]: {UNQUALIFIED}"]),
        (f"{CORE}/configmaps", {"metadata": {"name": "c", "finalizers": ["orphan", "a.b/c", "kubernetes"]}}, []),
        ("/api/v1/namespaces", named("n", spec={"finalizers": ["mine"]}), [f"spec.finalizers: {UNQUALIFIED}"]),
        ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {"metadata": {"name": "w", "finalizers": ["mine"]}}, []),
        ("/apis/apiregistration.k8s.io/v1/apiservices", {
            "metadata": {"name": "v1.a.example", "finalizers": ["mine"]},
            "spec": {"group": "a.example", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}}, []),
        (f"{CORE}/configmaps", named("c", data={"a": "x"}, binaryData={"a": "eA=="}),
         ['data[a]: Invalid value: "a": duplicate of key present in binaryData']),
        (f"{CORE}/configmaps", named("c", data={"a": "ä" * 600_000}), ["[]: Too long: may not be more than 1048576 bytes"]),
        (f"{CORE}/secrets", named("s", type="kubernetes.io/ssh-auth", data={"ssh-privatekey": ""}),
         ["data[ssh-privatekey]: Required value"]),
        (f"{CORE}/secrets", named("s", type="kubernetes.io/basic-auth", data={"username": ""}), []),
        (f"{CORE}/resourcequotas", named("q", spec={"scopeSelector": {"matchExpressions": [
            {"scopeName": "BestEffort", "operator": "In", "values": ["a"]}, {"scopeName": "NotBestEffort", "operator": "Exists"}]}}), [
            "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of "
            "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            "spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes"]),
        (f"{CORE}/resourcequotas", named("q", spec={"hard": {"cpu": "1"}, "scopeSelector": {"matchExpressions": [
            {"scopeName": "BestEffort", "operator": "Exists"}]}}), [
            'spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":"BestEffort","Operator":"Exists",'
            '"Values":null}]}: unsupported scope applied to resource']),
        (f"{CORE}/resourcequotas", named("q", spec={"scopes": ["Terminating", "NotTerminating", "x"]}), [
            'spec.scopes: Invalid value: ["Terminating","NotTerminating","x"]: unsupported scope',
            'spec.scopes: Invalid value: ["Terminating","NotTerminating","x"]: conflicting scopes']),
        (f"{CORE}/endpoints", named("e", subsets=[{"addresses": [{"ip": "x", "nodeName": ""}], "ports": [
            {"port": 1, "appProtocol": ""}]}]), [
            'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            "subsets[0].addresses[0].nodeName: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
            "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation "
            "is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
            'subsets[0].ports[0].appProtocol: Invalid value: "": name part must be non-empty',
            f'subsets[0].ports[0].appProtocol: Invalid value: "": {NOT_QUALIFIED}']),
        (f"{CORE}/endpoints", named("e", subsets=[{"addresses": [{"ip": "010.0.0.1"}]}]),
         ['subsets[0].addresses[0].ip: Invalid value: "010.0.0.1": must not have leading 0s']),
        (f"{CORE}/endpoints", named("e", subsets=[{"addresses": [{"ip": "::ffff:1.2.3.4"}]}]),
         ['subsets[0].addresses[0].ip: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address']),
        (f"{CORE}/events", named("e", involvedObject={"namespace": "default"}, eventTime="2020-01-01T00:00:00.000000Z", reason="R",
                                 action="A", reportingInstance="I", reportingComponent="a b"),
         [f'reportingComponent: Invalid value: "a b": {NOT_QUALIFIED}']),
        (NODES, named("n", spec={"taints": [{"key": "", "value": "a b", "effect": "x"}]}), [
            'metadata.taints[0].key: Invalid value: "": name part must be non-empty',
            f'metadata.taints[0].key: Invalid value: "": {NOT_QUALIFIED}',
            "metadata.taints[0].value: Invalid value: \"a b\": a valid label must be an empty string or consist of alphanumeric "
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
            "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            'metadata.taints[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']),
        (NODES, named("n", spec={"taints": [{"key": "a", "effect": "NoExecute"}, {"key": "a", "value": "b", "effect": "NoExecute"}]}), [
            'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoExecute","TimeAdded":null}: taints must be unique by '
            "key and effect pair"]),
        (NODES, named("n", status={"capacity": {"cpu": "-1"}, "allocatable": {"pods": "1500m"}}), [
            'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
            'status.allocatable.pods: Invalid value: "1500m": must be an integer']),
        (NODES, named("n", spec={"podCIDRs": ["10.0.0.0/24", "10.1.0.1/24"]}), [
            'spec.podCIDRs[1]: Invalid value: "10.1.0.1/24": must not have bits set beyond the prefix length',
            'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.1/24"]: may specify no more than one CIDR for each IP family']),
        (NODES, named("n", status={"declaredFeatures": ["B", "B", "A", "x"]}), [
            'status.declaredFeatures[1]: Duplicate value: "B"',
            'status.declaredFeatures[2]: Invalid value: "A": list must be sorted alphabetically',
            'status.declaredFeatures[3]: Invalid value: "x": invalid feature name "x": must start with an UpperCamelCase segment, with '
            "subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters "
            "and slashes"]),
        (NODES, named("n", status={"nodeInfo": {"architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
            "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
            "swap": {"capacity": 0}}}), ["metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than 0"]),
    ],
)  # fmt: skip
def test_new_objects(run: Run, path: str, body: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", path, body)) == expected

    run(scenario)


NODE: Object = named("n", spec={"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"], "providerID": "p"})


@pytest.mark.parametrize(
    ("part", "changes", "expected"),
    [
        ("", {"spec.externalID": "x"}, ["spec.externalID: Forbidden: may not be updated"]),
        ("", {"spec.providerID": "q"}, ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid']),
        ("", {"spec.podCIDR": "10.1.0.0/24", "spec.podCIDRs": ["10.1.0.0/24"]},
         ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']),
        ("/status", {"status.addresses": [{"type": "InternalIP", "address": "1.2.3.4"}] * 2},
         ['status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.2.3.4"}']),
        ("/status", {"status.capacity": {"memory": "-1"}},
         ['status.capacity.memory: Invalid value: "-1": must be greater than or equal to 0',
          'status.allocatable.memory: Invalid value: "-1": must be greater than or equal to 0']),
        ("", {"metadata.finalizers": ["mine"]}, [f"metadata.finalizers[0]: {UNQUALIFIED}"]),
        ("/status", {"metadata.finalizers": ["mine"]}, [f"metadata.finalizers[0]: {UNQUALIFIED}"]),
    ],
)  # fmt: skip
def test_changed_nodes(run: Run, part: str, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", NODES, NODE)
        assert causes(await api("PUT", f"{NODES}/n{part}", changed(NODE, changes))) == expected

    run(scenario)


IMMUTABLE = "Forbidden: field is immutable when `immutable` is set"


@pytest.mark.parametrize(
    ("plural", "before", "changes", "expected"),
    [
        ("configmaps", named("o", immutable=True, data={"a": "b"}), {"immutable": False, "data.a": "c"},
         [f"immutable: {IMMUTABLE}", f"data: {IMMUTABLE}"]),
        ("configmaps", named("o", immutable=True), {"binaryData": {"a": "eA=="}}, [f"binaryData: {IMMUTABLE}"]),
        ("secrets", named("o", immutable=True), {"type": "a/b", "data": {"a": "eA=="}},
         ['type: Invalid value: "a/b": field is immutable', f"data: {IMMUTABLE}"]),
        ("resourcequotas", named("o", spec={"scopes": ["BestEffort"]}), {"spec.scopes": ["NotBestEffort"]},
         ['spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable']),
        ("limitranges", named("o", spec={"limits": []}), {"spec.limits": [{"type": "Pod", "max": {"cpu": "1"}}, {"type": "Pod"}]},
         ['spec.limits[1].type: Duplicate value: "Pod"']),
    ],
)  # fmt: skip
def test_changed_objects(run: Run, plural: str, before: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("POST", f"{CORE}/{plural}", before)).status == 201
        assert causes(await api("PUT", f"{CORE}/{plural}/o", changed(before, changes))) == expected

    run(scenario)


@pytest.mark.parametrize(
    ("version", "status", "message"),
    [
        ("x", 500, 'strconv.ParseUint: parsing "x": invalid syntax'),
        ("-1", 500, 'strconv.ParseUint: parsing "-1": invalid syntax'),
        ("99999999999999999999", 500, 'strconv.ParseUint: parsing "99999999999999999999": value out of range'),
        ("1", 409, 'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to the latest '
         "version and try again"),
        ("00", 200, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("patched", [False, True])
def test_versions_that_an_update_states(run: Run, version: str, status: int, message: str, patched: bool) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", f"{CORE}/configmaps", named("c"))
        body = {"metadata": {"name": "c", "resourceVersion": version}}
        path = f"{CORE}/configmaps/c"
        answer = await api.patch("merge", path, body) if patched else await api("PUT", path, body)
        assert (answer.status, answer.body.get("message", "")) == (status, message)

    run(scenario)


def test_a_fault_that_is_found_twice_is_told_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = named("q", spec={"hard": {"pods": "1", "services": "1", "cpu": "1"}, "scopes": ["BestEffort"]})
        answer = await api("POST", f"{CORE}/resourcequotas", body)
        why = 'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'
        assert answer.summary == (422, "Invalid", f'ResourceQuota "q" is invalid: {why}')
        assert causes(answer) == [why, why]

    run(scenario)


def test_changed_endpoints(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", f"{CORE}/endpoints", named("e", subsets=[{"addresses": [{"ip": "1.2.3.4"}]}]))).body
        made["subsets"][0]["addresses"][0]["ip"] = "127.0.0.1"
        refused = await api("PUT", f"{CORE}/endpoints/e", made)
        assert causes(refused) == [
            'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'
        ]

    run(scenario)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (f"{CORE}/endpoints", named("e", subsets=[{"notReadyAddresses": [{"ip": "2001:DB8::1"}]}]), [
            'subsets[0].notReadyAddresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']),
        (f"{CORE}/endpoints", {"metadata": {"name": "e", "labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}},
                               "subsets": [{"addresses": [{"ip": "2001:DB8::1"}]}]}, []),
        (f"{CORE}/serviceaccounts", {"metadata": {"name": "a", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}}, [
            "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate "
            "access to mounted secrets"]),
    ],
)  # fmt: skip
def test_warnings(run: Run, path: str, body: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", path, body)
        assert answer.status == 201, answer.body
        told = [each for each in answer.warnings if "v1 Endpoints is deprecated" not in each]
        assert told == ['299 - "' + each.replace('"', '\\"') + '"' for each in expected]

    run(scenario)


def test_service_accounts_refer_to_secrets_by_name(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = named("a", secrets=[{"name": "s", "kind": "Secret", "namespace": "other", "uid": "u"}])
        assert (await api("POST", f"{CORE}/serviceaccounts", body)).body["secrets"] == [{"name": "s"}]
        again = await api("PUT", f"{CORE}/serviceaccounts/a", named("a", secrets=[{"name": "t", "fieldPath": "x"}]))
        assert again.body["secrets"] == [{"name": "t"}]

    run(scenario)


def test_the_phase_of_a_namespace(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", "/api/v1/namespaces", named("n"))).body
        assert made["status"] == {"phase": "Active"}
        without = await api("PUT", "/api/v1/namespaces/n/status", named("n", status={}))
        assert without.body["status"] == {"phase": "Active"}
        wrong = await api("PUT", "/api/v1/namespaces/n/status", named("n", status={"phase": "Terminating"}))
        assert causes(wrong) == [
            "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty",
        ]
        refused = await api("PUT", "/api/v1/namespaces/n/finalize", named("n", spec={"finalizers": ["kubernetes", "mine"]}))
        assert causes(refused) == [f"spec.finalizers[1]: {UNQUALIFIED}"]

    run(scenario)
