"""Versions like 1.37.0-rc.1: whether a text is one, and which of two comes first (semver.org, version 2.0.0)."""

import re

_number = r"(0|[1-9][0-9]*)"
_identifier = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_version = re.compile(
    rf"{_number}\.{_number}\.{_number}(?P<early>-{_identifier}(\.{_identifier})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
).fullmatch

Precedence = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def is_semantic_version(text: str) -> bool:
    return _version(text) is not None


def precedence(text: str) -> Precedence:
    """To compare versions by. What is no version comes before all others, as 0.0.0 would."""
    match = _version(text)
    if match is None:
        return UNKNOWN
    early = (match["early"] or "")[1:]
    identifiers = tuple((not each.isdecimal(), int(each) if each.isdecimal() else 0, each) for each in early.split(".") if each)
    return tuple(int(match[part]) for part in (1, 2, 3)), not early, identifiers


UNKNOWN: Precedence = ((0, 0, 0), True, ())
