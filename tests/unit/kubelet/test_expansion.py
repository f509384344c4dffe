"""`$(NAME)` references."""

import pytest

from proa.kubelet.expansion import expand, unknown_names

VALUES = {"A": "1", "EMPTY": "", "B": "$(A)"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"), ("x$(A)y$(A)", "x1y1"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$(NONE)", "$(NONE)"), ("$(EMPTY)", ""), ("$A", "$A"),
        ("$", "$"), ("$(A", "$(A"), ("$(B)", "$(A)"), ("a$$b", "a$b"), ("$(A B)", "$(A B)"),
    ],
)  # fmt: skip
def test_expansion(text: str, expected: str) -> None:
    assert expand(text, VALUES) == expected


def test_unknown_names_are_found() -> None:
    assert unknown_names("$(A)/$(NO)/$$(ESCAPED)", VALUES) == ["NO"]
