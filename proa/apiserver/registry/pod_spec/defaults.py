"""Defaults of pod specs and pod templates, exactly those of the v1 API.

A template gets what `fill_pod_spec` sets; a Pod gets more on top (`fill_pod`): requests from limits, service links, host ports.
"""

from typing import Any

from proa.api.meta import Object
from proa.apiserver.registry.pod_spec.pod_level_resources import fill_pod_level_resources

FILE_MODE = 0o644
TOKEN_EXPIRATION_SECONDS = 3600

Pairs = tuple[tuple[str, Any], ...]
_VOLUME_DEFAULTS: dict[str, Pairs] = {
    "secret": (("defaultMode", FILE_MODE),),
    "configMap": (("defaultMode", FILE_MODE),),
    "downwardAPI": (("defaultMode", FILE_MODE),),
    "projected": (("defaultMode", FILE_MODE),),
    "hostPath": (("type", ""),),
    "iscsi": (("iscsiInterface", "default"),),
    "rbd": (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")),
    "azureDisk": (("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4"), ("readOnly", False)),
    "scaleIO": (("storageMode", "ThinProvisioned"), ("fsType", "xfs")),
}


def fill_pod(pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    fill_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _requests_from_limits(container["resources"])
            if spec.get("hostNetwork"):
                for port in container.get("ports") or ():
                    port["hostPort"] = port.get("hostPort") or port.get("containerPort") or 0
    if "resources" in spec:
        fill_pod_level_resources(spec)


def fill_template(template: Object) -> None:
    template.setdefault("metadata", {})
    fill_pod_spec(template.setdefault("spec", {}))


def fill_pod_spec(spec: Object) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("securityContext", {})
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in spec.get("containers") or ():
        _fill_container(container)
    for container in spec.get("initContainers") or ():
        _fill_container(container)
    for container in spec.get("ephemeralContainers") or ():
        _fill_container(container)
    for volume in spec.get("volumes") or ():
        fill_volume(volume)


def _fill_container(container: Object) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    container.setdefault("resources", {})
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            _fill_field_references(variable["valueFrom"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            fill_probe(container[name])
    if "lifecycle" in container:
        for handler in container["lifecycle"].values():
            if isinstance(handler, dict):
                _fill_http_get(handler)


def pull_policy(image: str) -> str:
    """Always for `latest` (named, or implied where there's no digest), else IfNotPresent."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or (image and not tag and not digest) else "IfNotPresent"


def fill_probe(probe: Object) -> None:
    for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        if not probe.get(field):
            probe[field] = value
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    _fill_http_get(probe)


def _fill_http_get(handler: Object) -> None:
    if "httpGet" in handler:
        request = handler["httpGet"]
        request["path"] = request.get("path") or "/"
        request["scheme"] = request.get("scheme") or "HTTP"


def _fill_field_references(source: Object) -> None:
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "resourceFieldRef" in source:
        source["resourceFieldRef"].setdefault("divisor", "0")


def fill_volume(volume: Object) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
        return
    for kind, source in volume.items():
        if kind in _VOLUME_DEFAULTS and isinstance(source, dict):
            for field, value in _VOLUME_DEFAULTS[kind]:
                source.setdefault(field, value)
    if image := volume.get("image"):
        image["pullPolicy"] = image.get("pullPolicy") or pull_policy(image.get("reference") or "")
    for item in volume.get("downwardAPI", {}).get("items") or ():
        _fill_field_references(item)
    for source in volume.get("projected", {}).get("sources") or ():
        _fill_projection(source)
    if template := volume.get("ephemeral", {}).get("volumeClaimTemplate"):
        template.setdefault("metadata", {})
        template.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _fill_projection(source: Object) -> None:
    if "serviceAccountToken" in source:
        source["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_EXPIRATION_SECONDS)
    for item in source.get("downwardAPI", {}).get("items") or ():
        _fill_field_references(item)


def _requests_from_limits(resources: Object) -> None:
    limits = resources.get("limits")
    if limits:
        requests = resources.setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)
