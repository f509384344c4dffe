"""Keeps the condition Dangling of every FlowSchema: whether the PriorityLevelConfiguration that it names is there."""

import asyncio
import contextlib
import logging
from typing import Any

from proa.api import meta
from proa.api.errors import ApiError, NotFound
from proa.api.meta import Object
from proa.apiserver.bootstrap.flow_control import FLOW_SCHEMAS, PRIORITY_LEVELS
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock, format_time

log = logging.getLogger(__name__)

MANAGER = "api-priority-and-fairness-config-consumer-v1"
DANGLING = "Dangling"
RETRY = 1.0
MUCH, MINUTE = 6, 60.0
"""No more writes to one object within a minute, so that servers which disagree do not wear each other out."""


def dangling(schema: Object, *, found: bool, now: str) -> Object | None:
    """The condition that the schema should get; None if it has it."""
    name = ((schema.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name") or ""
    lead = f'This FlowSchema references the PriorityLevelConfiguration object named "{name}"'
    wanted: Object = {
        "type": DANGLING,
        "status": "False" if found else "True",
        "reason": "Found" if found else "NotFound",
        "message": f"{lead} and it exists" if found else f"{lead} but there is no such object",
    }
    present = meta.condition(schema, DANGLING) or {}
    if all(present.get(key) == value for key, value in wanted.items()):
        return None
    return wanted | {"lastTransitionTime": now}


class FlowSchemaStatus:
    """`changed` asks for a look at all of them."""

    def __init__(self, reader: ObjectReader, writer: ObjectWriter, clock: Clock) -> None:
        self._reader, self._writer, self._clock = reader, writer, clock
        self._wanted = asyncio.Event()
        self._writes: dict[str, list[float]] = {}

    def changed(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not await self.look():
                await self._clock.sleep(RETRY)
                self._wanted.set()

    async def look(self) -> bool:
        """Whether all is now as it should be."""
        levels = {meta.name(level) for level in self._reader.list(PRIORITY_LEVELS.group, PRIORITY_LEVELS.plural)}
        writes = []
        for schema in self._reader.list(FLOW_SCHEMAS.group, FLOW_SCHEMAS.plural):
            named = schema["spec"]["priorityLevelConfiguration"]["name"]
            condition = dangling(schema, found=named in levels, now=format_time(self._clock.now()))
            if condition is not None:
                writes.append(self._write(schema, condition))
        return all(await asyncio.gather(*writes))

    async def _write(self, schema: Object, condition: Object) -> bool:
        name, now = meta.name(schema), self._clock.monotonic()
        recent = [each for each in self._writes.get(name, ()) if now - each < MINUTE]
        if len(recent) >= MUCH:
            return False
        self._writes[name] = [*recent, now]
        others: list[Any] = [each for each in (schema.get("status") or {}).get("conditions") or () if each.get("type") != DANGLING]
        body = {"status": {"conditions": [*others, condition]}}
        with contextlib.suppress(NotFound):
            try:
                await self._writer.request("PATCH", FLOW_SCHEMAS.path(name=name, subresource="status"), body, {"fieldManager": MANAGER})
            except NotFound:
                raise
            except ApiError as error:
                log.warning("the condition of FlowSchema %s could not be written: %s", name, error.message)
                return False
        return True
