# mypy: disable-error-code="untyped-decorator"
"""An operator as people write them with kopf: run by `kopf run`, it knows nothing of proa."""

import os
from typing import Any

import kopf
import kubernetes

GROUP, VERSION, PLURAL = "example.com", "v1", "gardens"


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.persistence.finalizer = "example.com/gardener"
    settings.admission.managed = "gardener.example.com"
    settings.admission.server = kopf.WebhookServer(
        addr="127.0.0.1", host="127.0.0.1", cafile=os.environ["CA"], certfile=os.environ["CERTIFICATE"], pkeyfile=os.environ["KEY"]
    )


@kopf.on.login()
def login(**arguments: Any) -> Any:
    return kopf.login_with_kubeconfig(**arguments)


@kopf.on.validate(GROUP, VERSION, PLURAL)
def not_too_large(spec: kopf.Spec, warnings: list[str], **_: Any) -> None:
    if spec["size"] > 5:
        raise kopf.AdmissionError("gardens have at most five beds")
    if spec["size"] == 5:
        warnings.append("this is a large garden")


@kopf.on.mutate(GROUP, VERSION, PLURAL)
def paint(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    if "color" not in spec:
        patch.spec["color"] = "green"


def core() -> kubernetes.client.CoreV1Api:
    return kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config())


@kopf.on.create(GROUP, VERSION, PLURAL)
def plant(name: str, namespace: str, spec: kopf.Spec, **_: Any) -> dict[str, Any]:
    bed: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-bed"},
        "data": {"size": str(spec["size"])},
    }
    kopf.adopt(bed)
    core().create_namespaced_config_map(namespace, bed)
    return {"planted": spec["size"]}


@kopf.on.update(GROUP, VERSION, PLURAL, field="spec.size")
def grow(old: int, new: int, patch: kopf.Patch, **_: Any) -> None:
    patch.status["grown"] = f"{old} to {new}"


@kopf.timer(GROUP, VERSION, PLURAL, interval=0.3)
def tick(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = status.get("ticks", 0) + 1


@kopf.on.delete(GROUP, VERSION, PLURAL)
def harvest(name: str, namespace: str, **_: Any) -> None:
    core().create_namespaced_config_map(namespace, {"metadata": {"name": f"{name}-harvest"}})
