"""What a controller is given: a client with its own identity, the shared informers, a recorder and the clock."""

from proa.client.informer import InformerFactory
from proa.client.interface import Client
from proa.client.work_queue import WorkQueue
from proa.controllers.options import ControllerOptions
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.runtime.controller import Controller, Observe
from proa.runtime.event_recorder import Recorder
from proa.runtime.reconciler import Reconciler


@dataclass(frozen=True, slots=True)
class ControllerContext:
    name: str
    client: Client
    informers: InformerFactory
    recorder: Recorder
    clock: Clock
    options: ControllerOptions
    observe: Observe | None = None

    def queue(self) -> WorkQueue[str]:
        return WorkQueue(self.clock)

    def controller(self, reconciler: Reconciler, queue: WorkQueue[str], workers: int = 5) -> Controller:
        return Controller(self.name, reconciler, queue, workers, observe=self.observe, clock=self.clock)
