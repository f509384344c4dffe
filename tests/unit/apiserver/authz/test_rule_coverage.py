"""What one set of rules lacks of another, and how that is said."""

import pytest

from proa.api.meta import Object
from proa.apiserver.authz.rule_coverage import compact, describe, missing_rules
from proa.apiserver.bootstrap.rule import paths, rule


@pytest.mark.parametrize(
    ("owned", "wanted", "missing"),
    [
        ([rule("*", "*", "*")], [rule("get list", "pods secrets", "core apps")], []),
        ([rule("get", "pods"), rule("list", "pods")], [rule("get list", "pods")], []),
        ([rule("get", "pods")], [rule("get list", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}']),
        ([rule("get", "pods")], [rule("*", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}']),
        ([rule("get", "pods", "*")], [rule("get", "pods", "apps")], []),
        ([rule("get", "pods", names="a")], [rule("get", "pods", names="a b")],
         ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}']),
        ([rule("get", "pods", names="a")], [rule("get", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']),
        ([rule("get", "pods")], [rule("get", "pods", names="a")], []),
        ([rule("get", "*/scale", "*")], [rule("get", "deployments/scale deployments", "apps")],
         ['{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}']),
        ([paths("/api/*")], [paths("/api/v1 /apis")], ['{NonResourceURLs:["/apis"], Verbs:["get"]}']),
        ([paths("*", "*")], [paths("/a /b/*", "get post")], []),
        ([], [rule("delete create", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}']),
    ],
)  # fmt: skip
def test_missing_rules(owned: list[Object], wanted: list[Object], missing: list[str]) -> None:
    assert [describe(each) for each in compact(missing_rules(owned, wanted))] == missing
