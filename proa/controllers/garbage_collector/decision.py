"""What happens to an object in view of its owners. Pure."""

from collections.abc import Sequence
from typing import Literal

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.garbage_collector.graph import FOREGROUND, ORPHAN
from proa.lib.dataclass import dataclass

OwnerState = Literal["solid", "dangling", "waiting"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Keep it, cut it off from owners (UIDs), or delete it with a policy."""

    action: Literal["keep", "release", "delete"]
    owners: tuple[str, ...] = ()
    policy: str = ""
    unblock: bool = False
    """First make its references non-blocking, as a circle would wait for itself for ever."""


def owner_state(owner: Object | None, uid: str) -> OwnerState:
    """`owner` is what the API has under the reference's name."""
    if owner is None or meta.uid(owner) != uid:
        return "dangling"
    return "waiting" if meta.is_terminating(owner) and FOREGROUND in meta.finalizers(owner) else "solid"


def decide(obj: Object, owners: Sequence[tuple[str, OwnerState]], *, has_dependents: bool, circular: bool) -> Decision:
    """One solid owner keeps it; otherwise it goes, in the foreground if an owner in the foreground waits and it has dependents itself."""
    if not owners:
        return Decision("keep")
    useless = tuple(uid for uid, state in owners if state != "solid")
    if len(useless) < len(owners):
        return Decision("release", useless) if useless else Decision("keep")
    if any(state == "waiting" for _, state in owners) and has_dependents:
        return Decision("delete", policy="Foreground", unblock=circular)
    finalizers = meta.finalizers(obj)
    policy = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
    return Decision("delete", policy=policy)
