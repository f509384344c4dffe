"""What one request remembers of what has changed its object: which webhooks and policies were called, and which must see it again because
it changed since.

If one of them changes the object, all mutating plugins get one more round, in which only those that asked for it are called again.
"""

from __future__ import annotations

from dataclasses import field

from proa.apiserver.interface import Attributes
from proa.lib.dataclass import dataclass


@dataclass(slots=True)
class Reinvocation:
    second_round: bool = False
    wanted: bool = False
    """Whether there is to be a second round."""
    _memories: dict[str, Memory] = field(default_factory=dict)

    def memory(self, plugin: str) -> Memory:
        return self._memories.setdefault(plugin, Memory(self))


@dataclass(slots=True)
class Memory:
    """Of one plugin."""

    state: Reinvocation
    output: bytes = b""
    """The object as the plugin left it."""
    _called: set[str] = field(default_factory=set)
    _again: set[str] = field(default_factory=set)

    def begin(self, obj: bytes) -> None:
        """A round begins with the object like this."""
        if self.state.second_round and self.output != obj:
            self._forget()

    def called(self, uid: str) -> None:
        """One that wants to see later changes has been called."""
        self._called.add(uid)

    def changed(self) -> None:
        """The object is no longer what those called so far have seen."""
        self._forget()
        self.state.wanted = True

    def _forget(self) -> None:
        self._again |= self._called
        self._called.clear()

    def due(self, uid: str) -> bool:
        return not self.state.second_round or uid in self._again


def state_of(attributes: Attributes) -> Reinvocation:
    if attributes.reinvocation is None:
        attributes.reinvocation = Reinvocation()
    state: Reinvocation = attributes.reinvocation
    return state
