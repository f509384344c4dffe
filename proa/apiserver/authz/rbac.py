"""Role-based access control: allows what some binding of the caller allows, has no opinion on the rest. It never denies.

What a caller may do to a kind of thing is remembered until a role or binding changes; names are compared each time, so that a listing of
thousands of objects one by one does not fill the memory.
"""

from collections.abc import Mapping, Sequence

from proa.api.meta import Object
from proa.apiserver.authz.policy_rule import resource_keys, split_rules
from proa.apiserver.authz.role_index import GROUP, RoleIndex
from proa.apiserver.interface import Decision, ObjectReader, RequestInfo, User
from proa.lib.dataclass import dataclass
from proa.lib.recently_used import RecentlyUsed
from proa.lib.remembered import LONGEST


@dataclass(frozen=True, slots=True)
class Allowance:
    """`any_name` is the decision for every name; without it, the first of `by_name` that has the name says who grants it, and `otherwise`
    is for names that are in none."""

    any_name: Decision | None
    by_name: Sequence[Mapping[str, str]]
    otherwise: Decision


class RBACAuthorizer:
    def __init__(self, reader: ObjectReader) -> None:
        self.index = RoleIndex()
        self.index.follow(reader)
        self._remembered: RecentlyUsed[tuple[object, ...], Allowance] = RecentlyUsed(16384)
        self._generation = -1

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        return self.decide(user, info)

    def decide(self, user: User, info: RequestInfo) -> Decision:
        allowance = self._allowance(user, info)
        if allowance.any_name is not None:
            return allowance.any_name
        for granted in allowance.by_name:
            if info.name in granted:
                return _allowed(granted[info.name])
        return allowance.otherwise

    def _allowance(self, user: User, info: RequestInfo) -> Allowance:
        if self._generation != self.index.generation:
            self._remembered.clear()
            self._generation = self.index.generation
        what = (info.group, info.resource, info.subresource, info.namespace) if info.is_resource else (info.path,)
        key = (user.name, user.groups, info.verb, *what)
        allowance = self._remembered.get(key)
        if allowance is None:
            allowance = self._resource_allowance(user, info) if info.is_resource else self._path_allowance(user, info)
            if sum(map(len, what)) <= LONGEST:
                self._remembered.put(key, allowance)
        return allowance

    def _resource_allowance(self, user: User, info: RequestInfo) -> Allowance:
        keys = resource_keys(info.verb, info.group, info.resource, info.subresource)
        by_name: list[Mapping[str, str]] = []
        missing: dict[str, None] = {}
        for table in self.index.tables(user, info.namespace):
            if described := table.any_name(keys):
                return Allowance(_allowed(described), (), Decision(None))
            missing |= dict.fromkeys(map(_missing_role, table.missing))
            by_name += [table.resources[key].by_name for key in keys if key in table.resources]
        return Allowance(None, by_name, _no_opinion(list(missing)))

    def _path_allowance(self, user: User, info: RequestInfo) -> Allowance:
        missing: dict[str, None] = {}
        for table in self.index.tables(user, ""):
            if described := table.path(info.verb, info.path):
                return Allowance(_allowed(described), (), Decision(None))
            missing |= dict.fromkeys(map(_missing_role, table.missing))
        return Allowance(None, (), _no_opinion(list(missing)))

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        resource_rules, path_rules = split_rules(self.index.rules(user, namespace))
        return resource_rules, path_rules, ""


def _allowed(described: str) -> Decision:
    return Decision(True, f"RBAC: allowed by {described}")


def _no_opinion(missing: list[str]) -> Decision:
    """A binding to a role that isn't there is the likeliest cause of a surprising denial, so the denial says it."""
    if not missing:
        return Decision(None)
    return Decision(None, f"RBAC: {missing[0] if len(missing) == 1 else '[' + ', '.join(missing) + ']'}")


def _missing_role(key: tuple[str, str]) -> str:
    return f'{"role" if key[0] else "clusterrole"}.{GROUP} "{key[1]}" not found'
