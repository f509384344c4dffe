"""The table as nft prints it, read back into elements, to see whether somebody changed what is ours."""

import re

from proa.proxy.nftables.elements import Elements
from proa.proxy.nftables.skeleton import KEPT

_HEADER = re.compile(r"^\t(map|set|chain) (\S+) \{$")
_PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp"}
_NUMBERED = re.compile(r"(^|(?:^|[ ])\S+ \. )(6|17|132)(?= \. )")


def parse_elements(listing: str) -> Elements:
    """The elements of all maps and sets but those that packets fill."""
    found: Elements = {}
    name, collecting = "", False
    for line in listing.splitlines():
        header = _HEADER.match(line)
        if header:
            name, collecting = header[2], False
            continue
        text = line.strip()
        if text.startswith("elements = {"):
            text, collecting = text.removeprefix("elements = {"), True
        if collecting and name not in KEPT:
            for entry in text.rstrip("}").split(","):
                if entry.strip():
                    key, _, value = entry.strip().partition(" : ")
                    found[name, _named(key)] = value
        collecting = collecting and not text.endswith("}")
    return found


def _named(key: str) -> str:
    """`nft -n` prints numbers for protocols: names need a file that a small system lacks."""
    return _NUMBERED.sub(lambda match: match[1] + _PROTOCOLS[match[2]], key, count=1)
