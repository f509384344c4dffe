"""What names may look like, with the very texts by which Kubernetes refuses them; and names made from `generateName`.

Each check returns the list of things that are wrong, empty for a good value. Source: apimachinery util/validation, RFC 1123 and RFC 1035.
"""

import random
import re
import secrets

from proa.lib.remembered import remembered

LABEL_MAX_LENGTH = 63
SUBDOMAIN_MAX_LENGTH = 253
GENERATED_LENGTH = 5
VARIANTS = "89ab"
GENERATED_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Neither vowels nor digits that read like letters: no words, no confusion."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_PERCENT = "[0-9]+%"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_label_match = re.compile(_LABEL).fullmatch
_subdomain_match = re.compile(_SUBDOMAIN).fullmatch
_dns1035_match = re.compile(_DNS1035).fullmatch
_qualified_match = re.compile(_QUALIFIED).fullmatch
_label_value_match = re.compile(_LABEL_VALUE).fullmatch
_config_key_match = re.compile(_CONFIG_KEY).fullmatch
_env_name_match = re.compile(r"[\x20-\x3c\x3e-\x7e]*").fullmatch
_http_header_match = re.compile(_HTTP_HEADER).fullmatch
_wildcard_match = re.compile(_WILDCARD).fullmatch
_percent_match = re.compile(_PERCENT).fullmatch
_http_path_match = re.compile(_HTTP_PATH).fullmatch
_port_characters_match = re.compile("[-a-z0-9]+").fullmatch
_letter_search = re.compile("[a-z]").search

_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_DNS1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_QUALIFIED_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_WILDCARD_MESSAGE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def out_of_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def _mismatch(message: str, pattern: str, *examples: str) -> str:
    given = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {given}regex used for validation is '{pattern}')"


def _length(value: str, limit: int) -> list[str]:
    return [too_long(limit)] if len(value.encode()) > limit else []


def dns1123_label(value: str) -> list[str]:
    problems = _length(value, LABEL_MAX_LENGTH)
    if not _label_match(value):
        if _subdomain_match(value):
            return [*problems, "must not contain dots"]
        problems.append(_mismatch(_LABEL_MESSAGE, _LABEL, "my-name", "123-abc"))
    return problems


def dns1123_subdomain(value: str) -> list[str]:
    problems = _length(value, SUBDOMAIN_MAX_LENGTH)
    if not _subdomain_match(value):
        problems.append(_mismatch(_SUBDOMAIN_MESSAGE, _SUBDOMAIN, "example.com"))
    return problems


def wildcard_subdomain(value: str) -> list[str]:
    problems = _length(value, SUBDOMAIN_MAX_LENGTH)
    if not _wildcard_match(value):
        problems.append(_mismatch(_WILDCARD_MESSAGE, _WILDCARD, "*.example.com"))
    return problems


def dns1035_label(value: str) -> list[str]:
    problems = _length(value, LABEL_MAX_LENGTH)
    if not _dns1035_match(value):
        problems.append(_mismatch(_DNS1035_MESSAGE, _DNS1035, "my-name", "abc-123"))
    return problems


@remembered(4096)
def qualified_name(value: str) -> tuple[str, ...]:
    """`name` or `prefix/name`: label keys, annotation keys, taints, finalizers, resource names."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        described = _mismatch(_QUALIFIED_MESSAGE, _QUALIFIED, "MyName", "my.name", "123-abc")
        return (f"a valid label key {described} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    problems = []
    if slash:
        problems = [f"prefix part {problem}" for problem in (dns1123_subdomain(prefix) if prefix else ["must be non-empty"])]
    if not name:
        problems.append("name part must be non-empty")
    problems += [f"name part {problem}" for problem in _length(name, LABEL_MAX_LENGTH)]
    if not _qualified_match(name):
        problems.append(f"name part {_mismatch(_QUALIFIED_MESSAGE, _QUALIFIED, 'MyName', 'my.name', '123-abc')}")
    return tuple(problems)


@remembered(8192)
def label_value(value: str) -> tuple[str, ...]:
    problems = _length(value, LABEL_MAX_LENGTH)
    if not _label_value_match(value):
        problems.append(_mismatch(_LABEL_VALUE_MESSAGE, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return tuple(problems)


def path_segment(value: str) -> list[str]:
    """Names that only have to be safe in a URL path (RBAC's roles and bindings)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in value]


def http_path(value: str) -> list[str]:
    """What follows the slash of a domain-prefixed path."""
    return [] if _http_path_match(value) else [f"Invalid path (regex used for validation is '{_HTTP_PATH}')"]


def _no_parent_directory(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def config_map_key(value: str) -> list[str]:
    problems = _length(value, SUBDOMAIN_MAX_LENGTH)
    if not _config_key_match(value):
        message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(_mismatch(message, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return problems + _no_parent_directory(value)


def env_variable_name(value: str) -> list[str]:
    """Any printable ASCII but `=` since Kubernetes 1.34 (RelaxedEnvironmentVariableValidation)."""
    if not value:
        return ["environment variable name must be non-empty"]
    if not _env_name_match(value):
        return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    return []


def http_header_name(value: str) -> list[str]:
    if _http_header_match(value):
        return []
    message = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [_mismatch(message, _HTTP_HEADER, "X-Header-Name")]


def percent(value: str) -> list[str]:
    if _percent_match(value):
        return []
    return [_mismatch("a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%")]


def port_name(value: str) -> list[str]:
    """IANA service names (RFC 6335), lower case only."""
    problems = _length(value, 15)
    if not _port_characters_match(value):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _letter_search(value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else [out_of_range(1, 65535)]


def as_prefix(value: str) -> str:
    """A `generateName` as its name check sees it: a trailing dash is no fault of a prefix."""
    return value[:-2] + "a" if len(value) > 1 and value.endswith("-") else value


def random_suffix(length: int = GENERATED_LENGTH) -> str:
    return "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(length))


def new_uid() -> str:
    """A UUID of version 4, made as text: the class `UUID` costs several times as much."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANTS[random.getrandbits(2)]}{digits[17:20]}-{digits[20:]}"


def generate_name(prefix: str) -> str:
    """A name from `generateName`; the prefix is cut so that the whole is a DNS label in length."""
    return prefix[: LABEL_MAX_LENGTH - GENERATED_LENGTH] + random_suffix()
