"""Which pods stand behind a Service and which Services a pod stands behind, without walking all of either.

Both sides are indexed by label pairs: a Service under one pair of its selector, a pod under each of its labels.
"""

from collections.abc import Callable, Iterable

from proa.api import meta
from proa.api.kinds import PODS, SERVICES
from proa.api.meta import Object
from proa.client.informer import InformerFactory
from proa.client.interface import Handlers
from proa.controllers import pods

_UNSELECTED = {"pod-template-hash", "controller-revision-hash"}


def _pairs_of_pod(pod: Object) -> list[str]:
    namespace = meta.namespace(pod)
    return [f"{namespace}/{key}={value}" for key, value in meta.labels(pod).items() if key not in _UNSELECTED]


def _pair_of_service(service: Object) -> list[str]:
    selector = service.get("spec", {}).get("selector") or {}
    key = next((key for key in sorted(selector) if key not in _UNSELECTED), None)
    return [f"{meta.namespace(service)}/{key}={selector[key]}"] if key is not None else [f"{meta.namespace(service)}/"]


class ServicePods:
    """`notify(key)` is called with a Service's key when it, or a pod behind it, changed in a way that endpoints show."""

    def __init__(self, informers: InformerFactory, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self.services = informers.informer(SERVICES, indexers={"selector pair": _pair_of_service})
        self.pods = informers.informer(PODS, indexers={"label pair": _pairs_of_pod})
        self.services.add_handlers(Handlers(add=self._service, update=lambda old, new: self._service(new), delete=self._service))
        self.pods.add_handlers(Handlers(add=self._pod, update=self._pod_updated, delete=self._pod))

    def behind(self, service: Object) -> list[Object]:
        """The pods that the Service selects."""
        wanted = (service["spec"].get("selector") or {}).items()
        (pair,) = _pair_of_service(service)
        candidates: Iterable[Object] = self.pods.lister.by_index("label pair", pair)
        if pair.endswith("/"):
            candidates = self.pods.lister.list(meta.namespace(service))
        return [pod for pod in candidates if wanted <= meta.labels(pod).items()]

    def _service(self, service: Object) -> None:
        self._notify(meta.key(service))

    def _pod(self, pod: Object) -> None:
        labels = meta.labels(pod).items()
        for pair in (*_pairs_of_pod(pod), f"{meta.namespace(pod)}/"):
            for service in self.services.lister.by_index("selector pair", pair):
                selector = service["spec"].get("selector")
                if selector and selector.items() <= labels:
                    self._notify(meta.key(service))

    def _pod_updated(self, old: Object, new: Object) -> None:
        if meta.labels(old) != meta.labels(new):
            self._pod(old)
            self._pod(new)
        elif _shown(old) != _shown(new):
            self._pod(new)


def _shown(pod: Object) -> tuple[object, ...]:
    """What of a pod endpoints show."""
    spec, status = pod.get("spec", {}), pod.get("status", {})
    return (
        pods.is_ready(pod),
        meta.is_terminating(pod),
        pods.is_finished(pod),
        status.get("podIPs"),
        status.get("podIP"),
        spec.get("nodeName"),
        spec.get("hostname"),
        spec.get("subdomain"),
    )


def addresses(pod: Object) -> list[str]:
    status = pod.get("status", {})
    listed = [each["ip"] for each in status.get("podIPs") or ()]
    return listed or ([status["podIP"]] if status.get("podIP") else [])


def is_headless(service: Object) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def families(service: Object) -> list[str]:
    return service["spec"].get("ipFamilies") or ["IPv6" if ":" in (service["spec"].get("clusterIP") or "") else "IPv4"]


def of_family(pod: Object, family: str) -> list[str]:
    return [each for each in addresses(pod) if (":" in each) == (family == "IPv6")]


def target_port(pod: Object, port: Object) -> int | None:
    """The pod's number for a Service port; None if it has no port of that name and protocol."""
    target = port.get("targetPort") or port["port"]
    if not isinstance(target, str):
        return int(target)
    spec, protocol = pod["spec"], port.get("protocol", "TCP")
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        for each in container.get("ports") or ():
            if each.get("name") == target and each.get("protocol", "TCP") == protocol:
                return int(each["containerPort"])
    return None


def hostname(pod: Object, service: Object) -> str:
    """The pod's own name under a Service that is its subdomain."""
    spec = pod["spec"]
    return spec["hostname"] if spec.get("hostname") and spec.get("subdomain") == meta.name(service) else ""


def pod_reference(pod: Object) -> Object:
    return {"kind": "Pod", "namespace": meta.namespace(pod), "name": meta.name(pod), "uid": meta.uid(pod)}
