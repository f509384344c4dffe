"""What one request remembers of its mutating webhooks: which were called, and which must see it again because it changed since.

If a webhook changes the object, all mutating plugins get one more round, in which only webhooks that asked for it are called again.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Reinvocation:
    second_round: bool = False
    wanted: bool = False
    """Whether there is to be a second round."""
    output: bytes = b""
    """The object as the last webhook left it."""
    _called: set[str] = field(default_factory=set)
    _again: set[str] = field(default_factory=set)

    def called(self, uid: str) -> None:
        """A webhook that wants to see later changes has been called."""
        self._called.add(uid)

    def changed(self) -> None:
        """The object is no longer what those called so far have seen."""
        self._again |= self._called
        self._called.clear()

    def due(self, uid: str) -> bool:
        return not self.second_round or uid in self._again
