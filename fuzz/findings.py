"""What a fuzzer has found: each finding once, printed with what repeats it."""

from collections import Counter

from fuzz.steering import Sent

ALIKE = 60
"""Characters in which two complaints about one operation must differ to be two findings."""


class Findings:
    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def add(self, label: str, what: str, sent: Sent | None = None, path: str = "", answer: str = "") -> None:
        key = label, what[:ALIKE]
        self.seen[key] += 1
        if self.seen[key] > 1:
            return
        print(f"\nFINDING {label}: {what}")
        if sent is not None:
            print(f"  {sent.method} {path} {sent.query} content-type={sent.content_type} accept={sent.accept}")
            print(f"  {(sent.body or b'')[:1500]!r}")
        if answer:
            print(f"  -> {answer[:2500]}")
        print(end="", flush=True)
