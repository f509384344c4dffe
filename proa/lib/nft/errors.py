"""The one error of nftables: what the kernel or the parser said, and the very line it said it about.

nft reports `<cmdline>:12:5-20: Error: ...`; of a batch with thousands of lines only the line itself helps whoever reads the log.
"""

import re

_PLACE = re.compile(r"^[^:\n]+:(\d+):\d+(?:-\d+)?: Error: (.*)$", re.MULTILINE)


class NftError(Exception):
    """`message` is nft's own, `line` the command that failed ("" where nft names none). Nothing of the batch was applied."""

    def __init__(self, message: str, line: str = "") -> None:
        super().__init__(f"{message}: {line}" if line else message)
        self.message = message
        self.line = line


def describe(errors: str, commands: str) -> NftError:
    """The first error of nft's report about `commands`."""
    found = _PLACE.search(errors)
    if found is None:
        return NftError(errors.strip() or "nft failed without a message")
    lines = commands.splitlines()
    number = int(found[1])
    return NftError(found[2].strip(), lines[number - 1].strip() if number <= len(lines) else "")
