"""Questions about a pod's spec that several decisions ask: which containers there are, which are sidecars, how long it may take to end."""

from collections.abc import Iterator

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR

DEFAULT_GRACE_SECONDS = 30


def containers(pod: Object) -> list[Object]:
    return list(pod["spec"].get("containers") or [])


def init_containers(pod: Object) -> list[Object]:
    return list(pod["spec"].get("initContainers") or [])


def ephemeral_containers(pod: Object) -> list[Object]:
    return list(pod["spec"].get("ephemeralContainers") or [])


def is_sidecar(container: Object) -> bool:
    """An init container with restartPolicy Always: starts in order, runs as long as the pod."""
    return container.get("restartPolicy") == "Always"


def sidecars(pod: Object) -> list[Object]:
    return [each for each in init_containers(pod) if is_sidecar(each)]


def all_containers(pod: Object) -> Iterator[tuple[str, Object]]:
    """(field path in spec, container), init containers first."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod["spec"].get(kind) or []:
            yield f"spec.{kind}{{{container['name']}}}", container


def field_path(pod: Object, name: str) -> str:
    """`spec.containers{web}`: how events name a container."""
    return next((path for path, each in all_containers(pod) if each["name"] == name), "")


def container(pod: Object, name: str) -> Object | None:
    return next((each for _, each in all_containers(pod) if each["name"] == name), None)


def restart_policy(pod: Object) -> str:
    return str(pod["spec"].get("restartPolicy") or "Always")


def is_host_network(pod: Object) -> bool:
    return bool(pod["spec"].get("hostNetwork"))


def is_static(pod: Object) -> bool:
    return MIRROR in meta.annotations(pod)


def grace_seconds(pod: Object) -> int:
    """The time that deletion grants, else what the spec says."""
    granted = pod["metadata"].get("deletionGracePeriodSeconds")
    if granted is None:
        granted = pod["spec"].get("terminationGracePeriodSeconds")
    return DEFAULT_GRACE_SECONDS if granted is None else max(int(granted), 0)


def is_finished(pod: Object) -> bool:
    """The API already says that no container will run again."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def pod_name(pod: Object) -> str:
    """`name_namespace(uid)`, as upstream's messages name a pod."""
    return f"{meta.name(pod)}_{meta.namespace(pod)}({meta.uid(pod)})"
