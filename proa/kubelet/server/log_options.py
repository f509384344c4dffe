"""What is asked of a container's log (PodLogOptions as a query), and which attempt of the container answers it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from proa.api import meta
from proa.api.errors import BadRequest
from proa.api.meta import Object
from proa.lib.dataclass import dataclass

_IMAGE_WAITS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogOptions:
    """`since` is in nanoseconds since 1970; None stands for no limit; `stream` is "", "stdout" or "stderr"."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: int | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str = ""


def parse_log_options(query: Mapping[str, Sequence[str]], now: datetime) -> LogOptions:
    """Raises BadRequest."""
    since = None
    if (seconds := _number(query, "sinceSeconds")) is not None:
        since = int((now - timedelta(seconds=seconds)).timestamp()) * 10**9
    elif text := _first(query, "sinceTime"):
        since = _moment(text)
    stream = _first(query, "stream")
    return LogOptions(
        follow=_flag(query, "follow"),
        previous=_flag(query, "previous"),
        timestamps=_flag(query, "timestamps"),
        since=since,
        tail_lines=_number(query, "tailLines"),
        limit_bytes=_number(query, "limitBytes"),
        stream={"Stdout": "stdout", "Stderr": "stderr"}.get(stream, ""),
    )


def _first(query: Mapping[str, Sequence[str]], name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _flag(query: Mapping[str, Sequence[str]], name: str) -> bool:
    return name in query and _first(query, name).lower() not in ("false", "0")


def _number(query: Mapping[str, Sequence[str]], name: str) -> int | None:
    text = _first(query, name)
    if not text:
        return None
    if not text.removeprefix("-").isdigit():
        raise BadRequest(f"{name} must be a whole number, not {text!r}")
    return int(text)


def _moment(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp()) * 10**9
    except ValueError:
        raise BadRequest(f"sinceTime must be a time as in RFC 3339, not {text!r}") from None


def container_status(pod: Object, name: str) -> Object | None:
    status = pod.get("status") or {}
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for each in status.get(kind) or ():
            if each["name"] == name:
                found: Object = each
                return found
    return None


def logged_container_id(pod: Object, name: str, *, previous: bool) -> str:
    """The id of the attempt whose log is meant, by the pod's status. Raises BadRequest, worded as upstream, when there is none."""
    subject = f'container "{name}" in pod "{meta.name(pod)}"'
    status = container_status(pod, name)
    if status is None:
        raise BadRequest(f"{subject} is not available")
    state = status.get("state") or {}
    last = _id((status.get("lastState") or {}).get("terminated"))
    if previous:
        if not last:
            raise BadRequest(f'previous terminated container "{name}" in pod "{meta.name(pod)}" not found')
        return last
    if "running" in state:
        return str(status.get("containerID", "")).rpartition("/")[2]
    if found := _id(state.get("terminated")) or last:
        return found
    if "terminated" in state or "terminated" in (status.get("lastState") or {}):
        raise BadRequest(f"{subject} is terminated")
    reason = (state.get("waiting") or {}).get("reason", "")
    if not state.get("waiting"):
        raise BadRequest(f"{subject} is waiting to start - no logs yet")
    raise BadRequest(f"{subject} is waiting to start: {_IMAGE_WAITS.get(reason, reason)}")


def _id(terminated: Object | None) -> str:
    return str((terminated or {}).get("containerID", "")).rpartition("/")[2]
