"""The order in which a write passes admission: first every plugin may change it, then every plugin may refuse it. Source: kube-apiserver's
AllOrderedPlugins; a plugin of ours that it does not have says in its own file why it stands where it stands.
"""

from collections.abc import Sequence

from proa.apiserver.admission.default_toleration_seconds import DefaultTolerationSeconds
from proa.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from proa.apiserver.admission.node_restriction import NodeRestriction
from proa.apiserver.admission.priority import Priority
from proa.apiserver.admission.privilege_escalation import PrivilegeEscalation
from proa.apiserver.admission.service_account import ServiceAccount
from proa.apiserver.admission.taint_nodes_by_condition import TaintNodesByCondition
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import AdmissionPlugin, Attributes, Authorizer, ObjectReader, ObjectWriter
from proa.lib.clock import Clock, SystemClock

ORDER = (
    "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "NodeRestriction", "TaintNodesByCondition", "PodSecurity", "Priority",
    "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection", "PersistentVolumeClaimResize", "RuntimeClass",
    "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction", "DefaultIngressClass", "PodTopologyLabels",
    "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook", "ResourceQuota",
    "RBACPrivilegeEscalation",
)  # fmt: skip
"""Where each plugin of upstream's default set stands, those included that are still to come."""


def build_admission(
    reader: ObjectReader, writer: ObjectWriter, config: ApiServerConfig, authorizer: Authorizer, clock: Clock | None = None
) -> list[AdmissionPlugin]:
    plugins: list[AdmissionPlugin] = [
        NamespaceLifecycle(reader),
        ServiceAccount(reader, clock or SystemClock()),
        NodeRestriction(reader),
        TaintNodesByCondition(),
        Priority(reader),
        DefaultTolerationSeconds(),
        PrivilegeEscalation(reader, authorizer),
    ]
    return sorted(plugins, key=lambda plugin: ORDER.index(plugin.name))


class AdmissionChain:
    """All plugins as one."""

    def __init__(self, plugins: Sequence[AdmissionPlugin]) -> None:
        self._plugins = plugins

    async def admit(self, attributes: Attributes) -> None:
        for plugin in self._plugins:
            await plugin.admit(attributes)

    async def validate(self, attributes: Attributes) -> None:
        for plugin in self._plugins:
            await plugin.validate(attributes)
