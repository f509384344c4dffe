"""Scores brought to 0..100 in proportion to the largest, optionally turned round: for lists, and for vectors with the same outcome."""

from typing import Any

from proa.scheduler.framework.interface import MAX_NODE_SCORE


def in_proportion(scores: list[int], *, reverse: bool = False) -> list[int]:
    largest = max(scores, default=0)
    if largest == 0:
        return [MAX_NODE_SCORE] * len(scores) if reverse else scores
    scaled = [score * MAX_NODE_SCORE // largest for score in scores]
    return [MAX_NODE_SCORE - score for score in scaled] if reverse else scaled


def vector_in_proportion(scores: Any, *, reverse: bool = False) -> Any:
    """None where all would get the same."""
    largest = int(scores.max())
    if largest == 0:
        return None
    scaled = scores * MAX_NODE_SCORE // largest
    return MAX_NODE_SCORE - scaled if reverse else scaled
