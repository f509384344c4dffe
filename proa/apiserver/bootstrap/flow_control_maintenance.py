"""Looks once a minute after the FlowSchemas and PriorityLevelConfigurations that every cluster has: what was deleted comes back, what the
server keeps is what it should be, what no server suggests any more goes.
"""

import contextlib
import logging

from proa.api import meta
from proa.api.errors import ApiError, NotFound
from proa.apiserver.bootstrap.flow_control import FLOW_SCHEMAS, PRIORITY_LEVELS, default_objects, is_abandoned
from proa.apiserver.bootstrap.run import ensure
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock

log = logging.getLogger(__name__)

PERIOD = 60.0


async def maintain(reader: ObjectReader, writer: ObjectWriter, clock: Clock) -> None:
    while True:
        try:
            await _remove_abandoned(reader, writer)
        except ApiError as error:
            log.warning("objects of priority and fairness could not be cleaned up: %s", error.message)
        await clock.sleep(PERIOD)
        for resource, wanted in default_objects():
            try:
                await ensure(reader, writer, resource, wanted)
            except ApiError as error:
                log.warning("%s %s could not be kept as it should be: %s", resource.kind, meta.name(wanted), error.message)


async def _remove_abandoned(reader: ObjectReader, writer: ObjectWriter) -> None:
    for resource in (FLOW_SCHEMAS, PRIORITY_LEVELS):
        for present in reader.list(resource.group, resource.plural):
            if is_abandoned(present):
                with contextlib.suppress(NotFound):
                    await writer.request("DELETE", resource.path(name=meta.name(present)))
