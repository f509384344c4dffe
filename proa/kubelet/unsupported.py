"""Which fields of a pod this node agent can not honour. Such a pod fails with an event that names them: nothing is silently left out."""

from collections.abc import Iterator

from proa.api.meta import Object
from proa.kubelet.cri.runtime import RuntimeHandler

VOLUME_SOURCES = ("emptyDir", "configMap", "secret", "projected", "downwardAPI", "hostPath")
PROJECTED_SOURCES = ("serviceAccountToken", "configMap", "secret", "downwardAPI", "clusterTrustBundle", "podCertificate")
EMPTY_DIR_MEDIA = (None, "", "Memory")


def unsupported_fields(pod: Object, handler: RuntimeHandler) -> list[str]:
    """Field paths, in the order of the spec; empty when everything can be done."""
    return [*_of_pod(pod["spec"]), *_of_volumes(pod["spec"]), *_of_containers(pod["spec"], handler)]


def _of_pod(spec: Object) -> Iterator[str]:
    if spec.get("hostUsers") is False:
        yield "spec.hostUsers"
    if spec.get("resourceClaims"):
        yield "spec.resourceClaims"
    if (spec.get("os") or {}).get("name", "linux") != "linux":
        yield "spec.os.name"
    context = spec.get("securityContext") or {}
    if context.get("windowsOptions"):
        yield "spec.securityContext.windowsOptions"
    if context.get("supplementalGroupsPolicy", "Merge") != "Merge":
        yield "spec.securityContext.supplementalGroupsPolicy"
    if context.get("seLinuxChangePolicy", "MountOption") == "Recursive" and context.get("seLinuxOptions"):
        yield "spec.securityContext.seLinuxChangePolicy"


def _of_volumes(spec: Object) -> Iterator[str]:
    for index, volume in enumerate(spec.get("volumes") or []):
        path = f"spec.volumes[{index}]"
        sources = [name for name, value in volume.items() if name != "name" and value is not None]
        yield from (f"{path}.{name}" for name in sources if name not in VOLUME_SOURCES)
        if (volume.get("emptyDir") or {}).get("medium") not in EMPTY_DIR_MEDIA:
            yield f"{path}.emptyDir.medium"
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or []):
            yield from (f"{path}.projected.sources[{number}].{name}" for name in source if name not in PROJECTED_SOURCES)


def _of_containers(spec: Object, handler: RuntimeHandler) -> Iterator[str]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or []):
            yield from (f"spec.{kind}[{index}].{field}" for field in _of_container(container, handler))


def _of_container(container: Object, handler: RuntimeHandler) -> Iterator[str]:
    if container.get("volumeDevices"):
        yield "volumeDevices"
    if (container.get("resources") or {}).get("claims"):
        yield "resources.claims"
    if (container.get("securityContext") or {}).get("windowsOptions"):
        yield "securityContext.windowsOptions"
    if (container.get("lifecycle") or {}).get("stopSignal"):
        yield "lifecycle.stopSignal"
    for number, entry in enumerate(container.get("env") or []):
        if (entry.get("valueFrom") or {}).get("fileKeyRef"):
            yield f"env[{number}].valueFrom.fileKeyRef"
    for number, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("recursiveReadOnly") == "Enabled" and not handler.recursive_read_only_mounts:
            yield f"volumeMounts[{number}].recursiveReadOnly"


def rejection(pod: Object, handler: RuntimeHandler) -> tuple[str, str] | None:
    """(reason, message) with which the pod fails, None if it can run."""
    fields = unsupported_fields(pod, handler)
    if not fields:
        return None
    plural = "s" if len(fields) > 1 else ""
    return "UnsupportedField", f"Pod was rejected: field{plural} not supported by this node agent: {', '.join(fields)}"
