"""The stages that a request passes between authentication and authorization, and the loops that they live by."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from proa.apiserver.bootstrap.flow_control_maintenance import maintain
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.deadline import Deadlines
from proa.apiserver.fairness.fairness import Fairness
from proa.apiserver.fairness.flow_schema_status import FlowSchemaStatus
from proa.apiserver.fairness.in_flight import InFlight
from proa.apiserver.fairness.metrics import FairnessMetrics
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.apiserver.served import GroupVersionResource, ServedResource
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.metrics import GaugeFunction, Registry

if TYPE_CHECKING:
    from proa.apiserver.audit.auditor import Auditor

UNLIMITED = 600
"""What priority levels share if both limits are switched off: upstream refuses to do without any."""


@dataclass(frozen=True, slots=True)
class Stages:
    """With `fairness` there is no `in_flight`, which is its plain form."""

    deadlines: Deadlines
    request_timeout: float
    auditor: "Auditor | None" = None
    fairness: Fairness | None = None
    in_flight: InFlight | None = None

    async def start(self, reader: ObjectReader, writer: ObjectWriter, clock: Clock) -> dict[str, Coroutine[Any, Any, None]]:
        """The loops, by name, that are to be run as long as the server is. The objects of the API are there already."""
        loops = {"deadlines": self.deadlines.run(), "flow-control-objects": maintain(reader, writer, clock)}
        if self.fairness is not None:
            status = FlowSchemaStatus(reader, writer, clock)
            await status.look()
            self.fairness.on_change = status.changed
            loops |= {"fairness": self.fairness.run(), "flow-schema-status": status.run()}
        return loops

    async def close(self) -> None:
        """What has been recorded is delivered."""
        if self.fairness is not None:
            await self.fairness.close()
        if self.auditor is not None:
            await self.auditor.stop()


def build_stages(
    config: ApiServerConfig,
    reader: ObjectReader,
    served: dict[GroupVersionResource, ServedResource],
    clock: Clock,
    registry: Registry,
) -> Stages:
    """Raises ValueError for a configuration that can't be used."""
    reading, changing, timeout = config.max_requests_inflight, config.max_mutating_requests_inflight, config.request_timeout
    fairness = in_flight = None
    if config.enable_priority_and_fairness:
        metrics = FairnessMetrics(registry)
        fairness = Fairness(reader, clock, served, reading + changing or UNLIMITED, timeout, metrics)
    else:
        in_flight = InFlight(reading, changing) if reading or changing else None
        registry.add(
            GaugeFunction(
                "apiserver_current_inflight_requests", "Requests that run.", ("request_kind",), (in_flight or InFlight(0, 0)).running
            )
        )
    return Stages(Deadlines(clock), timeout, _auditor(config, clock, registry), fairness, in_flight)


def _auditor(config: ApiServerConfig, clock: Clock, registry: Registry) -> "Auditor | None":
    """Most servers have none, and load nothing for it."""
    if config.audit_policy_file is None:
        return None
    from proa.apiserver.audit.build import build_auditor

    return build_auditor(config, clock, registry)
