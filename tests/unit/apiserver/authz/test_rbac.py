"""Who may do what by roles and bindings, how a decision explains itself, and what it costs."""

from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.authz.denial import describe, forbidden
from proa.apiserver.authz.rbac import RBACAuthorizer
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.bootstrap.rule import paths, rule
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import Decision, RequestInfo, User
from tests.unit.apiserver.authz.steps import calls_of

JANE = User("jane", ("dev",))
APP = User("system:serviceaccount:shop:app", ("system:serviceaccounts", "system:serviceaccounts:shop"))


def role(name: str, *rules: Object, namespace: str = "") -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}


def binding(name: str, role: str, *subjects: Object, namespace: str = "", kind: str = "ClusterRole") -> Object:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        "subjects": list(subjects),
    }


def subject(kind: str, name: str, **more: str) -> Object:
    return {"kind": kind, "name": name, **more}


def resource(verb: str, plural: str, **more: Any) -> RequestInfo:
    name, _, sub = plural.partition("/")
    return RequestInfo(verb, "", True, resource=name, subresource=sub, version="v1", **more)


def world() -> tuple[FakeReader, RBACAuthorizer]:
    reader = FakeReader()
    for each in (
        role("reader", rule("get list", "pods pods/log"), rule("get", "configmaps", names="a b")),
        role("scaler", rule("update", "*/scale", "*")),
        role("root", rule("*", "*", "*"), paths("*", "*")),
        role("health", paths("/healthz /readyz/* /api")),
        role("stars", rule("get", "pods/*"), rule("*", "secrets")),
    ):
        reader.put(GROUP, "clusterroles", each)
    reader.put(GROUP, "roles", role("local", rule("delete", "deployments", "apps"), namespace="shop"))
    for each in (
        binding("readers", "reader", subject("Group", "dev")),
        binding("scalers", "scaler", subject("User", "jane")),
        binding("roots", "root", subject("User", "root")),
        binding("health", "health", subject("Group", "dev")),
        binding("stars", "stars", subject("User", "star")),
        binding("dangling", "ghost", subject("User", "lost")),
    ):
        reader.put(GROUP, "clusterrolebindings", each)
    reader.put(GROUP, "rolebindings", binding("app", "local", subject("ServiceAccount", "app"), namespace="shop", kind="Role"))
    reader.put(GROUP, "rolebindings", binding("app2", "reader", subject("ServiceAccount", "app", namespace="shop"), namespace="other"))
    return reader, RBACAuthorizer(reader)


def by_cluster_role(binding: str, role: str, who: str) -> Decision:
    return Decision(True, f'RBAC: allowed by ClusterRoleBinding "{binding}" of ClusterRole "{role}" to {who}')


READERS = 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "dev"'
NO = Decision(None)


@pytest.mark.parametrize(
    ("user", "info", "expected"),
    [
        (JANE, resource("list", "pods"), Decision(True, READERS)),
        (JANE, resource("get", "pods", namespace="any", name="x"), Decision(True, READERS)),
        (JANE, resource("get", "pods/log", namespace="any", name="x"), Decision(True, READERS)),
        (JANE, resource("create", "pods/exec", namespace="any", name="x"), NO),
        (JANE, resource("list", "pods", group="metrics.k8s.io"), NO),
        (JANE, resource("delete", "pods"), NO),
        (JANE, resource("get", "configmaps", name="b"), Decision(True, READERS)),
        (JANE, resource("get", "configmaps", name="c"), NO),
        (JANE, resource("get", "configmaps"), NO),
        (
            JANE, resource("update", "deployments/scale", group="apps", namespace="x"),
            Decision(True, 'RBAC: allowed by ClusterRoleBinding "scalers" of ClusterRole "scaler" to User "jane"'),
        ),
        (JANE, resource("update", "deployments", group="apps", namespace="x"), NO),
        (User("root"), resource("escalate", "x/y", group="z"), by_cluster_role("roots", "root", 'User "root"')),
        (User("star"), resource("get", "pods/log"), NO),
        (User("star"), resource("list", "secrets"), by_cluster_role("stars", "stars", 'User "star"')),
        (
            APP, resource("delete", "deployments", group="apps", namespace="shop"),
            Decision(True, 'RBAC: allowed by RoleBinding "app/shop" of Role "local" to ServiceAccount "app/shop"'),
        ),
        (APP, resource("delete", "deployments", group="apps", namespace="other"), NO),
        (APP, resource("delete", "deployments", group="apps"), NO),
        (
            APP, resource("list", "pods", namespace="other"),
            Decision(True, 'RBAC: allowed by RoleBinding "app2/other" of ClusterRole "reader" to ServiceAccount "app/shop"'),
        ),
        (User("lost"), resource("list", "pods"), Decision(None, f'RBAC: clusterrole.{GROUP} "ghost" not found')),
        (JANE, RequestInfo("get", "/healthz"), by_cluster_role("health", "health", 'Group "dev"')),
        (JANE, RequestInfo("get", "/readyz/etcd"), by_cluster_role("health", "health", 'Group "dev"')),
        (JANE, RequestInfo("get", "/readyz"), NO),
        (JANE, RequestInfo("get", "/apis"), NO),
        (JANE, RequestInfo("post", "/healthz"), NO),
    ],
)  # fmt: skip
def test_decisions(user: User, info: RequestInfo, expected: Decision) -> None:
    authorizer = world()[1]
    assert [authorizer.decide(user, info) for _ in range(2)] == [expected, expected]


