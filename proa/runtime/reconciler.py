"""Level-triggered reconciliation: a key in, read what is now, converge. Retry policy lives outside, in `Controller`."""

from typing import Protocol

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """`requeue_after` seconds from now the same key is to be reconciled again; None: when something changes."""

    requeue_after: float | None = None


DONE = Result()


class Reconciler(Protocol):
    async def reconcile(self, key: str) -> Result:
        """Converge one object; any exception means: try again later."""
        ...
