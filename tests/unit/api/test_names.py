from collections.abc import Callable, Sequence

import pytest

from proa.api import names

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    ("check", "value", "problems"),
    [
        (names.dns1123_label, "web-1", []),
        (names.dns1123_label, "a.b", ["must not contain dots"]),
        (names.dns1123_label, "Web", [LABEL]),
        (names.dns1123_label, "a\n", [LABEL]),
        (names.dns1123_label, "a" * 64, ["must be no more than 63 characters"]),
        (names.dns1123_subdomain, "a.b-c.d", []),
        (names.dns1123_subdomain, "a..b", [SUBDOMAIN]),
        (names.qualified_name, "example.com/My_name.x", ()),
        (names.qualified_name, "-x", (QUALIFIED,)),
        (names.qualified_name, "/x", ("prefix part must be non-empty",)),
        (names.qualified_name, "", ("name part must be non-empty", QUALIFIED)),
        (names.label_value, "", ()),
        (names.label_value, "a" * 64, ("must be no more than 63 characters",)),
        (names.path_segment, "..", ["may not be '..'"]),
        (names.path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (names.path_segment, "system:node", []),
        (names.config_map_key, "..data", ["must not start with '..'"]),
        (names.env_variable_name, "1 a", []),
        (
            names.env_variable_name,
            "a=b",
            ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
        ),
        (names.port_name, "http", []),
        (names.port_name, "-80", ["must contain at least one letter (a-z)", "must not begin or end with a hyphen"]),
        (names.port_number, 65536, ["must be between 1 and 65535, inclusive"]),
    ],
)
def test_checks(check: Callable[[object], Sequence[str]], value: object, problems: Sequence[str]) -> None:
    assert check(value) == problems


def test_generated_names_fit_a_label_and_spell_no_words() -> None:
    name = names.generate_name("x" * 100)
    assert len(name) == 63
    assert set(names.generate_name("web-")[4:]) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert len({names.generate_name("web-") for _ in range(50)}) > 45


def test_a_prefix_may_end_with_a_dash() -> None:
    assert [names.as_prefix("web-"), names.as_prefix("-"), names.as_prefix("web")] == ["wea", "-", "web"]
