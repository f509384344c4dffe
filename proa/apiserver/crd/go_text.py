"""Numbers as Go prints them with %v: in messages about bounds, and in columns."""

from decimal import Decimal


def go_number(value: float) -> str:
    """10, 0.5, 65535, 1e+06, 1e-07."""
    number = float(value)
    sign, numbers, point = Decimal(repr(number)).normalize().as_tuple()
    digits = "".join(map(str, numbers))
    exponent = len(digits) + int(point) - 1
    if -4 <= exponent < 6 or not number:
        return repr(number).removesuffix(".0")
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{exponent:+03d}"
