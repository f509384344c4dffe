"""In what a ReplicaSet and a ReplicationController differ for the controller of both."""

from collections.abc import Callable

from proa.api.kinds import REPLICA_SETS, REPLICATION_CONTROLLERS
from proa.api.labels import Selector, selector_from_object
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ReplicaKind:
    resource: ResourceId
    selector: Callable[[Object], Selector]
    tells_terminating: bool
    """Whether its status has `terminatingReplicas`."""


def _equalities(controller: Object) -> Selector:
    return selector_from_object({"matchLabels": controller["spec"].get("selector") or {}})


REPLICA_SET = ReplicaKind(REPLICA_SETS, lambda replica_set: selector_from_object(replica_set["spec"]["selector"]), tells_terminating=True)
REPLICATION_CONTROLLER = ReplicaKind(REPLICATION_CONTROLLERS, _equalities, tells_terminating=False)
