"""Regular expressions in Go's syntax, as schemas of custom resources have them, in Python's."""

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z",
    "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


class BadPattern(ValueError):
    """What Go's compiler would refuse, in its words as far as they can be known."""


@lru_cache(4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Raises BadPattern."""
    if re.search(r"(?<!\\)\(\?(?:[=!]|<[=!])", pattern):
        operator = re.search(r"\(\?<?[=!]", pattern)
        shown = operator[0] if operator else "(?"
        raise BadPattern(f"error parsing regexp: invalid or unsupported Perl syntax: `{shown}`")
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"error parsing regexp: {error}: `{pattern}`") from None


def _translated(pattern: str) -> str:
    """`$` means the very end of the text, `\\z` is spelled `\\Z`, and classes like [[:alpha:]] are written out."""
    made: list[str] = []
    index, in_class = 0, False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            pair = pattern[index : index + 2]
            made.append(r"\Z" if pair == r"\z" else pair)
            index += 2
            continue
        if in_class and pattern.startswith("[:", index) and (end := pattern.find(":]", index)) > 0:
            made.append(_CLASSES.get(pattern[index + 2 : end], ""))
            index = end + 2
            continue
        if in_class and character == "[":
            made.append(r"\[")
        elif not in_class and character == "$" and "(?m" not in pattern:
            made.append(r"\Z")
        else:
            made.append(character)
        if character == "[" and not in_class:
            in_class = True
            follows = re.match(r"\^?\]", pattern[index + 1 :])
            if follows:
                made.append(follows[0].replace("]", r"\]"))
                index += len(follows[0])
        elif character == "]" and in_class:
            in_class = False
        index += 1
    return "".join(made)
