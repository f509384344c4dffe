"""The API server's metrics, under kube-apiserver's names: requests, durations, in-flight and long-running requests, stored objects."""

from collections.abc import Iterable

from proa.apiserver.fairness.in_flight import kind_of
from proa.apiserver.interface import RequestInfo
from proa.apiserver.served import GroupVersionResource, ServedResource
from proa.lib.http.message import AnyResponse, Response, UpgradeResponse
from proa.lib.metrics import Counter, Gauge, GaugeFunction, Histogram, Registry, Series

_UPPER = {
    "get": "GET", "list": "LIST", "watch": "WATCH", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}  # fmt: skip


DRY_RUN = "dry_run"
SIZES = tuple(1000.0 * 10**power for power in range(7))
Record = tuple[list[float], Series, Series | None]
"""Where requests of one kind are counted, and what they take; of what reads, how much they get."""
MAX_RECORDS = 5000


class RequestMetrics:
    def __init__(self, registry: Registry, served: dict[GroupVersionResource, ServedResource]) -> None:
        target = ("verb", DRY_RUN, "group", "version", "resource", "subresource", "scope")
        self._served = served
        self._records: dict[tuple[object, ...], Record] = {}
        self._requests = registry.add(
            Counter("apiserver_request_total", "Requests by verb, target and response code.", ("code", "component", *target))
        )
        self._durations = registry.add(
            Histogram("apiserver_request_duration_seconds", "Time to answer, streams left out.", ("component", *target))
        )
        read = ("verb", "group", "version", "resource", "subresource", "scope", "component")
        self._sizes = registry.add(Histogram("apiserver_response_sizes", "Size of answers to GET and LIST.", read, SIZES))
        self._long_running = registry.add(
            Gauge("apiserver_longrunning_requests", "Streams that are open.", ("component", *(each for each in target if each != DRY_RUN)))
        )
        self._events = registry.add(Counter("apiserver_watch_events_total", "Events sent to watchers.", ("group", "version", "resource")))
        self._terminations = registry.add(Counter("apiserver_request_terminations_total", "Requests ended by an error within the server."))
        self._dropped = registry.add(
            Counter("apiserver_dropped_requests_total", "Requests that were answered with 'Try again later'.", ("request_kind",))
        )
        self._deprecated = registry.add(
            Gauge("apiserver_requested_deprecated_apis", "Deprecated APIs that have been asked for, and the release without them.",
                  ("group", "version", "resource", "subresource", "removed_release"))
        )  # fmt: skip
        registry.add(GaugeFunction("apiserver_storage_objects", "Stored objects by resource.", ("resource",), self._stored))

    def observe(self, info: RequestInfo, response: AnyResponse, seconds: float, *, dry_run: bool = False) -> None:
        stream = not isinstance(response, Response)
        code = 101 if isinstance(response, UpgradeResponse) else response.status
        key = (info.verb, info.group, info.version, info.resource, info.subresource, not info.name, not info.namespace, code, dry_run)
        record = self._records.get(key) if info.is_resource else None
        if record is None:
            record = self._record(info, code, dry_run)
            if info.is_resource and len(self._records) < MAX_RECORDS:
                self._records[key] = record
        count, durations, sizes = record
        count[0] += 1
        if stream:
            return
        durations.observe(seconds)
        if sizes is not None:
            sizes.observe(_size(response))

    def _record(self, info: RequestInfo, code: int, dry_run: bool) -> Record:
        verb, dry = _UPPER.get(info.verb, info.verb.upper()), "All" if dry_run else ""
        if info.is_resource:
            target = (verb, dry, info.group, info.version, info.resource, info.subresource, _scope(info))
        else:
            target = (verb, dry, "", "", "", _path_label(info.path), "")
        reads = info.is_resource and info.verb in ("get", "list")
        sizes = self._sizes.series(verb, *target[2:], "apiserver") if reads else None
        return self._requests.cell(str(code), "apiserver", *target), self._durations.series("apiserver", *target), sizes

    def watch_changed(self, info: RequestInfo, change: int) -> None:
        target = "WATCH", info.group, info.version, info.resource, info.subresource, _scope(info)
        self._long_running.increment("apiserver", *target, by=change)

    def events_cell(self, info: RequestInfo) -> list[float]:
        """What a watch adds the number of its events to."""
        return self._events.cell(info.group, info.version, info.resource)

    def dropped(self, info: RequestInfo) -> None:
        self._dropped.increment(kind_of(info))

    def deprecated(self, info: RequestInfo, removed_release: str) -> None:
        self._deprecated.set(1, info.group, info.version, info.resource, info.subresource, removed_release)

    def failed(self) -> None:
        self._terminations.increment()

    def _stored(self) -> Iterable[tuple[tuple[str, ...], float]]:
        counted: set[str] = set()
        for resource in self._served.values():
            name = resource.resource.id.group_resource
            if resource.collection is not None and name not in counted:
                counted.add(name)
                yield (name,), sum(1 for _ in resource.collection.current())


def _size(response: AnyResponse) -> int:
    body = response.body if isinstance(response, Response) else b""
    return len(body) if isinstance(body, bytes) else sum(map(len, body))


def _scope(info: RequestInfo) -> str:
    return "resource" if info.name else "namespace" if info.namespace else "cluster"


def _path_label(path: str) -> str:
    """Non-resource paths by their first segment, so that clients can't make series without end."""
    return "/" + path.lstrip("/").partition("/")[0][:40] if path.startswith(("/livez", "/readyz", "/healthz", "/metrics", "/api")) else ""
