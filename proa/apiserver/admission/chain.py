"""The order in which a write passes admission: first every plugin may change it, then every plugin may refuse it. Source: kube-apiserver's
AllOrderedPlugins; a plugin of ours that it does not have says in its own file why it stands where it stands.

A plugin that does nothing in a round, or nothing for a resource, is not asked: most writes meet a handful of the two dozen.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import perf_counter

from proa.api.resource import ResourceId
from proa.apiserver.admission.always_pull_images import AlwaysPullImages
from proa.apiserver.admission.certificate_approval import CertificateApproval
from proa.apiserver.admission.certificate_signing import CertificateSigning
from proa.apiserver.admission.certificate_subject_restriction import CertificateSubjectRestriction
from proa.apiserver.admission.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from proa.apiserver.admission.default_ingress_class import DefaultIngressClass
from proa.apiserver.admission.default_storage_class import DefaultStorageClass
from proa.apiserver.admission.default_toleration_seconds import DefaultTolerationSeconds
from proa.apiserver.admission.deny_service_external_ips import DenyServiceExternalIPs
from proa.apiserver.admission.event_rate_limit import EventRateLimit
from proa.apiserver.admission.extended_resource_toleration import ExtendedResourceToleration
from proa.apiserver.admission.limit_pod_hard_anti_affinity_topology import LimitPodHardAntiAffinityTopology
from proa.apiserver.admission.limit_ranger import LimitRanger
from proa.apiserver.admission.metrics import ADMIT, VALIDATE, AdmissionMetrics
from proa.apiserver.admission.namespace_existence import NamespaceAutoProvision, NamespaceExists
from proa.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from proa.apiserver.admission.node_restriction import NodeRestriction
from proa.apiserver.admission.owner_references_permission_enforcement import OwnerReferencesPermissionEnforcement
from proa.apiserver.admission.persistent_volume_claim_resize import PersistentVolumeClaimResize
from proa.apiserver.admission.pod_node_selector import PodNodeSelector
from proa.apiserver.admission.pod_security.admission import PodSecurity
from proa.apiserver.admission.pod_toleration_restriction import PodTolerationRestriction
from proa.apiserver.admission.pod_topology_labels import PodTopologyLabels
from proa.apiserver.admission.policy.mutating import MutatingAdmissionPolicy
from proa.apiserver.admission.policy.validating import ValidatingAdmissionPolicy
from proa.apiserver.admission.policy_parameter_permission import PolicyParameterPermission
from proa.apiserver.admission.priority import Priority
from proa.apiserver.admission.privilege_escalation import PrivilegeEscalation
from proa.apiserver.admission.resource_quota.admission import ResourceQuota
from proa.apiserver.admission.runtime_class import RuntimeClass
from proa.apiserver.admission.service_account import ServiceAccount
from proa.apiserver.admission.settings import AdmissionSettings, read_settings
from proa.apiserver.admission.shown import Served
from proa.apiserver.admission.storage_object_in_use_protection import StorageObjectInUseProtection
from proa.apiserver.admission.taint_nodes_by_condition import TaintNodesByCondition
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.mutating import MutatingAdmissionWebhook
from proa.apiserver.admission.webhook.validating import ValidatingAdmissionWebhook
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import AdmissionPlugin, Attributes, Authorizer, ObjectReader, ObjectWriter, PassiveAdmission
from proa.lib.clock import Clock, SystemClock
from proa.lib.dataclass import dataclass
from proa.lib.metrics import Registry, Series

ORDER = (
    "NamespaceAutoProvision", "NamespaceLifecycle", "NamespaceExists", "LimitPodHardAntiAffinityTopology", "LimitRanger", "ServiceAccount",
    "NodeRestriction", "TaintNodesByCondition", "AlwaysPullImages", "PodSecurity", "PodNodeSelector", "Priority",
    "DefaultTolerationSeconds", "PodTolerationRestriction", "EventRateLimit", "ExtendedResourceToleration", "DefaultStorageClass",
    "StorageObjectInUseProtection", "OwnerReferencesPermissionEnforcement", "PersistentVolumeClaimResize", "RuntimeClass",
    "CertificateApproval", "CertificateSigning", "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass",
    "DenyServiceExternalIPs", "PodTopologyLabels", "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook", "ResourceQuota", "RBACPrivilegeEscalation", "PolicyParameterPermission",
)  # fmt: skip
"""Where each plugin stands."""

OFF_BY_DEFAULT = frozenset(
    {
        "AlwaysPullImages", "DenyServiceExternalIPs", "EventRateLimit", "ExtendedResourceToleration", "LimitPodHardAntiAffinityTopology",
        "NamespaceAutoProvision", "NamespaceExists", "OwnerReferencesPermissionEnforcement", "PodNodeSelector", "PodTolerationRestriction",
    }
)  # fmt: skip
"""As upstream."""


def build_admission(
    reader: ObjectReader,
    writer: ObjectWriter,
    config: ApiServerConfig,
    authorizer: Authorizer,
    clock: Clock | None = None,
    served: Served | None = None,
    metrics: AdmissionMetrics | None = None,
) -> list[AdmissionPlugin]:
    """All plugins that are on, in order. `served` is looked at when requests come: it may be filled later."""
    _check_names(config)
    known: Served = served if served is not None else {}
    settings, time = read_settings(config.admission_control_config_file), clock or SystemClock()
    counts = metrics or AdmissionMetrics(Registry())
    plugins = [
        *_of_kinds(reader, writer, authorizer, settings, time, known),
        *_of_all(reader, writer, authorizer, settings, time, known, counts),
    ]
    on = [plugin for plugin in plugins if is_on(plugin.name, config)]
    return sorted(on, key=lambda plugin: ORDER.index(plugin.name))


def _of_kinds(
    reader: ObjectReader, writer: ObjectWriter, authorizer: Authorizer, settings: AdmissionSettings, time: Clock, known: Served
) -> list[AdmissionPlugin]:
    """What the server itself asks of some kinds."""
    return [
        NamespaceAutoProvision(reader, writer),
        NamespaceLifecycle(reader),
        NamespaceExists(reader),
        LimitPodHardAntiAffinityTopology(),
        LimitRanger(reader),
        ServiceAccount(reader, time),
        NodeRestriction(reader, authorizer),
        TaintNodesByCondition(),
        AlwaysPullImages(),
        PodSecurity(reader, settings.pod_security, settings.exemptions),
        PodNodeSelector(reader, settings.node_selectors),
        Priority(reader),
        DefaultTolerationSeconds(),
        PodTolerationRestriction(reader, settings.default_tolerations, settings.allowed_tolerations),
        EventRateLimit(settings.event_limits, time),
        ExtendedResourceToleration(),
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
        DenyServiceExternalIPs(),
        PodTopologyLabels(reader),
        PrivilegeEscalation(reader, authorizer),
        PolicyParameterPermission(reader, known, authorizer),
    ]


def _of_all(
    reader: ObjectReader,
    writer: ObjectWriter,
    authorizer: Authorizer,
    settings: AdmissionSettings,
    time: Clock,
    known: Served,
    metrics: AdmissionMetrics,
) -> list[AdmissionPlugin]:
    """What users may ask of any kind: policies, webhooks, quotas."""
    return [
        MutatingAdmissionPolicy(reader, known, authorizer),
        MutatingAdmissionWebhook(reader, known, WebhookClient(reader, settings.mutating_credentials), authorizer, metrics),
        ValidatingAdmissionPolicy(reader, known, authorizer),
        ValidatingAdmissionWebhook(reader, known, WebhookClient(reader, settings.validating_credentials), authorizer, metrics),
        ResourceQuota(reader, writer, time, settings.limited),
    ]


def _check_names(config: ApiServerConfig) -> None:
    """Raises ValueError: a switch for what does not exist would be heeded by nobody."""
    for flag, names in (("enable", config.enable_admission_plugins), ("disable", config.disable_admission_plugins)):
        for name in names:
            if name not in ORDER:
                raise ValueError(f'{flag}-admission-plugins plugin "{name}" is unknown')
    for name in config.enable_admission_plugins:
        if name in config.disable_admission_plugins:
            raise ValueError(f"{name} in enable-admission-plugins and disable-admission-plugins overlapped")


def is_on(name: str, config: ApiServerConfig) -> bool:
    if name in config.disable_admission_plugins:
        return False
    return name not in OFF_BY_DEFAULT or name in config.enable_admission_plugins


def _resources_of(served: Served, api_version: str, kind: str) -> Iterator[ResourceId]:
    return (each.resource.id for each in served.values() if (each.resource.id.api_version, each.resource.id.kind) == (api_version, kind))


Asked = tuple[str, Callable[[Attributes], Awaitable[None]], Series]
"""The name of a plugin, what it is asked, and where the time of that is counted."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round asks about one kind and operation."""

    step: str
    asked: tuple[Asked, ...]
    total: Series


