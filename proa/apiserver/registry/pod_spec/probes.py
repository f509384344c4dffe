"""Probes and lifecycle handlers of a container."""

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import http_header_name
from proa.apiserver.registry.checks import check_choice, check_port, not_negative

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SECONDS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def validate_probe(probe: Object, path: str, *, must_succeed_once: bool) -> list[Cause]:
    causes = _validate_handler(probe, path)
    for field in _SECONDS:
        value = probe.get(field)
        if value is not None and value < 0:
            causes += not_negative(f"{path}.{field}", value)
    if must_succeed_once and probe.get("successThreshold", 1) != 1:
        causes.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        causes.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if grace is not None and not must_succeed_once:
        causes.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"))
    return causes


def validate_lifecycle(lifecycle: Object, path: str, grace_period: int) -> list[Cause]:
    causes: list[Cause] = []
    for name in ("postStart", "preStop"):
        if name in lifecycle:
            causes += _validate_handler(lifecycle[name], f"{path}.{name}")
            causes += _validate_sleep(lifecycle[name].get("sleep"), f"{path}.{name}.sleep", grace_period)
    return causes


def _validate_sleep(action: Object | None, path: str, grace_period: int) -> list[Cause]:
    seconds = (action or {}).get("seconds") or 0
    if 0 <= seconds <= grace_period:
        return []
    return [invalid(path, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace_period})")]


def _validate_handler(handler: Object, path: str) -> list[Cause]:
    given = [kind for kind in _HANDLERS if kind in handler]
    if not given:
        return [required(path, "must specify a handler type")]
    causes = [forbidden(f"{path}.{extra}", "may not specify more than 1 handler type") for extra in given[1:]]
    kind, action = given[0], handler[given[0]]
    own = f"{path}.{kind}"
    if kind == "exec" and not action.get("command"):
        causes.append(required(f"{own}.command"))
    elif kind == "httpGet":
        causes += _validate_http_get(action, own)
    elif kind in ("tcpSocket", "grpc"):
        causes += check_port(f"{own}.port", action.get("port"))
    return causes


def _validate_http_get(action: Object, path: str) -> list[Cause]:
    causes = [] if action.get("path") else [required(f"{path}.path")]
    causes += check_port(f"{path}.port", action.get("port"))
    causes += check_choice(f"{path}.scheme", action.get("scheme"), ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name", "")
        causes += [invalid(f"{path}.httpHeaders", name, problem) for problem in http_header_name(name)]
    return causes
