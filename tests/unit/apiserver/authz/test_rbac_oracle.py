"""RBAC against an oracle that looks at every rule of every binding, over random roles, bindings, changes and requests; and what a decision
costs when there are thousands of bindings.
"""

import random
from typing import Any

from proa.apiserver.authz.rbac import RBACAuthorizer
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import RequestInfo, User
from tests.unit.apiserver.authz.steps import calls_of

VERBS = ("get", "list", "create", "delete", "*")
GROUPS = ("", "apps", "batch", "*")
RESOURCES = ("pods", "pods/log", "deployments", "deployments/scale", "*/scale", "pods/*", "*")
NAMES = ("a", "b", "c")
PATHS = ("/healthz", "/healthz/*", "/metrics", "/api/*", "*")
NAMESPACES = ("shop", "test")
SUBJECTS: tuple[dict[str, str], ...] = (
    {"kind": "User", "name": "jane"}, {"kind": "User", "name": "joe"}, {"kind": "Group", "name": "dev"}, {"kind": "Group", "name": "ops"},
    {"kind": "ServiceAccount", "name": "app", "namespace": "shop"}, {"kind": "ServiceAccount", "name": "app"},
    {"kind": "User", "name": "system:serviceaccount:test:app"},
)  # fmt: skip
USERS = (
    User("jane", ("dev",)), User("joe", ("ops", "dev")), User("nobody"), User("system:serviceaccount:shop:app", ("ops",)),
    User("system:serviceaccount:test:app"),
)  # fmt: skip


class World:
    """Roles and bindings as the API server sees them, and the same as plain lists for the oracle."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.reader = FakeReader()
        self.authorizer = RBACAuthorizer(self.reader)
        self.roles: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.bindings: dict[tuple[str, str], dict[str, Any]] = {}

    def some(self, choices: tuple[str, ...], least: int = 1) -> list[str]:
        return self.random.sample(choices, self.random.randint(least, 2))

    def rule(self, *, namespaced: bool) -> dict[str, Any]:
        if not namespaced and self.random.random() < 0.3:
            return {"verbs": self.some(VERBS), "nonResourceURLs": self.some(PATHS)}
        rule: dict[str, Any] = {"verbs": self.some(VERBS), "apiGroups": self.some(GROUPS), "resources": self.some(RESOURCES)}
        return rule | {"resourceNames": self.some(NAMES)} if self.random.random() < 0.4 else rule

    def change(self) -> None:
        namespace, name = self.random.choice(("", *NAMESPACES)), f"r{self.random.randrange(12)}"
        if self.random.random() < 0.5:
            self._change_role(namespace, name)
        else:
            self._change_binding(namespace, name)

    def _change_role(self, namespace: str, name: str) -> None:
        plural = "roles" if namespace else "clusterroles"
        if (namespace, name) in self.roles and self.random.random() < 0.3:
            del self.roles[namespace, name]
            self.reader.remove(GROUP, plural, name, namespace)
            return
        rules = [self.rule(namespaced=bool(namespace)) for _ in range(self.random.randint(0, 3))]
        self.roles[namespace, name] = rules
        self.reader.put(GROUP, plural, {"metadata": {"name": name, "namespace": namespace}, "rules": rules})

    def _change_binding(self, namespace: str, name: str) -> None:
        plural = "rolebindings" if namespace else "clusterrolebindings"
        if (namespace, name) in self.bindings and self.random.random() < 0.3:
            del self.bindings[namespace, name]
            self.reader.remove(GROUP, plural, name, namespace)
            return
        kind = self.random.choice(("Role", "ClusterRole")) if namespace else "ClusterRole"
        binding = {
            "metadata": {"name": name, "namespace": namespace},
            "roleRef": {"kind": kind, "name": f"r{self.random.randrange(13)}"},
            "subjects": self.random.sample(SUBJECTS, self.random.randint(1, 4)),
        }
        self.bindings[namespace, name] = binding
        self.reader.put(GROUP, plural, binding)

    def request(self) -> RequestInfo:
        verb = self.random.choice(VERBS[:-1])
        if self.random.random() < 0.25:
            return RequestInfo(verb, self.random.choice(("/healthz", "/healthz/ping", "/healthzz", "/metrics", "/api/v1", "/")))
        resource, _, subresource = self.random.choice(("pods", "pods/log", "deployments", "deployments/scale", "secrets")).partition("/")
        return RequestInfo(
            verb, "", True, self.random.choice(GROUPS[:-1]), "v1", resource, subresource,
            self.random.choice(("", *NAMESPACES)), self.random.choice(("", *NAMES)),
        )  # fmt: skip


def oracle(world: World, user: User, info: RequestInfo) -> bool:
    """As upstream's documentation tells it, binding by binding."""
    for (namespace, _), binding in world.bindings.items():
        if namespace and namespace != info.namespace:
            continue
        if not any(is_subject(subject, namespace, user) for subject in binding["subjects"]):
            continue
        reference = binding["roleRef"]
        rules = world.roles.get((namespace if reference["kind"] == "Role" else "", reference["name"]), ())
        if any(rule_allows(rule, info) for rule in rules):
            return True
    return False


