"""nft's reports, as one error with the line that failed."""

import pytest

from proa.lib.nft.errors import describe

BATCH = "add table ip t\nadd element ip t m {\n10.0.0.1 : goto a,\n10.0.0.2 : goto b\n}\n"


@pytest.mark.parametrize(
    ("report", "message", "line"),
    [
        ("<cmdline>:2:18-18: Error: No such file or directory\nadd element", "No such file or directory", "add element ip t m {"),
        ("/dev/stdin:4:1-8: Error: syntax error, unexpected goto\n", "syntax error, unexpected goto", "10.0.0.2 : goto b"),
        ("warning: old\n/dev/stdin:1:5: Error: Could not process rule: Operation not permitted",
         "Could not process rule: Operation not permitted", "add table ip t"),
        ("<cmdline>:99:1-2: Error: odd\n", "odd", ""),
        ("netlink: Error: cache initialization failed\n", "netlink: Error: cache initialization failed", ""),
        ("", "nft failed without a message", ""),
    ],
)  # fmt: skip
def test_first_error_with_its_line(report: str, message: str, line: str) -> None:
    error = describe(report, BATCH)
    assert (error.message, error.line) == (message, line)
    assert str(error) == (f"{message}: {line}" if line else message)
