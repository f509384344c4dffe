"""One family's table: the ruleset that the kernel has, and the way from it to the next.

If a delta fails, or the kernel's table is not what it should be, the whole table is loaded again: there is no state in between to repair.
"""

import logging

from proa.lib.nft.errors import NftError
from proa.proxy.nftables.compile import all_picks, compile_delta, compile_whole, diff, whole_elements
from proa.proxy.nftables.elements import Pick
from proa.proxy.nftables.family import TABLE, Family
from proa.proxy.nftables.kernel import Kernel
from proa.proxy.nftables.listing import parse_elements
from proa.proxy.nftables.skeleton import Surroundings
from proa.proxy.rules import Frontend, Ruleset, ServiceKey
from proa.proxy.udp import changed_frontends, stale_flows

_log = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"


class Table:
    """Blocking; one caller at a time."""

    def __init__(self, kernel: Kernel, family: Family, around: Surroundings) -> None:
        self.family = family
        self.ruleset = Ruleset()
        self._kernel, self._around = kernel, around
        self._installed: set[Pick] = set()
        self._moved: set[Frontend] = set()
        """UDP frontends whose stale flows the kernel has not forgotten yet."""
        self._loaded = False

    def replace(self, ruleset: Ruleset) -> None:
        """Load the whole table, in one transaction, over whatever is there."""
        try:
            self._kernel.load(compile_whole(ruleset, self.family, self._around))
        except NftError as error:
            _log.warning("cannot take over table %s, making it afresh: %s", self.family.table, error)
            self._kernel.load(compile_whole(ruleset, self.family, self._around, afresh=True))
        old, self.ruleset = self.ruleset, ruleset
        self._installed, self._loaded = set(all_picks(ruleset)), True
        self._forget_stale(old, ruleset, {*old.services, *ruleset.services})

    def update(self, ruleset: Ruleset, keys: set[ServiceKey]) -> None:
        """Go to `ruleset`, which differs from the last one in these Services only."""
        if not self._loaded:
            self.replace(ruleset)
            return
        old = self.ruleset
        delta = diff(old, ruleset, self._around, keys)
        if delta:
            self._loaded = False
            self._kernel.change(compile_delta(delta, self.family, self._installed))
            self._loaded = True
            self._installed |= delta.picks
        self.ruleset = ruleset
        self._forget_stale(old, ruleset, keys)

    def is_intact(self) -> bool:
        """Whether the kernel's table is as it should be. Takes seconds where there are very many endpoints; updates may go on meanwhile."""
        ruleset = self.ruleset
        listing = self._kernel.list_table(self.family.protocol, TABLE)
        if listing is not None and _has_hooks(listing):
            same = parse_elements(listing) == whole_elements(ruleset, self.family, self._around)
        else:
            same = False
        return same or self.ruleset is not ruleset

    def clean_up(self) -> None:
        """Remove the table; Services stop working on this node."""
        self._kernel.change(f"add table {self.family.table}\ndelete table {self.family.table}\n")
        self._loaded, self.ruleset = False, Ruleset()

    def _forget_stale(self, old: Ruleset, new: Ruleset, keys: set[ServiceKey]) -> None:
        self._moved |= changed_frontends(old, new, keys)
        if self._moved:
            addresses = {*self._around.node_addresses, LOOPBACK}
            self._kernel.forget(stale_flows(self._kernel.udp_flows(), self._moved, new, addresses))
            self._moved.clear()


def _has_hooks(listing: str) -> bool:
    """All base chains are there (a chain that is used can't be deleted, but a base chain can)."""
    return all(f"chain {name} {{" in listing for name in ("prerouting", "output", "postrouting", "after-prerouting", "after-output"))
