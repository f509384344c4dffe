"""One request on its way through a verb, and what all verbs share of the server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol

from proa.api.meta import Object
from proa.apiserver.audit.record import AuditRecord
from proa.apiserver.decode import Decoder
from proa.apiserver.encode import entry_body, object_body
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, RequestInfo, User
from proa.apiserver.negotiation import Encoding, negotiate, negotiate_for
from proa.apiserver.served import GroupVersionResource, ServedResource
from proa.apiserver.table import Tabulator
from proa.lib.clock import Clock, format_time
from proa.lib.dataclass import dataclass
from proa.lib.http.message import AnyResponse, Request, Response
from proa.storage.interface import Entry

JSON_TYPE = "application/json"
Review = Callable[[User, str, Object], Awaitable[Object]]


class Admission(Protocol):
    """The chain of plugins."""

    async def admit(self, attributes: Attributes) -> None: ...

    async def validate(self, attributes: Attributes) -> None: ...

    async def close(self) -> None: ...


TokenRequester = Callable[[User, str, str, Object, Callable[[str], None]], Awaitable[Object]]
"""serviceaccounts/token: user, namespace, name of the account, TokenRequest, whom to warn."""


class FieldManagers(Protocol):
    """managedFields: who set which field. Both work on objects of one version and leave their arguments' other parts alone."""

    def update(self, served: ServedResource, live: Object | None, new: Object, manager: str, now: str, subresource: str) -> None:
        """Set new.metadata.managedFields after an update (or create, without `live`) by `manager`."""
        ...

    def apply(
        self, served: ServedResource, live: Object, applied: Object, manager: str, now: str, subresource: str, *, force: bool
    ) -> Object:  # fmt: skip
        """The object after a server-side apply; raises ApplyConflict."""
        ...


class Elsewhere(Protocol):
    """Another server that answers for a group version."""

    async def answer(self, request: Request, user: User) -> AnyResponse: ...

    async def answer_openapi(self, request: Request, user: User) -> AnyResponse: ...


Connect = Callable[["Call"], Awaitable[AnyResponse]]
"""Answers a subresource that streams: pods/log, pods/exec, nodes/proxy, ..."""


@dataclass(slots=True)
class ServerContext:
    """What every verb may use. The tables are filled while the server is assembled."""

    clock: Clock
    served: dict[GroupVersionResource, ServedResource]
    admission: Admission
    authorizer: Authorizer
    reader: ObjectReader
    revision: Callable[[], int]
    """Up to which the store is known."""
    field_managers: FieldManagers
    decoder_of: Callable[[str], Decoder | None] = lambda definition: None
    """Checks and prunes bodies of kinds that no resource is of (Scale, Binding, DeleteOptions), by their definition."""
    reviews: Mapping[tuple[str, str], Review] = field(default_factory=dict)
    connect: dict[tuple[str, str, str], Connect] = field(default_factory=dict)
    aggregated: dict[tuple[str, str], Elsewhere] = field(default_factory=dict)
    """Who answers for a group and version, where it isn't this server."""
    token_request: TokenRequester | None = None
    watch_started: Callable[[RequestInfo, int], None] = lambda info, change: None
    watch_events: Callable[[RequestInfo], list[float]] = lambda info: [0]
    min_request_timeout: float = 1800.0
    """Seconds that a watch lasts at least if the client does not say how long."""
    offer: Callable[[str, str, str, Object], None] = lambda group, plural, key, obj: None
    withdraw: Callable[[str, str, str], None] = lambda group, plural, key: None
    constrained_impersonation: bool = True
    _second: datetime | None = None
    _text: str = ""

    def now(self) -> str:
        """The moment as the API writes it; formatted once a second."""
        second = self.clock.now().replace(microsecond=0)
        if second != self._second:
            self._second, self._text = second, format_time(second)
        return self._text


@dataclass(slots=True)
class Call:
    """A resource request: who, what, on which resource. `warnings` become Warning headers; `audit` is None where nothing is recorded."""

    server: ServerContext
    request: Request
    user: User
    info: RequestInfo
    served: ServedResource
    warnings: list[str] = field(default_factory=list)
    audit: AuditRecord | None = None
    initialized: Callable[[], None] = lambda: None
    """A watch says that its first events are on their way: the rest of it takes no seat."""

    def annotate(self, key: str, value: str) -> None:
        """An annotation of the request's audit event."""
        if self.audit is not None:
            self.audit.annotate(key, value)

    def received(self, obj: Object) -> None:
        """The object that the request sends, decoded, before anything changes it."""
        if self.audit is not None:
            self.audit.request_object(obj)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def now(self) -> str:
        return self.server.now()

    @property
    def namespace(self) -> str:
        return self.info.namespace if self.served.resource.id.namespaced else ""

    @property
    def key(self) -> str:
        return self.served.key(self.info.namespace, self.info.name)

    def encoding(self) -> Encoding:
        """How the answer will be written. Writes ask before they write, as who can't read the answer must not have changed anything."""
        return negotiate(self.request, definition=self.served.resource.definition)

    def tabulator(self) -> Tabulator:
        now = self.server.clock.now().timestamp()
        version = self.encoding().version if "v1beta1" in self.request.headers.get("accept", "") else "v1"
        return Tabulator(self.served.resource, now, self.request.parameter("includeObject"), version)

    def entry_response(self, entry: Entry, status: int = 200) -> Response:
        encoding = self.encoding()
        return Response(status, {"content-type": encoding.media_type}, entry_body(self.served, entry, encoding, self.tabulator))

    def written(self, result: Entry | Object, status: int) -> Response:
        """The answer to a write: what lies in the store now, or for a dry run what would."""
        return self.object_response(result, status) if isinstance(result, dict) else self.entry_response(result, status)

    def object_response(self, obj: Object, status: int = 200, *, tabular: bool = True) -> Response:
        encoding = self.encoding() if tabular else negotiate_for(self.request, obj)
        body = object_body(obj, encoding, self.tabulator if tabular else None, self.served.schema if tabular else None)
        return Response(status, {"content-type": encoding.media_type}, body)
