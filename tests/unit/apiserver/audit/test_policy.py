"""Which rule of an audit policy decides, and policies that can't be used."""

from pathlib import Path
from typing import Any

import pytest

from proa.apiserver.audit.policy import PolicyError, load_policy, read_policy
from proa.apiserver.interface import RequestInfo, User

ALICE = User("alice", ("devs", "system:authenticated"))


def policy(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}


def info(
    resource: str = "pods", verb: str = "get", group: str = "", subresource: str = "", namespace: str = "default", name: str = "p"
) -> RequestInfo:  # fmt: skip
    return RequestInfo(verb, "", True, group, "v1", resource, subresource, namespace, name)


def resources(*names: str, group: str = "", only: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"resources": [{"group": group, "resources": list(names), "resourceNames": list(only)}]}


@pytest.mark.parametrize(
    ("rule", "asked", "matches"),
    [
        ({}, info(), True),
        ({"users": ["alice"]}, info(), True),
        ({"users": ["bob"]}, info(), False),
        ({"userGroups": ["ops", "devs"]}, info(), True),
        ({"userGroups": ["ops"]}, info(), False),
        ({"verbs": ["get"]}, info(), True),
        ({"verbs": ["list"]}, info(), False),
        ({"namespaces": ["default"]}, info(), True),
        ({"namespaces": ["other"]}, info(), False),
        ({"namespaces": [""]}, info("nodes", namespace=""), True),
        ({"namespaces": ["default"]}, RequestInfo("get", "/version"), False),
        (resources("pods"), info(), True),
        (resources("pods"), info(subresource="log"), False),
        (resources("pods/log"), info(subresource="log"), True),
        (resources("pods/*"), info(subresource="log"), True),
        (resources("pods/*"), info(), True),
        (resources("*/status"), info(subresource="status"), True),
        (resources("*/status"), info(), False),
        (resources("*"), info(subresource="log"), True),
        (resources(), info(subresource="log"), True),
        (resources("pods", group="apps"), info(), False),
        (resources("pods", only=("p",)), info(), True),
        (resources("pods", only=("q",)), info(), False),
        ({"nonResourceURLs": ["/healthz*"]}, RequestInfo("get", "/healthz/ping"), True),
        ({"nonResourceURLs": ["/version"]}, RequestInfo("get", "/version"), True),
        ({"nonResourceURLs": ["*"]}, RequestInfo("get", "/anything"), True),
        ({"nonResourceURLs": ["/version"]}, RequestInfo("get", "/versions"), False),
        ({"nonResourceURLs": ["*"]}, info(), False),
    ],
)
def test_a_rule_matches(rule: dict[str, Any], asked: RequestInfo, matches: bool) -> None:
    read = read_policy(policy({"level": "Metadata", **rule}))
    assert [read.decide(ALICE, asked).level_name for _ in range(2)] == ["Metadata" if matches else "None"] * 2


def test_the_first_rule_decides_and_stages_add_up() -> None:
    first = {"level": "None", "users": ["bob"]}
    second = {"level": "Request", "omitStages": ["Panic"], "omitManagedFields": False}
    read = read_policy(policy(first, second, omitStages=["RequestReceived"], omitManagedFields=True))
    assert read.decide(User("bob"), info()).level == 0
    recording = read.decide(None, info())
    assert (recording.level, recording.omit_managed_fields) == (2, False)
    assert recording.omitted_stages == {"Panic", "RequestReceived"}


def test_names_are_told_apart_only_where_a_rule_asks() -> None:
    read = read_policy(policy({"level": "Request", **resources("pods", only=("p",))}, {"level": "Metadata"}))
    assert [read.decide(ALICE, info(name=name)).level_name for name in ("p", "q")] == ["Request", "Metadata"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the policy is not an object"),
        ({}, "Object 'Kind' is missing"),
        (policy({"level": "Metadata"}) | {"apiVersion": "audit.k8s.io/v1beta1"}, 'no kind "Policy" is registered for version'),
        (policy(), "loaded illegal policy with 0 rules"),
        (policy({}), r"rules\[0\]\.level: Required value"),
        (policy({"level": "Loud"}), r'rules\[0\]\.level: Unsupported value: "Loud": supported values: "Metadata", "None", "Request"'),
        (policy({"level": "None", "verbs": "get"}), r"rules\[0\]\.verbs must be a list of strings"),
        (policy({"level": "None", "nonResourceURLs": ["a"]}), "non-resource URL rules must begin with a '/' character"),
        (policy({"level": "None", "nonResourceURLs": ["/a*b"]}), "wildcards '\\*' must be the final character of the rule"),
        (policy({"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["b"]}), "cannot apply to both regular resources"),
        (policy({"level": "None", "omitStages": ["Start"]}), r'rules\[0\]\.omitStages\[0\]: Invalid value: "Start": allowed stages are'),
        (policy({"level": "None", **resources(only=("a",))}), "using resourceNames requires at least one resource"),
        (policy({"level": "None", **resources("a", group="rbac/v1")}), r"rules\[0\]\.resources\.group: Invalid value: \"rbac/v1\""),
    ],
)
def test_what_is_refused(document: Any, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        read_policy(document)


def test_unknown_fields_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    read_policy(policy({"level": "None", "colour": "red"}, shape="round"))
    assert "audit policy has unknown fields: shape, rules[0].colour" in caplog.text


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    with pytest.raises(PolicyError, match=f'loading audit policy file: failed to read file path "{path}": No such file'):
        load_policy(path)
    path.write_text("rules: [")
    with pytest.raises(PolicyError, match=rf"(?s)loading audit policy file: failed decoding: .*: from file {path}"):
        load_policy(path)
    path.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n")
    assert load_policy(path).decide(ALICE, info()).level_name == "Metadata"