class AdmissionChain:
    """All plugins as one."""

    def __init__(self, plugins: Sequence[AdmissionPlugin], metrics: AdmissionMetrics | None = None) -> None:
        self._metrics = metrics or AdmissionMetrics(Registry())
        self._admitting = [each for each in plugins if _acts(each, "admit")]
        self._validating = [each for each in plugins if _acts(each, "validate")]
        self._rounds: dict[tuple[tuple[str, str], str], tuple[Round, Round]] = {}

    def _rounds_of(self, attributes: Attributes) -> tuple[Round, Round]:
        resource, operation = attributes.group_resource, attributes.operation
        found = self._rounds.get((resource, operation))
        if found is None:
            found = (
                self._round(ADMIT, [(each.name, each.admit) for each in _asked(self._admitting, resource)], operation),
                self._round(VALIDATE, [(each.name, each.validate) for each in _asked(self._validating, resource)], operation),
            )
            self._rounds[resource, operation] = found
        return found

    def _round(self, step: str, asked: Sequence[tuple[str, Callable[[Attributes], Awaitable[None]]]], operation: str) -> Round:
        counted = tuple((name, ask, self._metrics.plugin(name, step, operation)) for name, ask in asked)
        return Round(step, counted, self._metrics.step(step, operation))

    async def admit(self, attributes: Attributes) -> None:
        """A webhook that changed the object causes a second round, so that all see the outcome."""
        chosen = self._rounds_of(attributes)[0]
        await self._ask(chosen, attributes)
        state = attributes.reinvocation
        if state is not None and state.wanted:
            state.second_round = True
            await self._ask(chosen, attributes)

    async def validate(self, attributes: Attributes) -> None:
        await self._ask(self._rounds_of(attributes)[1], attributes)

    async def _ask(self, chosen: Round, attributes: Attributes) -> None:
        """The end of one plugin is the start of the next: a look at the clock costs as much as a small plugin."""
        begin = since = perf_counter()
        name = ""
        try:
            for name, ask, series in chosen.asked:  # noqa: B007 (told if it refuses)
                await ask(attributes)
                now = perf_counter()
                series.observe(now - since)
                since = now
        except Exception:
            now, operation = perf_counter(), attributes.operation
            self._metrics.plugin(name, chosen.step, operation, rejected=True).observe(now - since)
            self._metrics.step(chosen.step, operation, rejected=True).observe(now - begin)
            raise
        chosen.total.observe(since - begin)

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
