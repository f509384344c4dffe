"""The metrics of admission, under upstream's names: how long a plugin, a round and a webhook take, and what webhooks refused.

A plugin that is not asked about a kind is not counted for it.
"""

from collections.abc import Sequence

from proa.lib.metrics import Counter, Histogram, Registry, Series

PREFIX = "apiserver_admission_"
SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
WEBHOOK_SECONDS = (*SECONDS, 10, 25)
ADMIT, VALIDATE, VALIDATING = "admit", "validate", "validating"
"""How upstream calls the rounds; of webhooks, the second is called differently."""
MAX_CODE = 600


class AdmissionMetrics:
    def __init__(self, registry: Registry) -> None:
        def duration(name: str, text: str, labels: Sequence[str], buckets: Sequence[float] = SECONDS) -> Histogram:
            return registry.add(Histogram(f"{PREFIX}{name}_admission_duration_seconds", text, labels, buckets))

        def counter(name: str, text: str, labels: Sequence[str]) -> Counter:
            return registry.add(Counter(f"{PREFIX}webhook_{name}", text, labels))

        named = ("name", "type", "operation", "rejected")
        self._steps = duration("step", "Time of a whole round of admission.", named[1:])
        self._plugins = duration("controller", "Time of an admission plugin.", named)
        self._webhooks = duration("webhook", "Time of an admission webhook.", named, WEBHOOK_SECONDS)
        self._requests = counter("request_total", "Requests to admission webhooks.", ("name", "type", "operation", "code", "rejected"))
        refused = ("name", "type", "operation", "error_type", "rejection_code")
        self._rejections = counter("rejection_count", "Requests that an admission webhook refused, or failed for it.", refused)
        self._open = counter("fail_open_count", "Failures of admission webhooks that were overlooked.", ("name", "type"))

    def plugin(self, name: str, step: str, operation: str, *, rejected: bool = False) -> Series:
        return self._plugins.series(name, step, operation, _flag(rejected))

    def step(self, step: str, operation: str, *, rejected: bool = False) -> Series:
        return self._steps.series(step, operation, _flag(rejected))

    def webhook_passed(self, name: str, step: str, operation: str, seconds: float) -> None:
        self._webhook(name, step, operation, seconds, 200, rejected=False)

    def webhook_failed(self, name: str, step: str, operation: str, seconds: float, code: int, *, fails_open: bool) -> None:
        """It could not be asked."""
        self._webhook(name, step, operation, seconds, code, rejected=not fails_open)
        if fails_open:
            self._open.increment(name, step)
        else:
            self._rejections.increment(name, step, operation, "calling_webhook_error", str(code))

    def webhook_refused(self, name: str, step: str, operation: str, seconds: float, code: int) -> None:
        """By its own word; `code` 0 where the server itself could make nothing of the answer."""
        code = min(code, MAX_CODE)
        self._webhook(name, step, operation, seconds, code, rejected=True)
        self._rejections.increment(name, step, operation, "no_error" if code else "apiserver_internal_error", str(code))

    def _webhook(self, name: str, step: str, operation: str, seconds: float, code: int, *, rejected: bool) -> None:
        self._requests.increment(name, step, operation, str(code), _flag(rejected))
        self._webhooks.observe(seconds, name, step, operation, _flag(rejected))


def _flag(value: bool) -> str:
    return "true" if value else "false"
