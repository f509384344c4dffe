"""Strategies of kinds without rules of their own, by what they have: status, generation, names that are no DNS names."""

from typing import ClassVar

from proa.api.meta import Object
from proa.api.names import path_segment
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy


class PlainStrategy(KindStrategy):
    """Nothing beyond metadata: stored as its schema says."""

    empty_status: ClassVar[Object | None] = None


class SpecStatusStrategy(KindStrategy):
    """spec and status apart, generation counted, nothing else."""

    tracks_generation = True
    empty_status: ClassVar[Object | None] = {}


class StatuslessStrategy(KindStrategy):
    has_status = False


class GenerationStrategy(KindStrategy):
    has_status = False
    tracks_generation = True


class PathNamedStrategy(StatuslessStrategy):
    """Names may hold colons: they only have to be safe in a path."""

    @property
    def name_check(self) -> NameCheck:
        return path_segment
