"""Sets of indexes of an Indexed Job as its status writes them: `1,3-5,7`, ascending, each below the number of completions."""

Interval = tuple[int, int]


def parse_indexes(text: str, completions: int) -> list[Interval]:
    """[(first, last)]; raises ValueError with upstream's words."""
    intervals: list[Interval] = []
    for part in text.split(",") if text else ():
        first, last = _interval(part, completions)
        if intervals and intervals[-1][1] >= first:
            raise ValueError(f"non-increasing order, previous: {intervals[-1][1]}, current: {first}")
        intervals.append((first, last))
    return intervals


def _interval(text: str, completions: int) -> Interval:
    limits = text.split("-")
    if len(limits) > 2:
        raise ValueError(
            f"the fragment \"{text}\" violates the requirement that an index interval can have at most two parts separated by '-'"
        )
    numbers = [_number(each, completions) for each in limits]
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        raise ValueError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _number(text: str, completions: int) -> int:
    if not text.isdecimal():
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise ValueError(f'too large index: "{text}"')
    return int(text)


def overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index that is in both sets; what can't be read is told elsewhere."""
    try:
        left, right = parse_indexes(completed, completions), parse_indexes(failed, completions)
    except ValueError:
        return None
    common = [max(low, other_low) for low, high in left for other_low, other_high in right if low <= other_high and other_low <= high]
    return min(common, default=None)
