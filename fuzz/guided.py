"""One target under atheris, which mutates inputs towards code that none of them has reached: `python -m fuzz.guided TARGET SECONDS WORK`.

A finding doesn't end the run: it is written down once, with the input that shows it, as WORK/findings/SIGNATURE. What takes a minute or
all memory ends it; libFuzzer leaves its input as WORK/timeout-* or WORK/oom-*.
"""

import re
import sys
from pathlib import Path

import atheris

from fuzz.judge import CORPUS, One, judge, kept

LONGEST_INPUT = 4096
PATIENCE = 60
MEMORY = 3000
"""MB."""


def main(name: str, seconds: int, work: Path) -> None:
    with atheris.instrument_imports(include=["proa"]):
        from fuzz.judge import load

        one = load(name)
        for warming in (b"", *(path.read_bytes() for path in kept(name))):
            judge(one, warming)  # what is loaded late is loaded before the time counts
        found, grown = work / "findings", work / "corpus"
        for folder in (found, grown):
            folder.mkdir(parents=True, exist_ok=True)
        options = (f"-max_total_time={seconds}", f"-timeout={PATIENCE}", f"-rss_limit_mb={MEMORY}", f"-max_len={LONGEST_INPUT}")
        folders = [str(each) for each in (grown, CORPUS / name) if each.exists()]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={work}/", "-print_final_stats=1", *folders], _watched(one, found))
        atheris.Fuzz()


def _watched(one: One, found: Path) -> One:
    known: set[str] = set()

    def watched(data: bytes) -> None:
        finding = judge(one, data)
        if finding is None or finding.signature in known:
            return
        known.add(finding.signature)
        (found / re.sub(r"[^A-Za-z0-9.]+", "-", finding.signature)).write_bytes(data)
        print(f"\nFINDING {finding.signature}: {data[:300]!r}\n{finding.told}", flush=True)

    return watched


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
