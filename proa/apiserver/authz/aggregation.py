"""Keeps aggregated ClusterRoles (admin, edit, view and users' own) the union of the roles that their selectors choose.

Upstream runs this in the controller manager. Here it is a loop inside the API server, as RBAC itself: permissions that an operator's chart
brings with a labelled ClusterRole hold within milliseconds, whether or not any controller runs.
"""

import asyncio
import copy
from collections.abc import Iterable

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock, SystemClock

RETRY_SECONDS = 1.0


def aggregate(role: Object, roles: Iterable[Object]) -> list[Object]:
    """The rules that an aggregated role should have: those of each chosen role in order of name, each rule once."""
    selectors = [selector_from_object(each) for each in role["aggregationRule"].get("clusterRoleSelectors") or ()]
    rules: list[Object] = []
    for other in sorted(roles, key=meta.name):
        if meta.name(other) != meta.name(role) and any(selector.matches(meta.labels(other)) for selector in selectors):
            rules += [rule for rule in other.get("rules") or () if rule not in rules]
    return rules


def outdated(roles: Iterable[Object]) -> dict[str, list[Object]]:
    """The aggregated roles whose rules are not what they should be, with what they should be."""
    listed = list(roles)
    wanted = {meta.name(role): (aggregate(role, listed), role.get("rules") or []) for role in listed if role.get("aggregationRule")}
    return {name: rules for name, (rules, present) in wanted.items() if rules != present}


class RoleAggregation:
    """`run` writes until everything is as it should be, then waits for the next change of a ClusterRole."""

    def __init__(self, reader: ObjectReader, writer: ObjectWriter, clock: Clock | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock or SystemClock()
        self._changed = asyncio.Event()
        reader.observe(GROUP, "clusterroles", lambda event, role: self._changed.set())

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.reconcile()
            except ApiError:
                self._changed.set()
                await self._clock.sleep(RETRY_SECONDS)

    async def reconcile(self) -> None:
        """One round; a role that depends on another aggregated role gets its turn when that one's change is seen."""
        for name, rules in outdated(self._reader.list(GROUP, "clusterroles")).items():
            role = self._reader.get(GROUP, "clusterroles", name)
            if role is None:
                continue
            try:
                await self._writer.request("PUT", f"/apis/{GROUP}/v1/clusterroles/{name}", copy.deepcopy(role | {"rules": rules}))
            except (Conflict, NotFound):
                self._changed.set()
