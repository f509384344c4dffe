"""Nobody grants what they do not have."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.admission.privilege_escalation import PrivilegeEscalation
from proa.apiserver.authz.build import build_authorizer
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.bootstrap.rule import rule
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
JANE = User("jane", ("dev", "ops"))
WANTED = 'user "jane" (groups=["dev" "ops"]) is attempting to grant RBAC permissions not currently held:\n'


def world(*rules: Object) -> FakeReader:
    """Jane has `rules` everywhere; there are two roles to bind."""
    reader = FakeReader()
    reader.put(GROUP, "clusterroles", {"metadata": {"name": "janes"}, "rules": list(rules)})
    reader.put(GROUP, "clusterroles", {"metadata": {"name": "pods"}, "rules": [rule("get", "pods")]})
    reader.put(GROUP, "roles", {"metadata": {"name": "local", "namespace": "shop"}, "rules": [rule("get", "pods")]})
    binding = {
        "metadata": {"name": "j"},
        "roleRef": {"kind": "ClusterRole", "name": "janes"},
        "subjects": [{"kind": "User", "name": "jane"}],
    }
    reader.put(GROUP, "clusterrolebindings", binding)
    return reader


def role(*rules: Object, **more: Any) -> Object:
    return {"metadata": {"name": "new"}, "rules": list(rules), **more}


def binding(name: str, kind: str = "ClusterRole") -> Object:
    return {"metadata": {"name": "new"}, "roleRef": {"kind": kind, "name": name}, "subjects": [{"kind": "User", "name": "x"}]}


AGGREGATION: Object = {"aggregationRule": {"clusterRoleSelectors": [{}]}}
PODS = rule("get", "pods")


@pytest.mark.parametrize(
    ("held", "plural", "obj", "old", "expected"),
    [
        ([PODS], "roles", role(PODS), None, ""),
        ([], "roles", role(rule("list get", "pods"), rule("get", "secrets")), None,
         'roles.{group} "new" is forbidden: {who}{{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}}\n'
         '{{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}}'),
        ([rule("escalate", "roles", GROUP)], "roles", role(PODS), None, ""),
        ([rule("escalate", "roles", GROUP)], "clusterroles", role(PODS), None,
         'clusterroles.{group} "new" is forbidden: {who}{{APIGroups:[""], Resources:["pods"], Verbs:["get"]}}'),
        ([], "roles", role(PODS, metadata={"name": "new", "labels": {"a": "b"}}), role(PODS), ""),
        ([PODS], "clusterroles", role(**AGGREGATION), None,
         'clusterroles.{group} "new" is forbidden: must have cluster-admin privileges to use an aggregationRule'),
        ([rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}], "clusterroles", role(**AGGREGATION), None, ""),
        ([PODS], "rolebindings", binding("pods"), None, ""),
        ([PODS], "rolebindings", binding("local", "Role"), None, ""),
        ([], "rolebindings", binding("local", "Role"), None,
         'rolebindings.{group} "new" is forbidden: {who}{{APIGroups:[""], Resources:["pods"], Verbs:["get"]}}'),
        ([rule("bind", "roles", GROUP, names="local")], "rolebindings", binding("local", "Role"), None, ""),
        ([rule("bind", "clusterroles", GROUP, names="pods")], "clusterrolebindings", binding("pods"), None, ""),
        ([], "clusterrolebindings", binding("ghost"), None, 'clusterroles.{group} "ghost" not found'),
        ([], "rolebindings", binding("pods"), binding("pods"), ""),
    ],
)  # fmt: skip
def test_grants(attributes: Make, ask: Ask, held: list[Object], plural: str, obj: Object, old: Object | None, expected: str) -> None:
    reader = world(*held)
    asked = attributes(
        "UPDATE" if old else "CREATE", f"{GROUP}/{plural}", obj, old_object=old, user=JANE,
        namespace="shop" if plural in ("roles", "rolebindings") else "",
    )  # fmt: skip
    message = expected.format(group=GROUP, who=WANTED)
    code = "404" if "not found" in message else "403"
    assert ask(PrivilegeEscalation(reader, build_authorizer(reader)), asked) == (f"{code} {message}" if message else "")


def test_masters_may_grant_everything(attributes: Make, ask: Ask) -> None:
    asked = attributes("CREATE", f"{GROUP}/clusterroles", role(rule("*", "*", "*")), user=User("root", ("system:masters",)))
    reader = FakeReader()
    assert ask(PrivilegeEscalation(reader, build_authorizer(reader)), asked) == ""
