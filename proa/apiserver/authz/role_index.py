"""Roles and bindings, kept by subject as they change: who asks leads to what counts, whatever the number of bindings.

For each subject of each scope, all that its bindings allow is merged into one table when it is first asked about: a decision is a few dozen
look-ups, for a subject with one binding or with thousands. A change of a binding or role throws away the tables that it is part of.
"""

from collections.abc import Iterator

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.authn.service_account_claims import user_name
from proa.apiserver.authz.grant_table import GrantTable, RoleKey
from proa.apiserver.authz.policy_rule import CompiledRules, compile_rules
from proa.apiserver.interface import ObjectReader, User
from proa.lib.dataclass import dataclass

GROUP = "rbac.authorization.k8s.io"
Subject = tuple[str, str]
"""("User", name) or ("Group", name); service accounts are users."""
Holder = tuple[str, Subject]
"""Who has something where: (namespace, subject); namespace is "" for the whole cluster."""


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
        self._grants: dict[Holder, dict[RoleKey, dict[str, Grant]]] = {}
        self._holders: dict[RoleKey, dict[Holder, None]] = {}
        self._bindings: dict[tuple[str, str], tuple[RoleKey, set[Subject]]] = {}
        self._tables: dict[Holder, GrantTable] = {}

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
        for holder in self._holders.get(key, ()):
            self._tables.pop(holder, None)

    def observe_binding(self, event: str, binding: Object) -> None:
        self.generation += 1
        namespace, name = meta.namespace(binding), meta.name(binding)
        self._remove(namespace, name)
        if event != "DELETED":
            self._add(namespace, name, binding)

    def _remove(self, namespace: str, name: str) -> None:
        role, subjects = self._bindings.pop((namespace, name), (("", ""), set[Subject]()))
        for subject in subjects:
            holder = namespace, subject
            self._tables.pop(holder, None)
            by_role = self._grants[holder]
            del by_role[role][name]
            if not by_role[role]:
                del by_role[role]
                del self._holders[role][holder]
            if not by_role:
                del self._grants[holder]

    def _add(self, namespace: str, name: str, binding: Object) -> None:
        reference = binding["roleRef"]
        role = (namespace if reference["kind"] == "Role" else "", reference["name"])
        subjects: set[Subject] = set()
        self._bindings[namespace, name] = role, subjects
        for each in binding.get("subjects") or ():
            subject = to_subject(each, namespace)
            if subject and subject not in subjects:
                subjects.add(subject)
                holder = namespace, subject
                self._tables.pop(holder, None)
                self._holders.setdefault(role, {})[holder] = None
                self._grants.setdefault(holder, {}).setdefault(role, {})[name] = Grant(role, describe(binding, each))

    def tables(self, user: User, namespace: str) -> Iterator[GrantTable]:
        """What the user has: cluster-wide first, then in the namespace; by its name first, then by its groups."""
        subjects = [("User", user.name), *(("Group", group) for group in user.groups)]
        for scope in ("", namespace) if namespace else ("",):
            for subject in subjects:
                holder = scope, subject
                table = self._tables.get(holder)
                if table is None:
                    if holder not in self._grants:
                        continue
                    table = self._tables[holder] = self._merged(holder)
                yield table

    def _merged(self, holder: Holder) -> GrantTable:
        """Of several bindings that give the same role, the oldest counts."""
        table = GrantTable()
        for role, by_binding in self._grants[holder].items():
            table.add(role, self._roles.get(role), next(iter(by_binding.values())).described)
        return table

    def rules(self, user: User, namespace: str) -> Iterator[Object]:
        """The PolicyRules that the user has there, each role once."""
        for key in dict.fromkeys(role for table in self.tables(user, namespace) for role in table.roles):
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
