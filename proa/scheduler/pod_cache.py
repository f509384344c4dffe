"""What of a pod the scheduler keeps in memory: all of a pod that waits for a node, and of the others what they weigh."""

from proa.api.meta import Object

_METADATA = ("name", "namespace", "uid", "resourceVersion", "labels", "deletionTimestamp")
_SPEC = ("nodeName", "priority", "overhead", "resources", "affinity", "schedulerName")
_STATUS = ("phase", "startTime", "nominatedNodeName")


def slim(pod: Object) -> Object:
    """The transform of the informer's cache. Never write such a pod back; patch it."""
    pod["metadata"].pop("managedFields", None)
    spec, status = pod["spec"], pod.get("status") or {}
    if not spec.get("nodeName"):
        return pod
    kept_spec = _kept(spec, _SPEC) | {"containers": _containers(spec["containers"])}
    if init_containers := spec.get("initContainers"):
        kept_spec["initContainers"] = _containers(init_containers)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _kept(pod["metadata"], _METADATA),
        "spec": kept_spec,
        "status": _kept(status, _STATUS),
    }


def _containers(containers: list[Object]) -> list[Object]:
    return [_kept(each, ("resources", "restartPolicy")) | _host_ports(each) for each in containers]


def _host_ports(container: Object) -> Object:
    ports = [port for port in container.get("ports") or () if port.get("hostPort")]
    return {"ports": ports} if ports else {}


def _kept(section: Object, fields: tuple[str, ...]) -> Object:
    return {field: section[field] for field in fields if section.get(field)}
