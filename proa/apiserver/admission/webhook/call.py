"""Asks one webhook about one request and says what came of it: a verdict, a refusal, or a failure that its policy may overlook."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import orjson

from proa.api.errors import ApiError, BadRequest, InternalError
from proa.api.meta import Object
from proa.apiserver.admission.metrics import AdmissionMetrics
from proa.apiserver.admission.webhook.client import CallError, WebhookClient
from proa.apiserver.admission.webhook.hook import Hook
from proa.apiserver.admission.webhook.matching import Invocation
from proa.apiserver.admission.webhook.review import Denial, InvalidReview, Verdict, build_review, denial, verify
from proa.apiserver.interface import Attributes

WITHOUT_SIDE_EFFECTS = ("None", "NoneOnDryRun")


class HookFailure(Exception):
    """The webhook could not be asked, or did not answer; `error` is what the client gets if that counts, `code` what metrics call it."""

    def __init__(self, name: str, reason: str, code: int = 503) -> None:
        self.code = code
        self.error: ApiError = InternalError.of(f'failed calling webhook "{name}": {reason}')
        super().__init__(self.error.message)


async def ask(
    client: WebhookClient, attributes: Attributes, invocation: Invocation, obj: Object | None, old: Object | None, *, mutating: bool
) -> Verdict:
    """The verdict of a webhook that allows; raises ApiError if it denies, HookFailure if it can't be asked."""
    hook = invocation.hook
    if attributes.dry_run and hook.side_effects not in WITHOUT_SIDE_EFFECTS:
        raise BadRequest(f'admission webhook "{hook.name}" does not support dry run')
    review, uid = build_review(attributes, invocation, obj, old)
    try:
        answer = await client.post(hook.client_config, orjson.dumps(review), hook.seconds)
    except CallError as error:
        raise HookFailure(hook.name, f"failed to call webhook: {error}", error.code) from None
    try:
        verdict = verify(answer, review, uid, mutating=mutating)
    except InvalidReview as error:
        raise HookFailure(hook.name, f"received invalid webhook response: {error}") from None
    for key, value in verdict.audit_annotations.items():
        attributes.add_audit_annotation(f"{hook.name}/{key}", value)
    for warning in verdict.warnings:
        attributes.add_warning(warning)
    if not verdict.allowed:
        raise denial(hook.name, verdict.status)
    return verdict


@contextmanager
def counted(metrics: AdmissionMetrics, step: str, hook: Hook, operation: str) -> Iterator[None]:
    """Tells the metrics what came of asking, and how long it took."""
    begin = perf_counter()
    try:
        yield
    except Exception as error:
        _count(metrics, step, hook, operation, perf_counter() - begin, error)
        raise
    _count(metrics, step, hook, operation, perf_counter() - begin, None)


def _count(metrics: AdmissionMetrics, step: str, hook: Hook, operation: str, seconds: float, error: Exception | None) -> None:
    if error is None:
        metrics.webhook_passed(hook.name, step, operation, seconds)
    elif isinstance(error, HookFailure):
        metrics.webhook_failed(hook.name, step, operation, seconds, error.code, fails_open=hook.fails_open)
    else:
        metrics.webhook_refused(hook.name, step, operation, seconds, error.status_code if isinstance(error, Denial) else 0)
