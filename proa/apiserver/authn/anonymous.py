"""Who comes without credentials: system:anonymous, everywhere, nowhere, or on some paths only (KEP-4633)."""

from collections.abc import Sequence

from proa.api.errors import Unauthorized
from proa.apiserver.interface import ANONYMOUS, User
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request


@dataclass(frozen=True, slots=True)
class AnonymousAccess:
    """`paths` None is every path."""

    enabled: bool = True
    paths: frozenset[str] | None = None

    def admit(self, request: Request) -> User:
        """Raises Unauthorized."""
        if not self.enabled or (self.paths is not None and request.path not in self.paths):
            raise Unauthorized
        return ANONYMOUS


def of_paths(paths: Sequence[str]) -> AnonymousAccess:
    return AnonymousAccess(True, frozenset(paths) if paths else None)
