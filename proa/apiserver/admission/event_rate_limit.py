"""Events come in no faster than the configuration allows: for the whole server, per namespace, per user, per source and object."""

from collections import OrderedDict
from collections.abc import Sequence

from proa.api.errors import TooManyRequests, joined
from proa.api.meta import Object
from proa.apiserver.interface import Attributes, PassiveAdmission
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass

CACHE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class Limit:
    """`type` is Server, Namespace, User or SourceAndObject; `cache` how many keys are remembered."""

    type: str
    qps: float
    burst: int
    cache: int = CACHE_SIZE


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens, self.at = tokens, at


class EventRateLimit(PassiveAdmission):
    name = "EventRateLimit"
    resources = frozenset({("", "events")})

    def __init__(self, limits: Sequence[Limit], clock: Clock) -> None:
        self._limits = [(limit, OrderedDict[str, _Bucket]()) for limit in limits]
        self._clock = clock

    async def validate(self, attributes: Attributes) -> None:
        if attributes.dry_run or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        refused: list[str] = []
        for limit, buckets in self._limits:
            key = _key(limit.type, attributes, attributes.object)
            if not self._take(limit, buckets, key):
                refused.append(f"limit reached on type {limit.type} for key {key}")
        if refused:
            raise TooManyRequests(f"Too many requests: {joined(refused)}")

    def _take(self, limit: Limit, buckets: OrderedDict[str, _Bucket], key: str) -> bool:
        now = self._clock.monotonic()
        bucket = buckets.setdefault(key, _Bucket(limit.burst, now))
        buckets.move_to_end(key)
        if len(buckets) > limit.cache:
            buckets.popitem(last=False)
        bucket.tokens, bucket.at = min(limit.burst, bucket.tokens + (now - bucket.at) * limit.qps), now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _key(kind: str, attributes: Attributes, event: Object) -> str:
    if kind == "Namespace":
        return attributes.namespace
    if kind == "User":
        return attributes.user.name
    if kind == "SourceAndObject":
        source, about = event.get("source") or {}, event.get("involvedObject") or {}
        fields = ("kind", "namespace", "name", "uid", "apiVersion")
        return "".join([source.get("component", ""), source.get("host", ""), *(str(about.get(each, "")) for each in fields)])
    return ""
