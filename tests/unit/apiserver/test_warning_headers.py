"""Which warnings become headers, and in what form."""

import pytest

from proa.apiserver.warning_headers import LARGEST_SUM, warning_headers


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["a"], ['299 - "a"']),
        (["a", "b", "a", ""], ['299 - "a"', '299 - "b"']),
        (['unknown field "a\\b"'], ['299 - "unknown field \\"a\\\\b\\""']),
        (["a\r\nx-evil: 1", "a\nb", "a\0", "a\x85", "a\x7f", "b"], ['299 - "b"']),
        (["é→"], ['299 - "Ã©â\x86\x92"']),
        (["x" * LARGEST_SUM], [f'299 - "{"x" * LARGEST_SUM}"']),
        (["x" * LARGEST_SUM, "y"], [f'299 - "{"x" * 256}"', '299 - "y"']),
    ],
)
def test_headers(texts: list[str], values: list[str]) -> None:
    assert warning_headers(texts) == tuple(("warning", value) for value in values)


def test_no_more_than_fits() -> None:
    values = warning_headers(f"{number:0300}" for number in range(100))
    assert len(values) == 16