def test_decisions_follow_changes_of_roles_and_bindings() -> None:
    reader, authorizer = world()
    asked = resource("list", "pods")

    def allowed() -> bool:
        return bool(authorizer.decide(JANE, asked).allowed)

    seen = [allowed()]
    reader.put(GROUP, "clusterroles", role("reader", rule("get", "pods")))
    seen.append(allowed())
    reader.put(GROUP, "clusterroles", role("reader", rule("list", "pods")))
    seen.append(allowed())
    reader.put(GROUP, "clusterrolebindings", binding("readers", "reader", subject("Group", "ops")))
    seen.append(allowed())
    reader.put(GROUP, "clusterrolebindings", binding("readers", "reader", subject("User", "jane")))
    seen.append(allowed())
    reader.remove(GROUP, "clusterrolebindings", "readers")
    seen.append(allowed())
    assert seen == [True, False, True, False, True, False]


def test_rules_are_listed_for_a_namespace() -> None:
    authorizer = world()[1]
    pods = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}
    maps = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a", "b"]}
    assert authorizer.rules_for(APP, "other") == ([pods, maps], [], "")
    assert authorizer.rules_for(APP, "shop") == ([{"verbs": ["delete"], "apiGroups": ["apps"], "resources": ["deployments"]}], [], "")
    assert authorizer.rules_for(JANE, "")[1] == [{"verbs": ["get"], "nonResourceURLs": ["/api", "/healthz", "/readyz/*"]}]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (
            resource("list", "pods", namespace="default"),
            'User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
        ),
        (resource("list", "nodes"), 'User "jane" cannot list resource "nodes" in API group "" at the cluster scope'),
        (
            resource("get", "deployments/scale", group="apps", namespace="x", name="y"),
            'User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "x"',
        ),
        (RequestInfo("get", "/y"), 'User "jane" cannot get path "/y"'),
    ],
)
def test_denials_read_as_upstream_writes_them(info: RequestInfo, expected: str) -> None:
    assert describe(JANE, info) == expected


def test_a_denial_is_a_forbidden_status_about_the_object() -> None:
    error = forbidden(JANE, resource("get", "deployments", group="apps", namespace="x", name="y"), "why")
    assert (error.message, error.details) == (
        'deployments.apps "y" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "x": why',
        {"name": "y", "group": "apps", "kind": "deployments"},
    )
    assert forbidden(JANE, RequestInfo("get", "/y")).message == 'forbidden: User "jane" cannot get path "/y"'


def test_a_decision_costs_little_among_5000_bindings() -> None:
    """Counts look-ups of distinct kinds (cold) too."""
    reader, authorizer = world()
    for number in range(5000):
        subjects = [subject("User", f"user-{number}"), subject("Group", f"group-{number % 50}")]
        namespace = f"ns-{number % 100}"
        reader.put(GROUP, "rolebindings", binding(f"b-{number}", "reader", *subjects, namespace=namespace))
    user = User("user-7", ("group-7", "dev", "system:authenticated"))
    asked = [resource("get", "secrets", namespace=f"ns-{number}", name="x") for number in range(100)]
    assert calls_of(lambda: [authorizer.decide(user, info) for info in asked * 20]) / 2000 < 60
