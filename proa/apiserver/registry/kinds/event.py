"""Events of both groups, one stored object. core/v1 asks little, as old clients do; events.k8s.io/v1 asks for everything and lets only the
series change."""

from collections.abc import Callable
from typing import Any

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, qualified_name
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.normalize import Normalizer
from proa.apiserver.registry.object_meta import validate_object_meta, validate_object_meta_update

MAX_TEXT, MAX_NOTE = 128, 1024
_UNSET = {
    "deprecatedFirstTimestamp": "firstTimestamp", "deprecatedLastTimestamp": "lastTimestamp", "deprecatedCount": "count",
    "deprecatedSource": "source",
}  # fmt: skip
"""What events of the new group do without, and the core group's name for each."""
_MISMATCH = "does not match event.namespace"


class EventStrategy(StatuslessStrategy):
    """Paths in messages are those of the core group, whichever group was asked."""

    allow_create_on_update = True

    def __init__(self, namespaced: bool = True, normalizer: Callable[[], Normalizer | None] = lambda: None, *, core: bool = True) -> None:
        super().__init__(namespaced, normalizer)
        self._core = core

    def validate(self, obj: Object) -> list[Cause]:
        causes = self._check_legacy(obj)
        if self._core:
            return causes + validate_object_meta(obj.get("metadata", {}), self.namespaced, self.name_check)
        causes += validate_object_meta(obj.get("metadata", {}), self.namespaced, self.name_check) + _validate_series(obj)
        if not obj.get("eventTime"):
            causes.append(required("eventTime"))
        if obj.get("type") not in ("Normal", "Warning"):
            causes.append(invalid("type", "", f"has invalid value: {obj.get('type') or ''}"))
        return causes + [invalid(core, "", "needs to be unset") for field, core in _UNSET.items() if obj.get(field)]

    def validate_update(self, obj: Object, old: Object) -> list[Cause]:
        """Upstream compares an update with itself where it means to fix all fields but the series, and its conformance test patches the
        note: so everything may change."""
        return self._check_legacy(obj) + validate_object_meta_update(obj.get("metadata", {}), old.get("metadata", {}))

    def _field(self, obj: Object, core: str, new: str) -> Any:
        return obj.get(core if self._core else new)

    def _check_legacy(self, obj: Object) -> list[Cause]:
        namespace = obj.get("metadata", {}).get("namespace") or ""
        about = (self._field(obj, "involvedObject", "regarding") or {}).get("namespace") or ""
        if obj.get("eventTime"):
            causes = self._check_new(obj, namespace, about)
        elif about:
            causes = [] if namespace == about else [invalid("involvedObject.namespace", about, _MISMATCH)]
        else:
            causes = [] if namespace in ("", "default") else [invalid("involvedObject.namespace", "", _MISMATCH)]
        return causes + [invalid("namespace", namespace, problem) for problem in dns1123_subdomain(namespace)]

    def _check_new(self, obj: Object, namespace: str, about: str) -> list[Cause]:
        controller = self._field(obj, "reportingComponent", "reportingController") or ""
        causes: list[Cause] = []
        if not about and namespace not in ("default", "kube-system"):
            causes.append(invalid("involvedObject.namespace", about, _MISMATCH))
        path = "reportingComponent" if self._core else "reportingController"
        if not controller:
            causes.append(required(path))
        causes += [invalid(path, controller, problem) for problem in qualified_name(controller)]
        for field in ("reportingInstance", "action", "reason"):
            text = obj.get(field) or ""
            if not text:
                causes.append(required(field))
            if len(text.encode()) > MAX_TEXT:
                causes.append(invalid(field, "", f"can have at most {MAX_TEXT} characters"))
        if len((self._field(obj, "message", "note") or "").encode()) > MAX_NOTE:
            causes.append(invalid("message", "", f"can have at most {MAX_NOTE} characters"))
        return causes


def _validate_series(obj: Object) -> list[Cause]:
    series = obj.get("series")
    if series is None:
        return []
    causes = [] if (series.get("count") or 0) >= 2 else [invalid("series.count", "", "should be at least 2")]
    return causes if series.get("lastObservedTime") else [*causes, required("series.lastObservedTime")]
