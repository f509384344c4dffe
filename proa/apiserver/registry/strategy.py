"""The order of policy that all kinds share; a kind's file fills in `fill`, `check`, `check_update` and little else.

The main endpoint never changes status and the status endpoint never changes spec: `StatusStrategy` is derived from the main one.
Generation steps when anything but metadata and status differs, for the kinds that have one.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.api.resource import StrategyContext
from proa.apiserver.registry.normalize import Normalizer
from proa.apiserver.registry.object_meta import NameCheck, check_finalizer_names, validate_object_meta, validate_object_meta_update

_UNVERSIONED = ("apiVersion", "kind", "metadata", "status")


class KindStrategy:
    """What most kinds do. Subclasses override the hooks below `default`; instances are made once per served resource."""

    allow_create_on_update: bool = False
    graceful_deletion: bool = False
    has_status: ClassVar[bool] = True
    keeps_status_on_create: ClassVar[bool] = False
    empty_status: ClassVar[Object | None] = None
    """What a new object's status is; None for kinds without one."""
    tracks_generation: ClassVar[bool] = False
    first_generation: ClassVar[int | None] = 1
    """What a new object's generation is; None for a kind that counts from its first change."""
    fixed_generation: ClassVar[bool] = False
    """generation starts at 1 and stays there."""
    annotations_count: ClassVar[bool] = False
    """generation steps for a change of annotations too."""
    labels_count: ClassVar[bool] = False
    """generation steps for a change of labels too."""
    plain_finalizers: ClassVar[bool] = False
    """Whether finalizers may do without a domain, as those of the extension mechanisms and of custom resources may."""

    def __init__(self, namespaced: bool = True, normalizer: Callable[[], Normalizer | None] = lambda: None) -> None:
        self.namespaced = namespaced
        self._find_normalizer = normalizer
        self._normalize: Normalizer | None = None
        self._resolved = False

    @property
    def name_check(self) -> NameCheck:
        return dns1123_subdomain

    def fill(self, obj: Object) -> None:
        """Defaults of this kind."""

    def check(self, obj: Object) -> list[Cause]:
        """What is wrong with anything but metadata."""
        return []

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        """The same for a change; by default what is checked on create, but for what was wrong before."""
        causes = self.check(obj)
        return not_kept(causes, self.check(old)) if causes else []

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        """The kind's own part of prepare_for_create."""

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        """The kind's own part of prepare_for_update."""

    def default(self, obj: Object) -> None:
        self.normalize(obj)
        self.fill(obj)

    def normalize(self, obj: Object) -> None:
        if not self._resolved:
            self._normalize, self._resolved = self._find_normalizer(), True
        if self._normalize is not None:
            self._normalize(obj)

    def prepare_for_create(self, obj: Object, context: StrategyContext) -> None:
        if self.has_status and not self.keeps_status_on_create:
            obj.pop("status", None)
        if self.empty_status is not None and "status" not in obj:
            obj["status"] = copy.deepcopy(self.empty_status)
        if self.tracks_generation and self.first_generation is not None:
            obj.setdefault("metadata", {})["generation"] = self.first_generation
        self.prepare(obj, context)

    def validate(self, obj: Object) -> Sequence[Cause]:
        meta = obj.get("metadata", {})
        return validate_object_meta(meta, self.namespaced, self.name_check) + self.check_finalizers(meta) + self.check(obj)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        if self.has_status:
            take(obj, old, "status")
        self.prepare_change(obj, old, context)
        beside = [field for field, counts in (("annotations", self.annotations_count), ("labels", self.labels_count)) if counts]
        step_generation(obj, old, self.tracks_generation and not self.fixed_generation, beside)

    def validate_update(self, obj: Object, old: Object) -> Sequence[Cause]:
        meta = obj.get("metadata", {})
        return validate_object_meta_update(meta, old.get("metadata", {})) + self.check_finalizers(meta) + self.check_update(obj, old)

    def check_finalizers(self, meta: Object) -> list[Cause]:
        return [] if self.plain_finalizers or not meta.get("finalizers") else check_finalizer_names(meta)

    def canonicalize(self, obj: Object) -> None:
        return None

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return ()


class PartStrategy:
    """An endpoint that changes one part of an object that is there, and never creates one. A subclass says which part, in
    `prepare_for_update`, and refuses in `check_part`."""

    allow_create_on_update = False
    graceful_deletion = False

    def __init__(self, main: KindStrategy) -> None:
        self._main = main

    def default(self, obj: Object) -> None:
        self._main.default(obj)

    def prepare_for_create(self, obj: Object, context: StrategyContext) -> None:
        return None

    def validate(self, obj: Object) -> Sequence[Cause]:
        return ()

    def validate_update(self, obj: Object, old: Object) -> Sequence[Cause]:
        meta = obj.get("metadata", {})
        causes = validate_object_meta_update(meta, old.get("metadata", {})) + self._main.check_finalizers(meta)
        return causes + self.check_part(obj, old)

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return []

    def canonicalize(self, obj: Object) -> None:
        return None

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return ()


class StatusStrategy(PartStrategy):
    """The /status endpoint: of the object sent, only status counts, and metadata where upstream lets it pass."""

    def __init__(
        self,
        main: KindStrategy,
        kept_metadata: tuple[str, ...] = (),
        check_status: Callable[[Object, Object], list[Cause]] = lambda obj, old: [],
    ) -> None:
        super().__init__(main)
        self.kept_metadata = kept_metadata
        self._check_status = check_status

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        for key in [key for key in obj if key not in _UNVERSIONED and key not in old]:
            del obj[key]
        for key in old:
            if key not in _UNVERSIONED:
                obj[key] = old[key]
        for field in self.kept_metadata:
            take(obj["metadata"], old["metadata"], field)
        take(obj["metadata"], old["metadata"], "generation")

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return self._check_status(obj, old)


def not_kept(causes: Sequence[Cause], before: Sequence[Cause]) -> list[Cause]:
    """Rules get stricter, stored objects don't: what an object already had wrong doesn't keep it from changing elsewhere."""
    return [cause for cause in causes if cause not in before]


def step_generation(obj: Object, old: Object, tracked: bool, beside: Sequence[str] = ()) -> None:
    """generation = old's, plus one if the desired state differs, to which fields of a kind's metadata may belong."""
    take(obj.setdefault("metadata", {}), old.get("metadata", {}), "generation")
    if tracked and (desired_state(obj) != desired_state(old) or any(_noted(obj, field) != _noted(old, field) for field in beside)):
        obj["metadata"]["generation"] = old.get("metadata", {}).get("generation", 0) + 1


def _noted(obj: Object, field: str) -> Object:
    return obj["metadata"].get(field) or {}


def desired_state(obj: Object) -> dict[str, Any]:
    """Everything but type, metadata and status."""
    return {key: value for key, value in obj.items() if key not in _UNVERSIONED}


def take(obj: Object, old: Object, field: str) -> None:
    """Makes one field of an object what it is in another, be it absent."""
    if field in old:
        obj[field] = old[field]
    else:
        obj.pop(field, None)
