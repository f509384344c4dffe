"""The node selector of a namespace is added to its pods; some namespaces may only use the labels that the configuration lists for them."""

from collections.abc import Mapping

from proa.api import meta
from proa.api.errors import NotFound
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector"
DEFAULT = "clusterDefaultNodeSelector"
Selectors = Mapping[str, str]


class PodNodeSelector(PassiveAdmission):
    name = "PodNodeSelector"
    resources = frozenset({("", "pods")})

    def __init__(self, reader: ObjectReader, selectors: Mapping[str, str]) -> None:
        """`selectors` of the configuration file: the default, and what the pods of a namespace may use."""
        self._reader, self._selectors = reader, selectors

    async def admit(self, attributes: Attributes) -> None:
        if _is_ignored(attributes) or attributes.object is None:
            return
        wanted = self._of_namespace(attributes)
        spec = attributes.object.setdefault("spec", {})
        own = spec.get("nodeSelector") or {}
        if any(own.get(key, value) != value for key, value in wanted.items()):
            raise refuse(attributes, "pod node label selector conflicts with its namespace node label selector")
        if wanted or own:
            spec["nodeSelector"] = {**wanted, **own}

    async def validate(self, attributes: Attributes) -> None:
        if _is_ignored(attributes) or attributes.object is None:
            return
        wanted = self._of_namespace(attributes)
        own = (attributes.object.get("spec") or {}).get("nodeSelector") or {}
        if any(own.get(key, value) != value for key, value in wanted.items()):
            raise refuse(attributes, "pod node label selector conflicts with its namespace node label selector")
        allowed = parse_selector(self._selectors.get(attributes.namespace, ""))
        if allowed and any(allowed.get(key) != value for key, value in own.items()):
            raise refuse(attributes, "pod node label selector labels conflict with its namespace whitelist")

    def _of_namespace(self, attributes: Attributes) -> Selectors:
        namespace = self._reader.get("", "namespaces", attributes.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", attributes.namespace)
        return parse_selector(meta.annotations(namespace).get(ANNOTATION, self._selectors.get(DEFAULT, "")))


def _is_ignored(attributes: Attributes) -> bool:
    return bool(attributes.subresource) or attributes.operation != "CREATE"


def parse_selector(text: str) -> dict[str, str]:
    """`a=b,c=d`."""
    pairs = (each.partition("=") for each in text.split(",") if each.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}
