"""Ages print in the two units that matter."""

import pytest

from proa.apiserver.columns.duration import human_duration, since

DAY = 86400
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-2, "<invalid>"), (-1.5, "0s"), (0, "0s"), (119.9, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"), (600, "10m"),
        (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28799, "7h59m"), (28800, "8h"), (2 * DAY - 1, "47h"), (2 * DAY, "2d"),
        (2 * DAY + 3600, "2d1h"), (8 * DAY - 1, "7d23h"), (8 * DAY, "8d"), (2 * YEAR - 1, "729d"), (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"), (8 * YEAR - 1, "7y364d"), (8 * YEAR, "8y"), (9 * YEAR + DAY, "9y"),
    ],
)  # fmt: skip
def test_human_duration(seconds: float, expected: str) -> None:
    assert human_duration(seconds) == expected


def test_the_age_of_a_timestamp() -> None:
    assert since("2030-01-01T00:00:00Z", 1893456000 + 65) == "65s"
    assert since("2030-01-01T00:00:00.500000Z", 1893456000 + 3) == "2s"
    assert since(None, 0) == "<unknown>"
