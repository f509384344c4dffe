"""CrashLoopBackOff: after its end a container starts again at once, then after 10 s, 20 s, ... 5 minutes; ten quiet minutes reset it."""

from proa.lib.dataclass import dataclass

INITIAL_SECONDS = 10.0
MAXIMUM_SECONDS = 300.0
EPHEMERAL_RESET_SECONDS = 2 * MAXIMUM_SECONDS


@dataclass(frozen=True, slots=True)
class CrashBackoff:
    """The wait that follows the next end; `updated` is when it was last raised (seconds since 1970)."""

    seconds: float
    updated: float


def remaining(backoff: CrashBackoff | None, finished: float, now: float) -> float:
    """Seconds for which a container that ended at `finished` has to wait still; 0 if none."""
    if backoff is None or finished - backoff.updated > EPHEMERAL_RESET_SECONDS:
        return 0.0
    return max(finished + backoff.seconds - now, 0.0)


def raised(backoff: CrashBackoff | None, finished: float, now: float) -> CrashBackoff:
    """The back-off after one more restart."""
    if backoff is None or finished - backoff.updated > EPHEMERAL_RESET_SECONDS:
        return CrashBackoff(INITIAL_SECONDS, now)
    return CrashBackoff(min(backoff.seconds * 2, MAXIMUM_SECONDS), now)


def go_duration(seconds: float) -> str:
    """`10s`, `1m20s`, `5m0s`: as upstream prints durations."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
