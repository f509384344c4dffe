"""Who and what Pod Security leaves alone: users, namespaces and runtime classes of the PodSecurityConfiguration."""

from proa.api.meta import Object
from proa.apiserver.interface import Attributes
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Exemptions:
    usernames: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()

    def reason(self, attributes: Attributes) -> str:
        """What the audit log says; empty if the request is not exempt."""
        if self.namespace(attributes.namespace):
            return "namespace"
        return "user" if attributes.user.name in self.usernames else ""

    def namespace(self, name: str) -> bool:
        return name in self.namespaces

    def runtime_class(self, spec: Object) -> bool:
        return spec.get("runtimeClassName") in self.runtime_classes
