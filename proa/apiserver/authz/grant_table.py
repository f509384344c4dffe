"""All that one subject may do in one scope, merged from the roles that it has: from (verb, group, resource) to names, and to whoever grants
them. Nothing here grows with the number of bindings but the table itself.
"""

from collections.abc import Sequence
from dataclasses import field

from proa.apiserver.authz.policy_rule import ALL, CompiledRules
from proa.lib.dataclass import dataclass

RoleKey = tuple[str, str]
"""(namespace, name); namespace is "" for ClusterRoles."""
ResourceKey = tuple[str, str, str]
"""(verb, group, resource)."""


@dataclass(slots=True)
class NamedGrants:
    """Who grants one key: `any_name` for every name, or else `by_name`."""

    any_name: str = ""
    by_name: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class GrantTable:
    """`missing` are roles that bindings point to and that aren't there."""

    roles: list[RoleKey] = field(default_factory=list)
    missing: list[RoleKey] = field(default_factory=list)
    resources: dict[ResourceKey, NamedGrants] = field(default_factory=dict)
    paths: dict[tuple[str, str], str] = field(default_factory=dict)
    path_prefixes: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, key: RoleKey, role: CompiledRules | None, described: str) -> None:
        """Earlier grants of the same thing go first."""
        self.roles.append(key)
        if role is None:
            self.missing.append(key)
            return
        for resource, names in role.resources.items():
            grants = self.resources.setdefault(resource, NamedGrants())
            if names is None:
                grants.any_name = grants.any_name or described
            else:
                for name in names:
                    grants.by_name.setdefault(name, described)
        for path in role.paths:
            self.paths.setdefault(path, described)
        for prefix in role.path_prefixes:
            self.path_prefixes.setdefault(prefix, described)

    def any_name(self, keys: Sequence[ResourceKey]) -> str:
        """Who grants one of the keys for every name, "" if nobody does."""
        table = self.resources
        for key in keys:
            grants = table.get(key)
            if grants is not None and grants.any_name:
                return grants.any_name
        return ""

    def path(self, verb: str, path: str) -> str:
        for each in (verb, ALL):
            if described := self.paths.get((each, path)):
                return described
        for (allowed, prefix), described in self.path_prefixes.items():
            if allowed in (verb, ALL) and path.startswith(prefix):
                return described
        return ""
