"""Probes and lifecycle handlers of a container."""

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import http_header_name
from proa.apiserver.registry.checks import check_port, not_negative

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SCHEMES = ("HTTP", "HTTPS")
_SECONDS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_LINUX_SIGNALS = (
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT",
    "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
    "RTMIN", *(f"RTMIN+{number}" for number in range(1, 16)), *(f"RTMAX-{number}" for number in range(1, 15)), "RTMAX",
)  # fmt: skip
_SIGNALS = {"windows": ("SIGKILL", "SIGTERM"), "linux": tuple(f"SIG{name}" for name in _LINUX_SIGNALS)}


def validate_probe(probe: Object, path: str, *, must_succeed_once: bool) -> list[Cause]:
    causes = _validate_handler(probe, path, 0)
    for field in _SECONDS:
        value = probe.get(field)
        if value is not None and value < 0:
            causes += not_negative(f"{path}.{field}", value)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        causes.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if must_succeed_once and probe.get("successThreshold", 1) != 1:
        causes.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    if grace is not None and not must_succeed_once:
        causes.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"))
    return causes


def validate_lifecycle(lifecycle: Object, path: str, grace_period: int, system: Object | None) -> list[Cause]:
    causes: list[Cause] = []
    for name in ("postStart", "preStop"):
        if name in lifecycle:
            causes += _validate_handler(lifecycle[name], f"{path}.{name}", grace_period)
    if (signal := lifecycle.get("stopSignal")) is not None:
        causes += _validate_stop_signal(signal, f"{path}.stopSignal", system)
    return causes


def _validate_stop_signal(signal: str, path: str, system: Object | None) -> list[Cause]:
    if system is None:
        return [forbidden(path, "may not be set for containers with empty `spec.os.name`")]
    known = _SIGNALS.get(system.get("name") or "")
    return [not_supported(path, signal, known)] if known and signal not in known else []


def _validate_handler(handler: Object, path: str, grace_period: int) -> list[Cause]:
    given = [kind for kind in _HANDLERS if kind in handler]
    if not given:
        return [required(path, "must specify a handler type")]
    kind, action = given[0], handler[given[0]]
    own = f"{path}.{kind}"
    causes: list[Cause] = []
    if kind == "exec" and not action.get("command"):
        causes.append(required(f"{own}.command"))
    elif kind == "httpGet":
        causes += _validate_http_get(action, own)
    elif kind in ("tcpSocket", "grpc"):
        causes += check_port(f"{own}.port", action.get("port"))
    elif kind == "sleep":
        causes += _validate_sleep(action, own, grace_period)
    return causes + [forbidden(f"{path}.{extra}", "may not specify more than 1 handler type") for extra in given[1:]]


def _validate_sleep(action: Object, path: str, grace_period: int) -> list[Cause]:
    seconds = action.get("seconds") or 0
    if 0 <= seconds <= grace_period:
        return []
    return [invalid(path, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace_period})")]


def _validate_http_get(action: Object, path: str) -> list[Cause]:
    causes = [] if action.get("path") else [required(f"{path}.path")]
    causes += check_port(f"{path}.port", action.get("port"))
    scheme = action.get("scheme") or ""
    if scheme not in _SCHEMES:
        causes.append(not_supported(f"{path}.scheme", scheme, _SCHEMES))
    for header in action.get("httpHeaders") or ():
        name = header.get("name", "")
        causes += [invalid(f"{path}.httpHeaders", name, problem) for problem in http_header_name(name)]
    return causes
