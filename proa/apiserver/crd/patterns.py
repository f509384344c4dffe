"""Regular expressions of schemas: RE2, whose syntax is Go's and whose time is linear in the text, whatever the pattern.

The library is loaded with the first pattern. It is asked for no groups and gets bytes: with text it counts characters, which takes most of
its time.
"""

from collections.abc import Callable

from proa.lib.remembered import remembered

Occurs = Callable[[str], bool]


class BadPattern(ValueError):
    """What Go's compiler would refuse, in its words as far as they can be known."""


GO_WORDS = (
    # RE2's C++ library, Go's package
    ("invalid perl operator: ", "invalid or unsupported Perl syntax: "),
    ("no argument for repetition operator: ", "missing argument to repetition operator: "),
    ("bad repetition operator: ", "invalid nested repetition operator: "),
    ("invalid repetition size: ", "invalid repeat count: "),
    ("invalid named capture group: ", "invalid named capture: "),
    ("missing ]: ", "missing closing ]: "),
    ("missing ): ", "missing closing ): "),
    ("trailing \\", "trailing backslash at end of expression: "),
)


@remembered(4096)
def compile_pattern(pattern: str) -> Occurs:
    """Whether the pattern occurs in a text. Raises BadPattern."""
    import re2

    options = re2.Options()
    options.log_errors, options.never_capture = False, True
    try:
        search = re2.compile(pattern.encode(), options).search
    except re2.error as error:
        raise BadPattern(f"error parsing regexp: {_in_go(_text(error), pattern)}") from None
    return lambda text: search(text.encode()) is not None


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else str(error)
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _in_go(text: str, pattern: str) -> str:
    for theirs, ours in GO_WORDS:
        if text.startswith(theirs):
            rest = pattern if theirs == "missing ): " else text[len(theirs) :]
            return f"{ours}`{rest}`"
    head, colon, rest = text.partition(": ")
    return f"{head}: `{rest}`" if colon else text
