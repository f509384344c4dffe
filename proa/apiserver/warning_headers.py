"""Warnings as header lines: each text once, nothing that could end a line, and not more in sum than clients take.

Texts hold what the client sent (names of fields above all). One with a control character is left out, as upstream does; the others go as
UTF-8, quoted. Beyond 4096 characters in sum, each is cut to 256, and what still doesn't fit is left out.
"""

import re
from collections.abc import Iterable, Iterator

LARGEST_SUM, LONGEST_CUT = 4096, 256
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def warning_headers(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(name, value) pairs; values are bytes in the guise of Latin-1, as all headers are."""
    shown = [text for text in dict.fromkeys(texts) if text and not _CONTROL.search(text)]
    if sum(map(len, shown)) > LARGEST_SUM:
        shown = list(_fitting(text[:LONGEST_CUT] for text in shown))
    return tuple(("warning", f'299 - "{_quotable(text)}"') for text in shown)


def _fitting(texts: Iterable[str]) -> Iterator[str]:
    written = 0
    for text in texts:
        if written >= LARGEST_SUM:
            return
        written += len(text)
        yield text


def _quotable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1").replace("\\", "\\\\").replace('"', '\\"')
