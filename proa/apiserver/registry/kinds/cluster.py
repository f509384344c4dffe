"""Kinds of flow control, whose policy fits a few lines each."""

from proa.api.meta import Object
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy


class FlowSchemaStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("matchingPrecedence", 1000)


class PriorityLevelStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        limited = spec.get("limited")
        if limited is not None:
            limited.setdefault("nominalConcurrencyShares", 30)
            limited.setdefault("lendablePercent", 0)
            response = limited.setdefault("limitResponse", {"type": "Reject"})
            if response.get("type") == "Queue":
                queuing = response.setdefault("queuing", {})
                for field, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
                    queuing.setdefault(field, value)
        elif spec.get("type") == "Exempt":
            exempt = spec.setdefault("exempt", {})
            exempt.setdefault("nominalConcurrencyShares", 0)
            exempt.setdefault("lendablePercent", 0)
