"""One evaluation: its variables, and what it has spent of what it may spend.

Cost is counted as cel-go counts it: a name or field 1, a call what it traverses, a list 10. Every turn of a loop looks at the sum, and now
and then at the processor time used, so that no expression holds the server whatever it was estimated at.
"""

import time
from collections.abc import Mapping
from typing import Any

from proa.api.cel.errors import CostExceeded, EvaluationError

PER_CALL = 1_000_000
"""What one evaluation may cost. Source: k8s.io/apiserver/pkg/apis/cel."""
SECONDS = 0.5
"""Of processor time: an evaluation within its cost needs less."""
_TURNS = 512


class Frame:
    __slots__ = ("_deadline", "_turns", "context", "cost", "limit", "variables")

    def __init__(self, variables: Mapping[str, Any], limit: int = PER_CALL, context: Any = None) -> None:
        self.variables = dict(variables)
        self.cost = 0
        self.limit = limit
        self.context = context
        """What functions of a library may need of their caller."""
        self._turns = 0
        self._deadline = 0.0

    def turn(self, cost: int = 0) -> None:
        """A loop goes round; raises CostExceeded."""
        self.cost += cost
        if self.cost > self.limit:
            raise CostExceeded
        self._turns += 1
        if self._turns % _TURNS == 0:
            now = time.thread_time()
            self._deadline = self._deadline or now + SECONDS
            if now > self._deadline:
                self.cost = self.limit + 1
                raise CostExceeded

    def spend(self, cost: int) -> None:
        self.cost += cost
        if self.cost > self.limit:
            raise CostExceeded


class Failure:
    """An error that a loop carries on with, as a later element may decide."""

    __slots__ = ("error",)

    def __init__(self, error: EvaluationError) -> None:
        self.error = error
