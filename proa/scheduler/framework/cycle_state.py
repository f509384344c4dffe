"""What plugins remember between the extension points of one scheduling cycle; it ends with the cycle."""

from typing import Any


class CycleState:
    """`data` is by plugin name and extension point; `skipped` names filters and scores that have nothing to do for this pod."""

    __slots__ = ("data", "skipped_filters", "skipped_scores")

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.skipped_filters: set[str] = set()
        self.skipped_scores: set[str] = set()
