"""Quantities: the canonical form is its own canonical form and says the same number, which decimal arithmetic finds too."""

from decimal import ROUND_CEILING, Context, Decimal

from proa.api.quantity import FORMAT_MESSAGE, SUFFIX_MESSAGE, canonical, canonical_text, parse

MOST = 2**63 - 1
EXACT = Context(prec=12000, Emax=999999, Emin=-999999)
SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal("1e3"), "M": Decimal("1e6"), "G": Decimal("1e9"),
    "T": Decimal("1e12"), "P": Decimal("1e15"), "E": Decimal("1e18"), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
LONGEST_EXPONENT = 5


def one(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        quantity = parse(text)
    except ValueError as error:
        assert str(error) in (FORMAT_MESSAGE, SUFFIX_MESSAGE), error
        return
    shown = canonical(quantity)
    assert parse(shown).nano == quantity.nano, (text, shown)
    assert canonical_text(shown) == shown
    assert quantity.value * 10**9 == _away(quantity.nano, 10**9) * 10**9
    expected = _expected(text)
    assert expected is None or quantity.nano == expected, (text, quantity.nano, expected)


def _away(number: int, divisor: int) -> int:
    return -(abs(number) // -divisor) * (1 if number >= 0 else -1)


def _expected(text: str) -> int | None:
    """Nano units, rounded away from zero and at most what an int64 of whole units can say; None for exponents beyond any use."""
    suffix = next((each for each in sorted(SUFFIXES, key=len, reverse=True) if text.endswith(each)), "")
    mantissa = text.removesuffix(suffix) if suffix else text
    _, _, exponent = mantissa.lower().partition("e")
    if len(exponent) > LONGEST_EXPONENT or len(mantissa) > 4000:
        return None
    value = EXACT.multiply(Decimal(mantissa), SUFFIXES.get(suffix, Decimal(1)))
    size = min(EXACT.multiply(value.copy_abs(), Decimal(10**9)), Decimal(MOST * 10**9))
    nano = int(size.to_integral_value(ROUND_CEILING, EXACT))
    return -nano if value < 0 else nano