def is_subject(subject: dict[str, str], namespace: str, user: User) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    if subject["kind"] == "User":
        return subject["name"] == user.name
    own = subject.get("namespace") or namespace
    return bool(own) and user.name == f"system:serviceaccount:{own}:{subject['name']}"


def rule_allows(rule: dict[str, Any], info: RequestInfo) -> bool:
    if not {info.verb, "*"} & set(rule["verbs"]):
        return False
    if not info.is_resource:
        urls = rule.get("nonResourceURLs", ())
        return any(url in ("*", info.path) or (url.endswith("*") and info.path.startswith(url[:-1])) for url in urls)
    if not {info.group, "*"} & set(rule.get("apiGroups", ())):
        return False
    full = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    wanted = {"*", full} | ({f"*/{info.subresource}"} if info.subresource else set())
    if not wanted & set(rule["resources"]):
        return False
    return not rule.get("resourceNames") or info.name in rule["resourceNames"]


def test_decisions_agree_with_an_oracle() -> None:
    outcomes = {True: 0, False: 0}
    for seed in range(20):
        world = World(seed)
        for _ in range(100):
            world.change()
        for step in range(500):
            if step % 4 == 0:
                world.change()
            user, info = world.random.choice(USERS), world.request()
            expected = oracle(world, user, info)
            assert (world.authorizer.decide(user, info).allowed is True) == expected, (seed, step, user, info)
            outcomes[expected] += 1
    assert sum(outcomes.values()) == 10_000
    assert min(outcomes.values()) > 1000


def test_thousands_of_bindings_cost_no_more_than_a_few() -> None:
    """One user has 5,000 bindings to as many roles; each request is one that was never asked before."""
    reader = FakeReader()
    authorizer = RBACAuthorizer(reader)
    for index in range(5000):
        name = f"r{index}"
        rule = {"verbs": ["get"], "apiGroups": [f"g{index}"], "resources": ["things"], "resourceNames": [f"n{index}"]}
        shared = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": [f"n{index}"]}
        reader.put(GROUP, "clusterroles", {"metadata": {"name": name}, "rules": [rule, shared]})
        reference = {"roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [{"kind": "User", "name": "jane"}]}
        reader.put(GROUP, "clusterrolebindings", {"metadata": {"name": name}, **reference})
    user = User("jane", ("dev", "system:authenticated"))
    asked = [RequestInfo("get", "", True, f"g{index}", "v1", "things", "", "shop", f"n{index}") for index in range(2000)]
    asked += [RequestInfo("get", "", True, "", "v1", "configmaps", "", f"ns{index}", f"n{index}") for index in range(2000)]
    assert authorizer.decide(user, asked[0]).allowed
    allowed: list[bool] = []
    steps = calls_of(lambda: allowed.extend(bool(authorizer.decide(user, info).allowed) for info in asked))
    assert all(allowed)
    assert steps / len(asked) < 60
