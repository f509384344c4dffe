"""Kinds of several groups whose policy fits a few lines each: coordination, scheduling, policy, autoscaling, certificates, flow control."""

from typing import ClassVar

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.resource import StrategyContext
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy

HIGHEST_USER_PRIORITY = 1_000_000_000
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_REPLACED = "must be greater than 0"


class CertificateSigningRequestStrategy(KindStrategy):
    """The requester is whoever asks; the spec never changes."""

    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.setdefault("spec", {})
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        if context.user:
            spec["username"] = context.user

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        obj["spec"] = old.get("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = [] if spec.get("request") else [required("spec.request")]
        if not spec.get("usages"):
            causes.append(required("spec.usages", "usages must be provided"))
        if not spec.get("signerName"):
            causes.append(required("spec.signerName"))
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))
        return causes


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
