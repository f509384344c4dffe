"""Every way a request can fail, as one small hierarchy that maps to the API's `Status` in one place.

Source: meta/v1 Status and the constructors' wording in the Kubernetes API conventions ("Response Status Kind").
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with one field: `details.causes[]` of a Status."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    @property
    def detail(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def joined(details: Sequence[str]) -> str:
    """Several things that are wrong, each told once, as one sentence."""
    told = list(dict.fromkeys(details))
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]"


class ApiError(Exception):
    """A failed request. `details` is the Status's details without empty members."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, details: dict[str, Any] | None = None, *, code: int | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}
        self.status_code = code or self.code
        self.status_reason = self.reason if reason is None else reason

    def to_status(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.status_reason,
            "details": self.details,
            "code": self.status_code,
        }
        if not self.details:
            del status["details"]
        if not self.status_reason:
            del status["reason"]
        return status

    @staticmethod
    def from_status(status: dict[str, Any]) -> "ApiError":
        """The error that a server's Status describes, of the matching class."""
        kind = BY_REASON.get(status.get("reason", ""), ApiError)
        error = ApiError.__new__(kind)
        ApiError.__init__(error, status.get("message", ""), status.get("details"), code=status.get("code"), reason=status.get("reason", ""))
        return error


def qualified(group: str, resource: str) -> str:
    """`deployments.apps`, `pods`: how messages name a resource."""
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    details = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in details.items() if value}


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"

    @classmethod
    def of(cls, group: str, resource: str, name: str, why: str) -> "Forbidden":
        subject = f'{qualified(group, resource)} "{name}" is' if name else f"{qualified(group, resource)} is"
        return cls(f"{subject} forbidden: {why}", _details(group, resource, name))


class NotFound(ApiError):
    code, reason = 404, "NotFound"

    @classmethod
    def of(cls, group: str, resource: str, name: str) -> "NotFound":
        return cls(f'{qualified(group, resource)} "{name}" not found', _details(group, resource, name))


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"

    @classmethod
    def of(cls, group: str, resource: str, name: str) -> "AlreadyExists":
        return cls(f'{qualified(group, resource)} "{name}" already exists', _details(group, resource, name))


class Conflict(ApiError):
    code, reason = 409, "Conflict"

    @classmethod
    def of(cls, group: str, resource: str, name: str, why: str) -> "Conflict":
        return cls(f'Operation cannot be fulfilled on {qualified(group, resource)} "{name}": {why}', _details(group, resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApplyConflict(ApiError):
    """Server-side apply met fields that another manager owns."""

    code, reason = 409, "Conflict"


class Expired(ApiError):
    """The resource version asked for is older than the history (410)."""

    code, reason = 410, "Expired"


class TooLarge(ApiError):
    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"

    @classmethod
    def of(cls, group: str, kind: str, name: str, causes: Sequence[Cause]) -> "Invalid":
        described = joined([cause.detail for cause in causes])
        subject = f"{kind}.{group}" if group else kind
        listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes]
        return cls(f'{subject} "{name}" is invalid: {described}', _details(group, kind, name, causes=listed))


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    code, reason = 500, "InternalError"

    @classmethod
    def of(cls, why: str) -> "InternalError":
        return cls(f"Internal error occurred: {why}", {"causes": [{"message": why}]})


class ServiceUnavailable(ApiError):
    code, reason = 503, "ServiceUnavailable"


class ServerTimeout(ApiError):
    code, reason = 504, "Timeout"


BY_REASON: dict[str, type[ApiError]] = {
    kind.reason: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict, Expired, TooLarge,
        UnsupportedMediaType, Invalid, TooManyRequests, InternalError, ServiceUnavailable, ServerTimeout,
    )
}  # fmt: skip


def required(field: str, detail: str = "") -> Cause:
    return Cause(field, f"Required value: {detail}" if detail else "Required value", "FieldValueRequired")


def invalid(field: str, value: object, detail: str) -> Cause:
    return Cause(field, f"Invalid value: {go_value(value)}{': ' if detail else ''}{detail}", "FieldValueInvalid")


def duplicate(field: str, value: object) -> Cause:
    return Cause(field, f"Duplicate value: {go_value(value)}", "FieldValueDuplicate")


def forbidden(field: str, detail: str) -> Cause:
    return Cause(field, f"Forbidden: {detail}", "FieldValueForbidden")


def not_supported(field: str, value: object, allowed: Sequence[str], *, in_order: bool = True) -> Cause:
    """Upstream lists what is allowed in alphabetical order where it has a set, else as written (`in_order` False)."""
    choices = ", ".join(f'"{choice}"' for choice in (sorted(allowed) if in_order else allowed))
    return Cause(field, f"Unsupported value: {go_value(value)}: supported values: {choices}", "FieldValueNotSupported")


def too_long(field: str, limit: int) -> Cause:
    return Cause(field, f"Too long: may not be more than {limit} bytes", "FieldValueTooLong")


def not_found(field: str, value: object) -> Cause:
    return Cause(field, f"Not found: {go_value(value)}", "FieldValueNotFound")


def go_value(value: object) -> str:
    """A value as upstream's messages print it: strings quoted, the rest as JSON."""
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
