"""The seams between the API server's parts: who asks (`User`), what is asked (`RequestInfo`), and the protocols of each stage.

Order of stages: authentication -> audit -> fairness -> authorization -> verb (decode, admission, strategy, store) -> answer.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import field
from typing import Any, Protocol

from proa.api.meta import Object
from proa.api.resource import Resource
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request
from proa.storage.interface import Entry


@dataclass(frozen=True, slots=True)
class User:
    """The authenticated caller, as authentication.k8s.io/v1 UserInfo has it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
AUTHENTICATED_GROUP = "system:authenticated"
MASTERS_GROUP = "system:masters"


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a URL and method ask for. `verb` is get, list, watch, create, update, patch, delete, deletecollection; lower-case method for
    non-resource paths. For those only `verb` and `path` count."""

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    """What follows the subresource (proxy paths)."""
    field_selector: str = ""
    """As the query has it, for list, watch and deletecollection: the Node authorizer lets a kubelet list only its own pods."""
    label_selector: str = ""


class Authenticator(Protocol):
    async def authenticate(self, request: Request) -> User | None:
        """The caller; None if this request carries nothing for it; raises Unauthorized for credentials that are wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """`allowed` None means no opinion (denied if nobody has one). `error` is what kept an authorizer from deciding: a request that nobody
    allows fails with it, as it can't be said that it may not."""

    allowed: bool | None
    reason: str = ""
    error: str = ""


class Authorizer(Protocol):
    async def authorize(self, user: User, info: RequestInfo) -> Decision: ...

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        """(resourceRules, nonResourceRules) as SubjectRulesReviewStatus has them, and why they are not all, "" if they are."""
        ...


@dataclass(slots=True)
class Attributes:
    """What admission sees of a write. Mutating plugins change `object` in place; `add_warning` reaches the client's Warning header."""

    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    resource: Resource
    subresource: str
    namespace: str
    name: str
    user: User
    object: Object | None
    old_object: Object | None
    dry_run: bool = False
    options: Object = field(default_factory=dict)
    add_warning: Callable[[str], None] = lambda text: None
    add_audit_annotation: Callable[[str, str], None] = lambda key, value: None
    reinvocation: Any = None
    """What mutating webhooks remember between the first and the second mutating round of one request."""

    @property
    def group_resource(self) -> tuple[str, str]:
        return self.resource.id.group, self.resource.id.plural


class AdmissionPlugin(Protocol):
    """One file each. `admit` may change the object, `validate` only refuse (raise ApiError); both may be left as they are in the base."""

    name: str

    async def admit(self, attributes: Attributes) -> None: ...

    async def validate(self, attributes: Attributes) -> None: ...


class PassiveAdmission:
    """Base that lets everything pass, so that a plugin states only what it does."""

    name = ""
    resources: frozenset[tuple[str, str]] | None = None
    """The (group, plural) that it is asked about; None for all."""

    async def admit(self, attributes: Attributes) -> None:
        return None

    async def validate(self, attributes: Attributes) -> None:
        return None


class WriteHook(Protocol):
    """Allocation around a write (cluster IPs, node ports). begin_* are called after validation and before the store; they may change `obj`
    and raise ApiError, and return what undoes the allocation if the write fails or is a dry run."""

    def begin_create(self, obj: Object) -> Callable[[], None]: ...

    def begin_update(self, obj: Object, old: Object) -> Callable[[], None]: ...

    async def create(self, obj: Object, write: Coroutine[Any, Any, Entry]) -> Entry:
        """Run the write of a new object, together with whatever has to be stored beside it."""
        ...

    async def after_update(self, obj: Object) -> None:
        """An update is stored: bring what is stored beside the object to it."""
        ...

    async def after_delete(self, obj: Object) -> None: ...


class ObjectReader(Protocol):
    """Reading other kinds from inside the server (admission, authorizers), from the watch cache, decoded and memoised: treat as frozen."""

    def get(self, group: str, plural: str, name: str, namespace: str = "") -> Object | None: ...

    def list(self, group: str, plural: str, namespace: str = "") -> list[Object]: ...

    def observe(self, group: str, plural: str, handler: Callable[[str, Object], None]) -> None:
        """`handler(type, object)` for what is there and for each change (ADDED, MODIFIED, DELETED)."""
        ...


class ObjectWriter(Protocol):
    """Writing from inside the server with the server's own identity (bootstrap objects, binding, eviction): the same chain as a request."""

    async def request(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Object: ...
