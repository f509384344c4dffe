"""Asks a remote service whether a request may be, with a SubjectAccessReview, and remembers its answers for a while.

Match conditions spare requests that the service has no say in; what happens if it can't be asked is its failure policy's affair. Source:
Kubernetes' "Webhook Mode", KEP-3221.
"""

import orjson

from proa.api.meta import Object
from proa.apiserver.authz.subject_access_review import GROUP, to_expression_value, to_spec
from proa.apiserver.identity_expression import IdentityExpression
from proa.apiserver.interface import Decision, RequestInfo, User
from proa.apiserver.webhook_backend import BackendError, WebhookBackend
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.recently_used import RecentlyUsed

MAX_REMEMBERED_BYTES = 10_000
"""Callers choose what a review says; long ones must not fill the memory."""
NO_OPINION = Decision(None)
INCOMPLETE = "webhook authorizer does not support user rule resolution"
BOTH = "webhook subject access review returned both allow and deny response"


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """`deny_on_failure` for failurePolicy Deny; seconds of 0 remember nothing."""

    version: str = "v1"
    authorized_seconds: float = 300.0
    unauthorized_seconds: float = 30.0
    deny_on_failure: bool = False
    conditions: tuple[IdentityExpression, ...] = ()


class WebhookAuthorizer:
    def __init__(self, backend: WebhookBackend, policy: WebhookPolicy, clock: Clock) -> None:
        self._backend = backend
        self._policy = policy
        self._clock = clock
        self._remembered: RecentlyUsed[bytes, tuple[float, Decision]] = RecentlyUsed(4096)

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        if self._policy.conditions:
            try:
                if not matches(self._policy.conditions, to_expression_value(user, info)):
                    return NO_OPINION
            except ValueError as error:
                return self._failed(str(error))
        spec = to_spec(user, info)
        key, now = orjson.dumps(spec), self._clock.monotonic()
        remembered = self._remembered.get(key)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        try:
            answer = await self._backend.review(self._review(spec))
        except BackendError as error:
            return self._failed(str(error))
        decision = read_answer(answer.get("status") or {})
        seconds = self._policy.authorized_seconds if decision.allowed else self._policy.unauthorized_seconds
        if seconds and len(key) <= MAX_REMEMBERED_BYTES:
            self._remembered.put(key, (now + seconds, decision))
        return decision

    def _review(self, spec: Object) -> Object:
        if self._policy.version == "v1beta1" and "groups" in spec:
            spec = {"group" if key == "groups" else key: value for key, value in spec.items()}
        identity = {"kind": "SubjectAccessReview", "apiVersion": f"{GROUP}/{self._policy.version}"}
        return identity | {"metadata": {}, "spec": spec, "status": {"allowed": False}}

    def _failed(self, why: str) -> Decision:
        return Decision(False if self._policy.deny_on_failure else None, "", why)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return [], [], INCOMPLETE


def matches(conditions: tuple[IdentityExpression, ...], value: Object) -> bool:
    """Whether all hold. One that does not outweighs one that fails; raises ValueError with what failed."""
    errors = []
    for condition in conditions:
        try:
            found = condition(value)
        except ValueError as error:
            errors.append(f"cel evaluation error: expression '{condition.source}' resulted in error: {error}")
            continue
        if not isinstance(found, bool):
            errors.append(f"cel evaluation error: expression '{condition.source}' should evaluate to a bool")
        elif not found:
            return False
    if errors:
        raise ValueError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
    return True


def read_answer(status: Object) -> Decision:
    reason = str(status.get("reason") or "")
    if status.get("denied") and status.get("allowed"):
        return Decision(False, reason, BOTH)
    if status.get("denied"):
        return Decision(False, reason)
    return Decision(True if status.get("allowed") else None, reason)
