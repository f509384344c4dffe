"""Query parameters and option bodies as values: ListOptions, the options of writes, DeleteOptions, each with upstream's validation.

Source: meta/v1 ListOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions and their validation.
"""

from dataclasses import replace
from typing import Any

from proa.api.errors import ApiError, BadRequest, Cause, Invalid, forbidden, invalid, not_supported, too_long
from proa.api.fields import FieldSelector, parse_field_selector
from proa.api.labels import EVERYTHING, Selector, parse_selector
from proa.apiserver.request_info import is_true
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request
from proa.storage.interface import Entry, Predicate

META_GROUP = "meta.k8s.io"
MANAGER_LIMIT = 128
LONGEST_NUMBER = 21
"""Digits: one more than any 64-bit number has."""
_NO_FIELDS = FieldSelector()


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`resource_version` is None where the request gave none (or the empty string)."""

    labels: Selector = EVERYTHING
    fields: FieldSelector = _NO_FIELDS
    limit: int = 0
    continue_token: str = ""
    resource_version: int | None = None
    match: str = ""
    timeout_seconds: int | None = None
    bookmarks: bool = False
    send_initial_events: bool | None = None

    def predicate(self) -> Predicate | None:
        """None where everything is wanted."""
        labels, fields = self.labels, self.fields
        if labels and fields:
            return lambda entry: labels.matches(entry.labels) and fields.matches(entry.fields)
        if labels:
            return lambda entry: labels.matches(entry.labels)
        if fields:
            return lambda entry: fields.matches(entry.fields)
        return None


EVERYTHING_LISTED = ListOptions()
EVERYTHING_WATCHED = ListOptions(send_initial_events=True, match="NotOlderThan")


def matches(options: ListOptions, entry: Entry) -> bool:
    return options.labels.matches(entry.labels) and options.fields.matches(entry.fields)


def list_options(request: Request, *, watching: bool) -> ListOptions:
    """Raises BadRequest for what does not parse, Invalid for combinations that the API forbids."""
    query = request.query
    if not query:
        return EVERYTHING_WATCHED if watching else EVERYTHING_LISTED
    first = request.parameter
    initial = is_true(query, "sendInitialEvents") if "sendInitialEvents" in query else None
    version = first("resourceVersion")
    options = ListOptions(
        labels=parse_selector(first("labelSelector")),
        fields=parse_field_selector(first("fieldSelector")),
        limit=_integer(request, "limit") or 0,
        continue_token=first("continue"),
        resource_version=parse_resource_version(version) if version else None,
        match=first("resourceVersionMatch"),
        timeout_seconds=_integer(request, "timeoutSeconds"),
        bookmarks=is_true(query, "allowWatchBookmarks"),
        send_initial_events=initial,
    )
    if watching:
        options = _with_initial_events(options)
    causes = _watch_causes(options) if watching else _list_causes(options)
    if causes:
        raise Invalid.of(META_GROUP, "ListOptions", "", causes)
    return options


def parse_resource_version(text: str) -> int:
    try:
        return parse_version(text)
    except ValueError as error:
        raise BadRequest(f'invalid resource version: resourceVersion: Invalid value: "{text}": {error}') from None


def parse_version(text: str) -> int:
    """A number of 64 bits. Raises ValueError in upstream's words."""
    if (version := parse_unsigned(text)) is not None and version < 1 << 64:
        return version
    why = "invalid syntax" if version is None else "value out of range"
    raise ValueError(f'strconv.ParseUint: parsing "{text}": {why}')


def parse_unsigned(text: str) -> int | None:
    """Digits as a number, of which those that no 64-bit number has are left out; None for anything else."""
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text.lstrip("0")[:LONGEST_NUMBER] or "0")


