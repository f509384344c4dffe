import pytest

from proa.api.int_or_string import is_percent, scaled_value, validate_at_most_100_percent, validate_count_or_percent


def test_scaled_value() -> None:
    assert [scaled_value("25%", 10, round_up=True), scaled_value("25%", 10, round_up=False), scaled_value(3, 10, round_up=True)] == [
        3,
        2,
        3,
    ]
    with pytest.raises(ValueError, match="not a percentage"):
        scaled_value("3", 10, round_up=True)
    assert (is_percent("3%"), is_percent("3"), is_percent(3)) == (True, False, False)


def test_validation() -> None:
    assert validate_count_or_percent("f", "50%") == []
    assert [cause.message for cause in validate_count_or_percent("f", -1)] == ["Invalid value: -1: must be greater than or equal to 0"]
    assert [cause.message for cause in validate_at_most_100_percent("f", "101%")] == [
        'Invalid value: "101%": must not be greater than 100%'
    ]
    assert "a valid percent string" in validate_count_or_percent("f", "x")[0].message
