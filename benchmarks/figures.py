"""One measured figure with what it is to be compared to, and figures as lines and as a table of Markdown.

A benchmark returns figures and prints nothing itself, so that the same run can be read on a terminal and kept in a document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`target` and `reference` are texts, "" where there is none; `note` says what bounds the figure or how it spreads."""

    name: str
    value: float
    unit: str
    target: str = ""
    reference: str = ""
    note: str = ""


def number(value: float) -> str:
    """Three digits that matter, thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.4f}"


def line(figure: Figure) -> str:
    beside = [f"target {figure.target}"] if figure.target else []
    beside += [f"reference {figure.reference}"] if figure.reference else []
    beside += [figure.note] if figure.note else []
    return f"  {figure.name}: {number(figure.value)} {figure.unit}" + (f"  ({'; '.join(beside)})" if beside else "")


def table(figures: Sequence[Figure]) -> str:
    rows = ["| what | measured | target | reference | |", "|---|---|---|---|---|"]
    rows += [f"| {each.name} | {number(each.value)} {each.unit} | {each.target} | {each.reference} | {each.note} |" for each in figures]
    return "\n".join(rows)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed; `values` are not empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1))]


Measure = Callable[[], list[Figure]]
