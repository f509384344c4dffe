"""The seat of a watch, which is given back once its first events are on their way, however long the watch itself lasts."""

from proa.apiserver.fairness.flow import Turn


class Seat:
    """`release` counts once. A watch that is never run gives its seat back when it is forgotten."""

    __slots__ = ("_turn",)

    def __init__(self, turn: Turn) -> None:
        self._turn: Turn | None = turn

    def release(self) -> None:
        if self._turn is not None:
            turn, self._turn = self._turn, None
            turn.flow.counts.watched.observe(turn.flow.level.finish(turn))
            turn.flow.counts.seats_estimated.observe(turn.work.seats)

    def __del__(self) -> None:
        self.release()
