"""The file of --admission-control-config-file: an AdmissionConfiguration that gives plugins their settings, in itself or in files of their
own. What is wrong with it is told when the server starts, by file, plugin and field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.apiserver.admission.event_rate_limit import CACHE_SIZE, Limit
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.policy import MODES, PREFIX, Policy, policy_of
from proa.apiserver.admission.resource_quota.limited import Limited
from proa.apiserver.admission.webhook.credentials import Credentials
from proa.lib.dataclass import dataclass

GROUPS = ("apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1alpha1", "apiserver.k8s.io/v1alpha1")
LIMIT_TYPES = ("Server", "Namespace", "User", "SourceAndObject")


class SettingsError(ValueError):
    """What is wrong with the file."""


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    pod_security: Policy = field(default_factory=Policy)
    exemptions: Exemptions = field(default_factory=Exemptions)
    limited: tuple[Limited, ...] = ()
    event_limits: tuple[Limit, ...] = ()
    node_selectors: Mapping[str, str] = field(default_factory=dict)
    default_tolerations: tuple[Object, ...] = ()
    allowed_tolerations: tuple[Object, ...] = ()
    mutating_credentials: Credentials = field(default_factory=Credentials)
    validating_credentials: Credentials = field(default_factory=Credentials)


def read_settings(path: Path | None) -> AdmissionSettings:
    """Raises SettingsError."""
    settings = AdmissionSettings()
    if path is None:
        return settings
    document = _load(path)
    if document.get("kind") != "AdmissionConfiguration" or document.get("apiVersion") not in GROUPS:
        raise SettingsError(f"{path}: must be an AdmissionConfiguration of {GROUPS[0]}")
    for index, plugin in enumerate(document.get("plugins") or ()):
        name = plugin.get("name", "")
        read = _PLUGINS.get(name)
        if read is None:
            raise SettingsError(f'{path}: plugins[{index}].name: "{name}" has no configuration; those that have: {", ".join(_PLUGINS)}')
        given = _configuration(path, plugin)
        if given is None:
            continue
        try:
            settings = read(settings, given, path.parent)
        except (SettingsError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise SettingsError(f"{path}: plugins[{index}] ({name}): {error}") from None
    return settings


def _configuration(path: Path, plugin: Object) -> Object | None:
    if plugin.get("configuration") is not None:
        found: Object = plugin["configuration"]
        return found
    return _load(path.parent / plugin["path"]) if plugin.get("path") else None


def _load(path: Path) -> Object:
    import yaml

    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: must be an object")
    return found


def _expect(given: Object, kind: str, *versions: str) -> None:
    if given.get("kind") != kind or given.get("apiVersion") not in versions:
        raise SettingsError(f"must be a {kind} of {versions[0]}")


def _pod_security(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
    group = "pod-security.admission.config.k8s.io"
    _expect(given, "PodSecurityConfiguration", f"{group}/v1", f"{group}/v1beta1", f"{group}/v1alpha1")
    defaults = given.get("defaults") or {}
    labels = {f"{PREFIX}{key}": str(value) for key, value in defaults.items() if value}
    policy, causes = policy_of(labels, Policy())
    if causes:
        raise SettingsError(", ".join(cause.detail.replace(f"metadata.labels[{PREFIX}", "defaults.").replace("]", "") for cause in causes))
    if unknown := set(defaults) - {*MODES, *(f"{mode}-version" for mode in MODES)}:
        raise SettingsError(f"defaults.{min(unknown)}: unknown field")
    exempt = given.get("exemptions") or {}
    names = (frozenset(exempt.get(each) or ()) for each in ("usernames", "namespaces", "runtimeClasses"))
    if f"{PREFIX}warn" not in labels:
        policy = replace(policy, warn=Policy().warn)
    return replace(settings, pod_security=policy, exemptions=Exemptions(*names))


def _quota(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
    group = "resourcequota.admission.k8s.io"
    versions = ("apiserver.config.k8s.io/v1", f"{group}/v1", f"{group}/v1beta1", f"{group}/v1alpha1")
    kind = "ResourceQuotaConfiguration" if given.get("kind") == "ResourceQuotaConfiguration" else "Configuration"
    _expect(given, kind, *versions)
    limited = []
    for index, each in enumerate(given.get("limitedResources") or ()):
        if not each.get("resource"):
            raise SettingsError(f"limitedResources[{index}].resource: Required value")
        scopes = tuple(each.get("matchScopes") or ())
        limited.append(Limited(each.get("apiGroup") or "", each["resource"], tuple(each.get("matchContains") or ()), scopes))
    return replace(settings, limited=tuple(limited))


def _event_limits(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
    _expect(given, "Configuration", "eventratelimit.admission.k8s.io/v1alpha1")
    limits = []
    for index, each in enumerate(given.get("limits") or ()):
        path = f"limits[{index}]"
        if each.get("type") not in LIMIT_TYPES:
            raise SettingsError(f'{path}.type: Unsupported value: "{each.get("type", "")}"')
        for name in ("qps", "burst"):
            if not isinstance(each.get(name), int) or each[name] <= 0:
                raise SettingsError(f"{path}.{name}: Invalid value: {each.get(name, 0)}: must be positive")
        cache = each.get("cacheSize") or CACHE_SIZE
        if cache < 0:
            raise SettingsError(f"{path}.cacheSize: Invalid value: {cache}: must not be negative")
        limits.append(Limit(each["type"], each["qps"], each["burst"], cache))
    if not limits:
        raise SettingsError("limits: Invalid value: []: must not be empty")
    return replace(settings, event_limits=tuple(limits))


def _node_selectors(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
    return replace(settings, node_selectors={key: str(value or "") for key, value in given["podNodeSelectorPluginConfig"].items()})


def _tolerations(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
    default, allowed = (tuple(given.get(field) or ()) for field in ("default", "whitelist"))
    return replace(settings, default_tolerations=default, allowed_tolerations=allowed)


def _webhooks(which: str) -> Callable[[AdmissionSettings, Object, Path], AdmissionSettings]:
    def read(settings: AdmissionSettings, given: Object, folder: Path) -> AdmissionSettings:
        kind = "WebhookAdmissionConfiguration" if given.get("kind") == "WebhookAdmissionConfiguration" else "WebhookAdmission"
        _expect(given, kind, GROUPS[0], GROUPS[1])
        file = given.get("kubeConfigFile")
        found = Credentials.of_kubeconfig(_load(folder / file), folder) if file else Credentials()
        changed: dict[str, Any] = {f"{which}_credentials": found}
        return replace(settings, **changed)

    return read


_PLUGINS: Mapping[str, Callable[[AdmissionSettings, Object, Path], AdmissionSettings]] = {
    "EventRateLimit": _event_limits,
    "MutatingAdmissionWebhook": _webhooks("mutating"),
    "PodNodeSelector": _node_selectors,
    "PodSecurity": _pod_security,
    "PodTolerationRestriction": _tolerations,
    "ResourceQuota": _quota,
    "ValidatingAdmissionWebhook": _webhooks("validating"),
}
