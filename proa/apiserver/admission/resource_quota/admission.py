"""ResourceQuota: nothing comes into a namespace beyond what its quotas allow. It is the last of the validators, as upstream: only what all
others let pass is charged.
"""

from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.admission.refusal import fail, refuse
from proa.apiserver.admission.resource_quota.charge import QuotaRefusal, UncoveredScopes, demand_of
from proa.apiserver.admission.resource_quota.ledger import Ledger
from proa.apiserver.admission.resource_quota.limited import Limited
from proa.apiserver.interface import Attributes, ObjectReader, ObjectWriter, PassiveAdmission
from proa.lib.clock import Clock


class ResourceQuota(PassiveAdmission):
    name = "ResourceQuota"

    def __init__(self, reader: ObjectReader, writer: ObjectWriter, clock: Clock, limited: Sequence[Limited] = ()) -> None:
        self._ledger = Ledger(reader, writer, limited)
        self._everywhere = frozenset((each.group, each.resource) for each in limited)
        self._clock = clock
        self._limited: dict[str, set[str]] = {}
        reader.observe("", "resourcequotas", self._on_quota)

    def _on_quota(self, event: str, quota: Object) -> None:
        namespace, name = meta.namespace(quota), meta.name(quota)
        if event != "DELETED":
            self._limited.setdefault(namespace, set()).add(name)
        elif namespace in self._limited:
            self._limited[namespace].discard(name)
            if not self._limited[namespace]:
                del self._limited[namespace]

    async def validate(self, attributes: Attributes) -> None:
        if attributes.object is None or attributes.operation not in ("CREATE", "UPDATE") or not attributes.namespace:
            return
        if attributes.namespace not in self._limited and attributes.group_resource not in self._everywhere:
            return
        demand = demand_of(
            attributes.group_resource, attributes.operation, attributes.subresource, attributes.object, attributes.old_object,
            self._clock.now(),
        )  # fmt: skip
        if demand is None:
            return
        try:
            await self._ledger.charge(attributes.namespace, demand, dry_run=attributes.dry_run)
        except UncoveredScopes as refusal:
            raise fail(str(refusal)) from None
        except QuotaRefusal as refusal:
            raise refuse(attributes, str(refusal)) from None

    async def close(self) -> None:
        await self._ledger.close()
