"""IntOrString values: a count, or a share of a total written "25%"."""

import re

from proa.api.errors import Cause, invalid
from proa.api.names import percent

IntOrString = int | str
_percent = re.compile(r"([0-9]+)%").fullmatch
_number = re.compile(r"[+-]?[0-9]+").fullmatch


def is_percent(value: IntOrString) -> bool:
    return isinstance(value, str) and _percent(value) is not None


def scaled_value(value: IntOrString, total: int, *, round_up: bool) -> int:
    """The count that `value` means for `total`; raises ValueError for a string that is no percentage."""
    if not isinstance(value, str):
        return value
    match = _percent(value)
    if match is None:
        raise ValueError(f'invalid value for IntOrString: invalid type: string is not a percentage: "{value}"')
    share = int(match[1]) * total
    return -(-share // 100) if round_up else share // 100


def written_number(value: IntOrString) -> int:
    """The number as it is written, of a percentage too; 0 for a text that is none."""
    if not isinstance(value, str):
        return value
    match = _percent(value)
    return int(match[1]) if match else int(value) if _number(value) else 0


def validate_count_or_percent(field: str, value: IntOrString) -> list[Cause]:
    """Causes for what is neither a non-negative number nor a percentage."""
    if isinstance(value, str):
        return [invalid(field, value, problem) for problem in percent(value)]
    return [invalid(field, value, "must be greater than or equal to 0")] if value < 0 else []


def validate_at_most_100_percent(field: str, value: IntOrString) -> list[Cause]:
    return [invalid(field, value, "must not be greater than 100%")] if is_percent(value) and written_number(value) > 100 else []
