"""What can be told of the text of an expression without compiling it."""

import re

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_OLD_SELF = re.compile(r"\boldSelf\b")


def uses_old_self(text: str) -> bool:
    return _OLD_SELF.search(_STRINGS.sub('""', text)) is not None
