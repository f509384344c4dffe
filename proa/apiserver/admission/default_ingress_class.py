"""An Ingress that names no class gets the default one. With several defaults, the newest, the first by name among equals."""

from proa.api import meta
from proa.apiserver.admission.default_storage_class import newest_default
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

GROUP = "networking.k8s.io"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"


class DefaultIngressClass(PassiveAdmission):
    name = "DefaultIngressClass"
    resources = frozenset({(GROUP, "ingresses")})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        ingress = attributes.object
        if attributes.operation != "CREATE" or attributes.subresource or ingress is None:
            return
        spec = ingress.setdefault("spec", {})
        if spec.get("ingressClassName") is not None or CLASS_ANNOTATION in meta.annotations(ingress):
            return
        default = newest_default(self._reader.list(GROUP, "ingressclasses"), DEFAULT)
        if default is not None:
            spec["ingressClassName"] = meta.name(default)
