"""What the statuses of containers say of their users (KEP-3619) and of the health of their devices (KEP-4680)."""

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.apiserver.registry.checks import within
from proa.apiserver.registry.pod_spec.security import MAX_ID

_LISTS = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
MAX_MESSAGE = 1024
_CLAIM = "claim:"
_NO_CLAIM = (
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
)


def check_users(status: Object, spec: Object) -> list[Cause]:
    windows = (spec.get("os") or {}).get("name") == "windows"
    causes: list[Cause] = []
    for field in _LISTS:
        for index, each in enumerate(status.get(field) or ()):
            user, path = (each.get("user") or {}).get("linux"), f"status.{field}[{index}].user.linux"
            if user is None:
                continue
            causes += [forbidden(path, "cannot be set for a windows pod")] if windows else _check_user(user, path)
    return causes


def _check_user(user: Object, path: str) -> list[Cause]:
    causes = within(f"{path}.uid", user.get("uid"), 0, MAX_ID) + within(f"{path}.gid", user.get("gid"), 0, MAX_ID)
    for index, group in enumerate(user.get("supplementalGroups") or ()):
        causes += within(f"{path}.supplementalGroups[{index}]", group, 0, MAX_ID)
    return causes


def check_allocated_resources(status: Object, spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    for field in ("containers", "initContainers"):
        list_name = f"{field[:-1]}Statuses"
        for index, each in enumerate(status.get(list_name) or ()):
            if not each.get("allocatedResourcesStatus"):
                continue
            container = next((known for known in spec.get(field) or () if known.get("name") == each.get("name")), None)
            path = f"status.{list_name}[{index}].allocatedResourcesStatus"
            for number, allocated in enumerate(each["allocatedResourcesStatus"]):
                causes += _check_allocated(allocated, container, f"{path}[{number}]")
    detail = "must not be specified in container status"
    for index, each in enumerate(status.get("ephemeralContainerStatuses") or ()):
        if each.get("allocatedResourcesStatus"):
            causes.append(forbidden(f"status.ephemeralContainerStatuses[{index}].allocatedResourcesStatus", detail))
    return causes


def _check_allocated(allocated: Object, container: Object | None, path: str) -> list[Cause]:
    name = allocated.get("name") or ""
    causes: list[Cause] = []
    if container is not None:
        resources = container.get("resources") or {}
        if name.startswith(_CLAIM):
            if name not in {_claim(each) for each in resources.get("claims") or ()}:
                causes.append(invalid(f"{path}.name", name, _NO_CLAIM))
        elif name not in (resources.get("requests") or {}):
            causes.append(invalid(f"{path}.name", name, "must match one of the container's resource requests"))
    seen: set[str] = set()
    for index, resource in enumerate(allocated.get("resources") or ()):
        causes += _check_health(resource, seen, f"{path}.resources[{index}]")
    return causes


def _claim(claim: Object) -> str:
    return f"{_CLAIM}{claim.get('name', '')}" + (f"/{claim['request']}" if claim.get("request") else "")


def _check_health(resource: Object, seen: set[str], path: str) -> list[Cause]:
    health, message, own = resource.get("health") or "", resource.get("message"), resource.get("resourceID") or ""
    causes = [] if health in _HEALTH else [not_supported(f"{path}.health", health, _HEALTH)]
    if message == "":
        causes.append(required(f"{path}.message", "must be non-empty if specified"))
    elif message is not None and len(message.encode()) > MAX_MESSAGE:
        causes.append(too_long(f"{path}.message", MAX_MESSAGE))
    if own in seen:
        causes.append(duplicate(f"{path}.resourceID", own))
    seen.add(own)
    return causes
