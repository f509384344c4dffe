"""Reads a session with kubectl (`tests/testdata/kubectl_session.txt` says how it is written) and tells whether an answer fits."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COMMAND = re.compile(
    r"(?:\{(?:(?P<first>1\.\d+)\+|-(?P<last>1\.\d+))\})?\$(?P<again>~?) kubectl (?P<words>.*?)(?: <<(?P<stdin>.*?))?(?: \[(?P<code>\d+)\])?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `first` and `last` are the minor versions of clients that know it."""

    words: tuple[str, ...]
    stdin: str | None
    code: int
    again: bool
    first: int
    last: int
    answer: tuple[str, ...]

    def fits(self, code: int, lines: Sequence[str]) -> bool:
        return code == self.code and _match(self.answer, [each for each in map(_plain, lines) if each])


def read_session(text: str, namespace: str) -> Iterator[Step]:
    """Each `##` line begins a section and says nothing else; comments and empty lines are passed over."""
    lines = [line for line in re.sub(r"\bNS\b", namespace, text).splitlines() if line and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if _COMMAND.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        found = _COMMAND.fullmatch(lines[start])
        assert found is not None
        yield Step(
            words=tuple(_words(found["words"])),
            stdin=found["stdin"],
            code=int(found["code"] or 0),
            again=bool(found["again"]),
            first=_minor(found["first"] or "1.0"),
            last=_minor(found["last"] or "1.999"),
            answer=tuple(_plain(line) for line in lines[start + 1 : end]),
        )


def _words(text: str) -> list[str]:
    """A backslash keeps a blank; quotes are the JSON's own."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.quotes, lexer.commenters = True, "", ""
    return list(lexer)


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _plain(line: str) -> str:
    return " ".join(line.split())


def _match(wanted: Sequence[str], lines: Sequence[str]) -> bool:
    if not wanted:
        return not lines
    if wanted[0] == "...":
        return any(_match(wanted[1:], lines[skipped:]) for skipped in range(len(lines) + 1))
    return bool(lines) and _fits_line(wanted[0], lines[0]) and _match(wanted[1:], lines[1:])


def _fits_line(wanted: str, line: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in wanted.split("...")), line) is not None
