"""Which FlowSchema a request belongs to."""

import pytest

from proa.api.meta import Object
from proa.apiserver.bootstrap.flow_control import MANDATORY_SCHEMAS, SUGGESTED_SCHEMAS
from proa.apiserver.fairness.flow_schema import FlowSchema, flow_schema, in_order, select
from proa.apiserver.interface import RequestInfo, User

EVERYBODY = ("system:authenticated",)


def pods(verb: str = "get", namespace: str = "default", subresource: str = "") -> RequestInfo:
    return RequestInfo(verb, "", True, "", "v1", "pods", subresource, namespace, "p")


def resource(group: str, plural: str, verb: str = "update", namespace: str = "x", subresource: str = "") -> RequestInfo:
    return RequestInfo(verb, "", True, group, "v1", plural, subresource, namespace, "n")


ACCOUNTS = (*EVERYBODY, "system:serviceaccounts")


@pytest.mark.parametrize(
    ("user", "info", "name", "distinguisher"),
    [
        (User("root", ("system:masters",)), pods(), "exempt", ""),
        (User("system:anonymous", ("system:unauthenticated",)), RequestInfo("get", "/readyz"), "probes", ""),
        (User("system:anonymous", ("system:unauthenticated",)), RequestInfo("get", "/version"), "global-default", "system:anonymous"),
        (User("system:node:a", ("system:nodes",)), resource("", "nodes", namespace="", subresource="status"), "system-node-high",
         "system:node:a"),
        (User("system:node:a", ("system:nodes",)), resource("coordination.k8s.io", "leases"), "system-node-high", "system:node:a"),
        (User("system:node:a", ("system:nodes",)), pods(), "system-nodes", "system:node:a"),
        (User("system:kube-scheduler", EVERYBODY), resource("coordination.k8s.io", "leases"), "system-leader-election",
         "system:kube-scheduler"),
        (User("system:kube-scheduler", EVERYBODY), pods(), "kube-scheduler", "default"),
        (User("system:kube-controller-manager", EVERYBODY), pods(), "kube-controller-manager", "default"),
        (User("system:kube-controller-manager", EVERYBODY), resource("", "endpoints"), "endpoint-controller",
         "system:kube-controller-manager"),
        (User("system:serviceaccount:kube-system:x", ACCOUNTS), resource("", "configmaps"), "workload-leader-election",
         "system:serviceaccount:kube-system:x"),
        (User("system:serviceaccount:kube-system:x", ACCOUNTS), pods("list"), "kube-system-service-accounts", "default"),
        (User("system:serviceaccount:default:x", ACCOUNTS), pods(), "service-accounts", "system:serviceaccount:default:x"),
        (User("alice", EVERYBODY), pods(), "global-default", "alice"),
        (User("nobody", ()), pods(), "catch-all", "nobody"),
    ],
)  # fmt: skip
def test_the_default_schemas(user: User, info: RequestInfo, name: str, distinguisher: str) -> None:
    schemas = in_order(map(flow_schema, (*SUGGESTED_SCHEMAS.values(), *MANDATORY_SCHEMAS.values())))
    found = select(schemas, user, info)
    assert (found.name, found.distinguish(user, info)) == (name, distinguisher)


def schema(name: str, precedence: int, rule: Object) -> FlowSchema:
    return FlowSchema(name, "", precedence, "", "", ({"subjects": [{"kind": "User", "user": {"name": "*"}}], **rule},))


RULE: Object = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "pods/log"], "namespaces": ["a"]}


@pytest.mark.parametrize(
    ("rule", "info", "matches"),
    [
        (RULE, pods(namespace="a"), True),
        (RULE, pods(namespace="a", subresource="log"), True),
        (RULE, pods(namespace="a", subresource="status"), False),
        (RULE, pods("list", "a"), False),
        (RULE, pods(namespace="b"), False),
        (RULE, pods(namespace=""), False),
        (RULE | {"clusterScope": True}, pods(namespace=""), True),
        (RULE | {"apiGroups": ["apps"]}, pods(namespace="a"), False),
        (RULE | {"namespaces": ["*"], "resources": ["*"]}, pods(subresource="status"), True),
        (RULE, RequestInfo("get", "/pods"), False),
    ],
)
def test_resource_rules(rule: Object, info: RequestInfo, matches: bool) -> None:
    assert schema("x", 1, {"resourceRules": [rule]}).matches(User("a"), info) is matches


@pytest.mark.parametrize(("path", "matches"), [("/a", True), ("/b/c", True), ("/b", False), ("/c", False)])
def test_paths(path: str, matches: bool) -> None:
    rule = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/a", "/b/*"]}]}
    assert schema("x", 1, rule).matches(User("a"), RequestInfo("get", path)) is matches


def test_equal_precedence_goes_by_name() -> None:
    assert [each.name for each in in_order([schema("b", 2, {}), schema("a", 2, {}), schema("c", 1, {})])] == ["c", "a", "b"]


def test_without_catch_all_nothing_works() -> None:
    with pytest.raises(LookupError):
        select([schema("b", 2, {})], User("a"), pods())
