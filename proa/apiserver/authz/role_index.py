"""Roles and bindings, kept by subject as they change: who asks leads to the few roles that count, whatever the number of bindings."""

from collections.abc import Iterator
from dataclasses import dataclass

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.authn.service_account_claims import user_name
from proa.apiserver.authz.policy_rule import CompiledRules, compile_rules
from proa.apiserver.interface import ObjectReader, User

GROUP = "rbac.authorization.k8s.io"
RoleKey = tuple[str, str]
"""(namespace, name); namespace is "" for ClusterRoles."""
Subject = tuple[str, str]
"""("User", name) or ("Group", name); service accounts are users."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One subject of one binding: `role` is what it grants, `described` says by which binding and to whom."""

    role: RoleKey
    described: str


class RoleIndex:
    """`generation` grows with each change, so that decisions can be remembered."""

    def __init__(self) -> None:
        self.generation = 0
        self._roles: dict[RoleKey, CompiledRules] = {}
        self._grants: dict[tuple[str, Subject], dict[RoleKey, dict[str, Grant]]] = {}
        self._bindings: dict[tuple[str, str], tuple[RoleKey, set[Subject]]] = {}

    def follow(self, reader: ObjectReader) -> None:
        for plural in ("clusterroles", "roles"):
            reader.observe(GROUP, plural, self.observe_role)
        for plural in ("clusterrolebindings", "rolebindings"):
            reader.observe(GROUP, plural, self.observe_binding)

    def observe_role(self, event: str, role: Object) -> None:
        self.generation += 1
        key = meta.namespace(role), meta.name(role)
        if event == "DELETED":
            self._roles.pop(key, None)
        else:
            self._roles[key] = compile_rules(role.get("rules") or ())

    def observe_binding(self, event: str, binding: Object) -> None:
        self.generation += 1
        namespace, name = meta.namespace(binding), meta.name(binding)
        self._remove(namespace, name)
        if event != "DELETED":
            self._add(namespace, name, binding)

    def _remove(self, namespace: str, name: str) -> None:
        role, subjects = self._bindings.pop((namespace, name), (("", ""), set[Subject]()))
        for subject in subjects:
            by_role = self._grants[namespace, subject]
            del by_role[role][name]
            if not by_role[role]:
                del by_role[role]
            if not by_role:
                del self._grants[namespace, subject]

    def _add(self, namespace: str, name: str, binding: Object) -> None:
        reference = binding["roleRef"]
        role = (namespace if reference["kind"] == "Role" else "", reference["name"])
        subjects: set[Subject] = set()
        self._bindings[namespace, name] = role, subjects
        for each in binding.get("subjects") or ():
            subject = to_subject(each, namespace)
            if subject and subject not in subjects:
                subjects.add(subject)
                by_role = self._grants.setdefault((namespace, subject), {})
                by_role.setdefault(role, {})[name] = Grant(role, describe(binding, each))

    def role(self, key: RoleKey) -> CompiledRules | None:
        return self._roles.get(key)

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """Cluster-wide grants first, then those of the namespace; of several that give one subject the same role, the oldest."""
        subjects = [("User", user.name), *(("Group", group) for group in user.groups)]
        for scope in ("", namespace) if namespace else ("",):
            for subject in subjects:
                for by_binding in self._grants.get((scope, subject), {}).values():
                    yield next(iter(by_binding.values()))

    def rules(self, user: User, namespace: str) -> Iterator[Object]:
        """The PolicyRules that the user has there, each role once."""
        for key in dict.fromkeys(grant.role for grant in self.grants(user, namespace)):
            role = self._roles.get(key)
            yield from role.rules if role else ()


def to_subject(subject: Object, namespace: str) -> Subject | None:
    kind = subject.get("kind")
    if kind == "ServiceAccount":
        own = subject.get("namespace") or namespace
        return ("User", user_name(own, subject["name"])) if own else None
    return (kind, subject["name"]) if kind in ("User", "Group") else None


def describe(binding: Object, subject: Object) -> str:
    """`ClusterRoleBinding "a" of ClusterRole "b" to Group "c"`: ends up in `kubectl auth can-i` and audit logs."""
    namespace, reference = meta.namespace(binding), binding["roleRef"]
    kind, name = ("RoleBinding", f"{meta.name(binding)}/{namespace}") if namespace else ("ClusterRoleBinding", meta.name(binding))
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    return f'{kind} "{name}" of {reference["kind"]} "{reference["name"]}" to {subject["kind"]} "{who}"'
