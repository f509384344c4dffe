"""From which release on a version of a kind is deprecated, and in which it is gone: the warning that every use of it is answered with.

Source: the API lifecycle tags of Kubernetes v1.36's types; what they say of v1.37 and later is upstream's plan.
"""

from collections.abc import Mapping

from proa.api.resource import ResourceId
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Minor releases of v1; `removed` 0 means that nobody plans to."""

    since: int
    removed: int = 0
    replacement: str = ""


_DEVICES = ("DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice")

LIFECYCLE: Mapping[tuple[str, str], Deprecation] = {
    ("v1", "ComponentStatus"): Deprecation(19),
    ("v1", "Endpoints"): Deprecation(33, replacement="discovery.k8s.io/v1 EndpointSlice"),
    ("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy"): Deprecation(35, 38),
    ("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicyBinding"): Deprecation(35, 38),
    ("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicy"): Deprecation(37, 40),
    ("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicyBinding"): Deprecation(37, 40),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy"): Deprecation(31, 34),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding"): Deprecation(31, 34),
    ("certificates.k8s.io/v1beta1", "ClusterTrustBundle"): Deprecation(37, 40),
    ("certificates.k8s.io/v1beta1", "PodCertificateRequest"): Deprecation(38, 41),
    ("coordination.k8s.io/v1alpha2", "LeaseCandidate"): Deprecation(35, 38),
    ("coordination.k8s.io/v1beta1", "LeaseCandidate"): Deprecation(36, 39),
    ("resource.k8s.io/v1alpha3", "DeviceTaintRule"): Deprecation(36, 39),
    ("resource.k8s.io/v1alpha3", "ResourcePoolStatusRequest"): Deprecation(39, 42),
    ("resource.k8s.io/v1beta2", "DeviceTaintRule"): Deprecation(39, 42),
    **{("resource.k8s.io/v1beta1", kind): Deprecation(35, 38) for kind in _DEVICES},
    **{("resource.k8s.io/v1beta2", kind): Deprecation(36, 39) for kind in _DEVICES},
    ("storagemigration.k8s.io/v1beta1", "StorageVersionMigration"): Deprecation(38, 41),
}
"""By apiVersion and kind."""


def deprecation_of(identity: ResourceId, minor: int) -> tuple[str, str]:
    """(the warning, the release without it) of a kind that release v1.`minor` serves; ("", "") if it is not deprecated there."""
    found = LIFECYCLE.get((identity.api_version, identity.kind))
    if found is None or found.since > minor:
        return "", ""
    warning = f"{identity.api_version} {identity.kind} is deprecated in v1.{found.since}+"
    if found.removed:
        warning += f", unavailable in v1.{found.removed}+"
    if found.replacement:
        warning += f"; use {found.replacement}"
    return warning, f"1.{found.removed}" if found.removed else ""
