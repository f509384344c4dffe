"""The FlowSchemas and PriorityLevelConfigurations of the API as what requests meet: schemas in their order, levels with their seats.

Read anew as a whole after a change, by the first request that comes then. The mandatory objects are there even if the API has lost them; a
schema whose level does not exist is left out; a level that is not wanted any more stays until its last request has gone.
"""

import logging
import math
from collections.abc import Callable, Mapping

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.bootstrap.flow_control import FLOW_SCHEMAS, MANDATORY_LEVELS, MANDATORY_SCHEMAS, PRIORITY_LEVELS
from proa.apiserver.fairness.allocation import Shares, allocate, divide
from proa.apiserver.fairness.flow import Flow
from proa.apiserver.fairness.flow_schema import FlowSchema, flow_schema, in_order
from proa.apiserver.fairness.priority_level import PriorityLevel, Queuing
from proa.apiserver.interface import ObjectReader
from proa.lib.clock import Clock

log = logging.getLogger(__name__)


class Configuration:
    """`levels` by name and `schemas` in the order of matching; `fair_fraction` is of the newest allocation."""

    def __init__(self, reader: ObjectReader, clock: Clock, server_limit: int, reject: Callable[[Flow, str], None]) -> None:
        self._reader, self._clock, self._server_limit, self._reject = reader, clock, server_limit, reject
        self._shares: dict[str, Shares] = {}
        self.levels: dict[str, PriorityLevel] = {}
        self.schemas: list[FlowSchema] = []
        self.fair_fraction = 0.0
        self._digest([], [])

    def read(self) -> None:
        self._digest(
            self._reader.list(PRIORITY_LEVELS.group, PRIORITY_LEVELS.plural), self._reader.list(FLOW_SCHEMAS.group, FLOW_SCHEMAS.plural)
        )

    def _digest(self, levels: list[Object], schemas: list[Object]) -> None:
        wanted = {meta.name(level): level for level in (*MANDATORY_LEVELS.values(), *levels)}
        for name, level in wanted.items():
            self._configure(name, level)
        self._dismiss(wanted)
        self.schemas = in_order(_usable(schemas, wanted))
        self._share_out()

    def _configure(self, name: str, obj: Object) -> None:
        spec = obj.get("spec") or {}
        level = self.levels.get(name)
        if level is None:
            level = self.levels[name] = PriorityLevel(name, self._clock, self._reject, exempt=spec.get("type") == "Exempt")
        level.quiescing = False
        queuing = queuing_of(spec)
        level.configure(meta.uid(obj), queuing)
        self._shares[name] = shares_of(spec, queuing)

    def _dismiss(self, wanted: Mapping[str, object]) -> None:
        for name in [name for name in self.levels if name not in wanted]:
            level = self.levels[name]
            level.quiescing = True
            if level.is_idle:
                del self.levels[name], self._shares[name]

    def _share_out(self) -> None:
        for name, limits in divide(self._server_limit, self._shares).items():
            self.levels[name].limits = limits
        self._lend()

    def rebalance(self) -> None:
        """Once per period: drop what has become idle, and lend seats to where they were wanted."""
        idle = [name for name, level in self.levels.items() if level.quiescing and level.is_idle]
        for name in idle:
            del self.levels[name], self._shares[name]
        if idle:
            self._share_out()
        else:
            self._lend()

    def _lend(self) -> None:
        levels = list(self.levels.values())
        claims = [level.measured().claim(level.limits) for level in levels]
        try:
            amounts, self.fair_fraction = allocate(sum(level.limits.nominal for level in levels), claims)
        except ValueError as error:
            log.warning("the seats of the priority levels stay as they are: %s", error)
            return
        for level, amount in zip(levels, amounts, strict=True):
            level.set_limit(math.floor(amount + 0.5))


def _usable(schemas: list[Object], levels: Mapping[str, object]) -> list[FlowSchema]:
    """Those whose level exists, and the mandatory ones in any case."""
    found = {schema.name: schema for schema in map(flow_schema, schemas) if schema.level in levels}
    for name, obj in MANDATORY_SCHEMAS.items():
        found.setdefault(name, flow_schema(obj))
    return list(found.values())


def queuing_of(spec: Object) -> Queuing:
    """No queues in an exempt level, and in one that rejects."""
    response = (spec.get("limited") or {}).get("limitResponse") or {}
    if response.get("type") != "Queue":
        return Queuing()
    queuing = response.get("queuing") or {}
    return Queuing(queuing.get("queues", 64), queuing.get("handSize", 8), queuing.get("queueLengthLimit", 50))


def shares_of(spec: Object, queuing: Queuing) -> Shares:
    if spec.get("type") == "Exempt":
        exempt = spec.get("exempt") or {}
        return Shares(exempt.get("nominalConcurrencyShares", 0), exempt.get("lendablePercent", 0))
    limited = spec.get("limited") or {}
    return Shares(
        limited.get("nominalConcurrencyShares", 30), limited.get("lendablePercent", 0), limited.get("borrowingLimitPercent"),
        queuing.hand_size,
    )  # fmt: skip
