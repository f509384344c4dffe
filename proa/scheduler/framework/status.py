"""What a plugin answers when the answer is not simply yes: a code, and the reasons that users read."""

from enum import Enum

from proa.lib.dataclass import dataclass


class Code(Enum):
    UNSCHEDULABLE = "Unschedulable"
    """Not here now; removing pods might help."""
    UNRESOLVABLE = "UnschedulableAndUnresolvable"
    """Not here, whatever pods are removed."""
    SKIP = "Skip"
    """The plugin has nothing to say about this pod."""
    WAIT = "Wait"
    """From Permit: hold the pod back."""
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Status:
    """None in place of a Status means success."""

    code: Code
    reasons: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def message(self) -> str:
        return ", ".join(self.reasons)


SKIP = Status(Code.SKIP)


def unschedulable(plugin: str, *reasons: str) -> Status:
    return Status(Code.UNSCHEDULABLE, reasons, plugin)


def unresolvable(plugin: str, *reasons: str) -> Status:
    return Status(Code.UNRESOLVABLE, reasons, plugin)
