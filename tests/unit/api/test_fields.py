import pytest

from proa.api.errors import BadRequest
from proa.api.fields import parse_field_selector


@pytest.mark.parametrize(
    ("text", "fields", "selected"),
    [
        ("", {}, True),
        ("metadata.name=web", {"metadata.name": "web"}, True),
        ("status.phase!=Running,spec.nodeName==a", {"status.phase": "Pending", "spec.nodeName": "a"}, True),
        ("spec.nodeName=", {}, True),
        ("spec.nodeName!=", {}, False),
        (r"type=a\,b\=c", {"type": "a,b=c"}, True),
    ],
)
def test_matching(text: str, fields: dict[str, str], selected: bool) -> None:
    assert parse_field_selector(text).matches(fields) is selected


def test_exact_value() -> None:
    selector = parse_field_selector("metadata.name=web,spec.nodeName!=a")
    assert (selector.exact("metadata.name"), selector.exact("spec.nodeName")) == ("web", None)


@pytest.mark.parametrize("text", ["foo", "a=b=c", r"a=\x"])
def test_refuses_bad_selectors(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_field_selector(text)