def too_large_revision(asked: int, current: int) -> ApiError:
    """The answer to who asks for a state that this server has not seen (yet)."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(text, {"causes": causes, "retryAfterSeconds": 1}, code=504, reason="Timeout")


def _integer(request: Request, name: str) -> int | None:
    text = request.parameter(name)
    if not text:
        return None
    sign = -1 if text.startswith("-") else 1
    size = parse_unsigned(text[1:] if text[0] in "+-" else text)
    if size is None:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not -(1 << 63) <= sign * size < 1 << 63:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
    return sign * size


def _list_causes(options: ListOptions) -> list[Cause]:
    causes = _match_causes(options) if options.match else []
    if options.send_initial_events is not None:
        causes.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return causes


def _match_causes(options: ListOptions) -> list[Cause]:
    causes: list[Cause] = []
    if options.resource_version is None:
        causes.append(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if options.continue_token:
        causes.append(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    if options.match not in ("Exact", "NotOlderThan"):
        causes.append(not_supported("resourceVersionMatch", options.match, ["Exact", "NotOlderThan", ""], in_order=False))
    elif options.match == "Exact" and options.resource_version == 0:
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(forbidden("resourceVersionMatch", text))
    return causes


def _watch_causes(options: ListOptions) -> list[Cause]:
    causes: list[Cause] = []
    if options.send_initial_events is not None and options.match != "NotOlderThan":
        causes.append(forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if not options.match:
        return causes
    if options.send_initial_events is None:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(forbidden("resourceVersionMatch", text))
    if options.match != "NotOlderThan":
        causes.append(not_supported("resourceVersionMatch", options.match, ["NotOlderThan"]))
    if options.continue_token:
        causes.append(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    return causes


def _with_initial_events(options: ListOptions) -> ListOptions:
    """A watch from nowhere in particular begins with what is there; its client may want to know where that ends (KEP-3157)."""
    if options.send_initial_events is None and not options.match and not options.resource_version:
        return replace(options, send_initial_events=True, match="NotOlderThan")
    return options


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of create, update and patch."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Warn"
    force: bool | None = None

    def as_object(self, kind: str) -> dict[str, Any]:
        """What admission sees."""
        found: dict[str, Any] = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
        if self.dry_run:
            found["dryRun"] = ["All"]
        if self.field_manager:
            found["fieldManager"] = self.field_manager
        if self.field_validation:
            found["fieldValidation"] = self.field_validation
        if self.force is not None:
            found["force"] = self.force
        return found


_DEFAULT_WRITE = WriteOptions()
_VALIDATIONS = ("Ignore", "Strict", "Warn")


def write_options(request: Request, kind: str, *, is_apply: bool = False) -> WriteOptions:
    """`kind` is CreateOptions, UpdateOptions or PatchOptions, as messages name it."""
    query = request.query
    if not query and not is_apply:
        return _DEFAULT_WRITE
    force = is_true(query, "force") if "force" in query else None
    manager = request.parameter("fieldManager")
    validation = request.parameter("fieldValidation")
    causes = _manager_causes(manager)
    causes += _dry_run_causes(query.get("dryRun", []))
    if validation and validation not in _VALIDATIONS:
        causes.append(not_supported("fieldValidation", validation, ["", *_VALIDATIONS]))
    if kind == "PatchOptions":
        causes += _patch_causes(force, manager, is_apply=is_apply)
    if causes:
        raise Invalid.of(META_GROUP, kind, "", causes)
    return WriteOptions(bool(query.get("dryRun")), manager, validation or "Warn", force)


def _patch_causes(force: bool | None, manager: str, *, is_apply: bool) -> list[Cause]:
    if is_apply:
        return [] if manager else [Cause("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")]
    return [forbidden("force", "may not be specified for non-apply patch")] if force is not None else []


def _manager_causes(manager: str) -> list[Cause]:
    causes: list[Cause] = []
    if len(manager.encode()) > MANAGER_LIMIT:
        causes.append(too_long("fieldManager", MANAGER_LIMIT))
    if not manager.isprintable():
        place = 0
        for character in manager:
            if not character.isprintable():
                why = f"invalid character U+{ord(character):04X} (at position {place})"
                causes.append(invalid("fieldManager", manager, why))
            place += len(character.encode())
    return causes


def _dry_run_causes(values: list[str]) -> list[Cause]:
    return [] if all(value == "All" for value in values) else [not_supported("dryRun", values, ["All"])]


def user_agent_manager(request: Request) -> str:
    """The field manager of a client that names none: the product of its User-Agent."""
    agent = request.headers.get("user-agent", "")
    manager = "".join(character for character in agent.partition("/")[0] if character.isprintable())[:128]
    return manager or "unknown"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    dry_run: bool = False
    grace_period_seconds: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None

    def as_object(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}
        if self.dry_run:
            found["dryRun"] = ["All"]
        if self.grace_period_seconds is not None:
            found["gracePeriodSeconds"] = self.grace_period_seconds
        if self.propagation_policy is not None:
            found["propagationPolicy"] = self.propagation_policy
        if self.orphan_dependents is not None:
            found["orphanDependents"] = self.orphan_dependents
        preconditions = {"uid": self.uid, "resourceVersion": self.resource_version}
        if kept := {key: value for key, value in preconditions.items() if value is not None}:
            found["preconditions"] = kept
        return found


def delete_options(body: Any) -> DeleteOptions:
    """From a DeleteOptions object (or what the query spelled like one)."""
    if not isinstance(body, dict):
        raise BadRequest("the object provided is unrecognized (must be of type DeleteOptions)")
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy")
    orphan = body.get("orphanDependents")
    causes: list[Cause] = []
    if policy is not None and orphan is not None:
        causes.append(invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"))
    if policy not in (None, "Foreground", "Background", "Orphan"):
        causes.append(not_supported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"], in_order=False))
    causes += _dry_run_causes(body.get("dryRun") or [])
    if causes:
        raise Invalid.of(META_GROUP, "DeleteOptions", "", causes)
    grace = body.get("gracePeriodSeconds")
    if grace is not None and not isinstance(grace, int):
        raise BadRequest("DeleteOptions: gracePeriodSeconds must be an integer")
    return DeleteOptions(bool(body.get("dryRun")), grace, preconditions.get("uid"), preconditions.get("resourceVersion"), policy, orphan)


def delete_options_from_query(request: Request) -> DeleteOptions:
    query = request.query
    body: dict[str, Any] = {}
    grace = _integer(request, "gracePeriodSeconds")
    if grace is not None:
        body["gracePeriodSeconds"] = grace
    if "propagationPolicy" in query:
        body["propagationPolicy"] = query["propagationPolicy"][0]
    if "orphanDependents" in query:
        body["orphanDependents"] = is_true(query, "orphanDependents")
    if "dryRun" in query:
        body["dryRun"] = query["dryRun"]
    return delete_options(body)
