"""`$(NAME)` in command, args, environment and subPathExpr, as documented: `$$(NAME)` gives `$(NAME)`, unknown names stay as they are."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def unknown_names(text: str, values: Mapping[str, str]) -> list[str]:
    """The names that `text` refers to and `values` does not have."""
    return [match[2] for match in _REFERENCE.finditer(text) if match[1] != "$" and match[2] not in values]
