"""The order in which a write passes admission: first every plugin may change it, then every plugin may refuse it. Source: kube-apiserver's
AllOrderedPlugins; a plugin of ours that it does not have says in its own file why it stands where it stands.

A plugin that does nothing in a round, or nothing for a resource, is not asked: most writes meet a handful of the two dozen.
"""

from collections.abc import Iterator, Sequence

from proa.api.resource import ResourceId
from proa.apiserver.admission.certificate_approval import CertificateApproval
from proa.apiserver.admission.certificate_signing import CertificateSigning
from proa.apiserver.admission.certificate_subject_restriction import CertificateSubjectRestriction
from proa.apiserver.admission.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from proa.apiserver.admission.default_ingress_class import DefaultIngressClass
from proa.apiserver.admission.default_storage_class import DefaultStorageClass
from proa.apiserver.admission.default_toleration_seconds import DefaultTolerationSeconds
from proa.apiserver.admission.limit_ranger import LimitRanger
from proa.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from proa.apiserver.admission.node_restriction import NodeRestriction
from proa.apiserver.admission.owner_references_permission_enforcement import OwnerReferencesPermissionEnforcement
from proa.apiserver.admission.persistent_volume_claim_resize import PersistentVolumeClaimResize
from proa.apiserver.admission.pod_security.admission import PodSecurity
from proa.apiserver.admission.pod_topology_labels import PodTopologyLabels
from proa.apiserver.admission.policy.configuration import AdmissionConfiguration
from proa.apiserver.admission.policy.validating import ValidatingAdmissionPolicy
from proa.apiserver.admission.priority import Priority
from proa.apiserver.admission.privilege_escalation import PrivilegeEscalation
from proa.apiserver.admission.resource_quota.admission import ResourceQuota
from proa.apiserver.admission.runtime_class import RuntimeClass
from proa.apiserver.admission.service_account import ServiceAccount
from proa.apiserver.admission.shown import Served
from proa.apiserver.admission.storage_object_in_use_protection import StorageObjectInUseProtection
from proa.apiserver.admission.taint_nodes_by_condition import TaintNodesByCondition
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.mutating import MutatingAdmissionWebhook
from proa.apiserver.admission.webhook.validating import ValidatingAdmissionWebhook
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import AdmissionPlugin, Attributes, Authorizer, ObjectReader, ObjectWriter, PassiveAdmission
from proa.lib.clock import Clock, SystemClock

ORDER = (
    "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "NodeRestriction", "TaintNodesByCondition", "PodSecurity", "Priority",
    "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection", "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning", "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction", "DefaultIngressClass", "PodTopologyLabels", "MutatingAdmissionPolicy", "MutatingAdmissionWebhook",
    "AdmissionConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook", "ResourceQuota", "RBACPrivilegeEscalation",
)  # fmt: skip
"""Where each plugin of upstream's default set stands, those included that are still to come."""

OFF_BY_DEFAULT = frozenset({"OwnerReferencesPermissionEnforcement", "StorageObjectInUseProtection"})
"""The first as upstream; the second until there are controllers that take its finalizers off again, or nothing could be deleted."""


def build_admission(
    reader: ObjectReader,
    writer: ObjectWriter,
    config: ApiServerConfig,
    authorizer: Authorizer,
    clock: Clock | None = None,
    served: Served | None = None,
) -> list[AdmissionPlugin]:
    """All plugins that are on, in order. `served` is looked at when requests come: it may be filled later."""
    known: Served = served if served is not None else {}
    webhooks = WebhookClient(reader)
    plugins: list[AdmissionPlugin] = [
        NamespaceLifecycle(reader),
        LimitRanger(reader),
        ServiceAccount(reader, clock or SystemClock()),
        NodeRestriction(reader),
        TaintNodesByCondition(),
        PodSecurity(reader),
        Priority(reader),
        DefaultTolerationSeconds(),
        DefaultStorageClass(reader),
        StorageObjectInUseProtection(),
        OwnerReferencesPermissionEnforcement(authorizer, lambda version, kind: _resources_of(known, version, kind)),
        PersistentVolumeClaimResize(reader),
        RuntimeClass(reader),
        CertificateApproval(authorizer),
        CertificateSigning(authorizer),
        ClusterTrustBundleAttest(authorizer),
        CertificateSubjectRestriction(),
        DefaultIngressClass(reader),
        PodTopologyLabels(reader),
        MutatingAdmissionWebhook(reader, known, webhooks),
        AdmissionConfiguration(),
        ValidatingAdmissionPolicy(reader, known),
        ValidatingAdmissionWebhook(reader, known, webhooks),
        ResourceQuota(reader, writer, clock or SystemClock()),
        PrivilegeEscalation(reader, authorizer),
    ]
    on = [plugin for plugin in plugins if is_on(plugin.name, config)]
    return sorted(on, key=lambda plugin: ORDER.index(plugin.name))


def is_on(name: str, config: ApiServerConfig) -> bool:
    if name in config.disable_admission_plugins:
        return False
    return name not in OFF_BY_DEFAULT or name in config.enable_admission_plugins


def _resources_of(served: Served, api_version: str, kind: str) -> Iterator[ResourceId]:
    return (each.resource.id for each in served.values() if (each.resource.id.api_version, each.resource.id.kind) == (api_version, kind))


class AdmissionChain:
    """All plugins as one."""

    def __init__(self, plugins: Sequence[AdmissionPlugin]) -> None:
        self._admitting = [each for each in plugins if _acts(each, "admit")]
        self._validating = [each for each in plugins if _acts(each, "validate")]
        self._by_resource: dict[tuple[str, str], tuple[list[AdmissionPlugin], list[AdmissionPlugin]]] = {}

    def _plugins(self, resource: tuple[str, str]) -> tuple[list[AdmissionPlugin], list[AdmissionPlugin]]:
        found = self._by_resource.get(resource)
        if found is None:
            found = _asked(self._admitting, resource), _asked(self._validating, resource)
            self._by_resource[resource] = found
        return found

    async def admit(self, attributes: Attributes) -> None:
        """A webhook that changed the object causes a second round, so that all see the outcome."""
        plugins = self._plugins(attributes.group_resource)[0]
        for plugin in plugins:
            await plugin.admit(attributes)
        state = attributes.reinvocation
        if state is not None and state.wanted:
            state.second_round = True
            for plugin in plugins:
                await plugin.admit(attributes)

    async def validate(self, attributes: Attributes) -> None:
        for plugin in self._plugins(attributes.group_resource)[1]:
            await plugin.validate(attributes)

    async def close(self) -> None:
        """Let go of the connections that plugins keep."""
        for plugin in {id(each): each for each in (*self._admitting, *self._validating)}.values():
            closing = getattr(plugin, "close", None)
            if closing is not None:
                await closing()


def _acts(plugin: AdmissionPlugin, stage: str) -> bool:
    return getattr(type(plugin), stage) is not getattr(PassiveAdmission, stage)


def _asked(plugins: Sequence[AdmissionPlugin], resource: tuple[str, str]) -> list[AdmissionPlugin]:
    limits = [(plugin, getattr(plugin, "resources", None)) for plugin in plugins]
    return [plugin for plugin, resources in limits if resources is None or resource in resources]
