import pytest

from proa.api.quantity import canonical_text, compare, milli_value, parse, value


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0", "0"), ("0Ki", "0"), ("1000m", "1"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("1024", "1024"), ("1000", "1k"),
        ("1500000", "1500k"), ("0.1Ki", "102400m"), ("1e3", "1e3"), ("1E3", "1e3"), ("1e2", "100"), ("12e5", "1200e3"), ("100n", "100n"),
        ("0.0000000001", "1n"), ("1000n", "1u"), ("+5", "5"), ("-1.5", "-1500m"), (".5", "500m"), ("5.", "5"), ("1025Ki", "1025Ki"),
        ("1000Ki", "1000Ki"), ("0.5Ki", "512"), ("9223372036854775807", "9223372036854775807"), ("100E", "9223372036854775807"),
        (1, "1"), (0.25, "250m"), ("1048576Ki", "1Gi"), ("64M", "64M"), ("123456789", "123456789"), ("2000G", "2T"),
    ],
)  # fmt: skip
def test_canonical_form(text: str | int | float, printed: str) -> None:
    assert canonical_text(text) == printed


@pytest.mark.parametrize("text", ["", ".", "-", "1K", "1 Gi", "Gi", "1e", "1ee3", "abc", "1.2.3", "0x10", "1mm", "1KI"])
def test_refuses_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse(text)


def test_values_round_away_from_zero() -> None:
    assert (value("1500m"), value("-1500m"), milli_value("0.0001"), milli_value("2"), value("1Ki")) == (2, -2, 1, 2000, 1024)


def test_compare_by_number() -> None:
    assert [compare("1", "1000m"), compare("1Gi", "1G"), compare("1m", "1")] == [0, 1, -1]


def test_sum_keeps_the_family_of_the_first_non_zero_term() -> None:
    assert str(parse("0") + parse("1Gi") + parse("512Mi")) == "1536Mi"
    assert str(parse("100m") - parse("1")) == "-900m"
