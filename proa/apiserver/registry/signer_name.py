"""The name of a signer: a domain, a slash, a path; and of a bundle of its roots. Source: certificates.k8s.io/v1, KEP-3257."""

from collections.abc import Callable, Iterable

from proa.api.errors import Cause, invalid, required, too_long
from proa.api.names import SUBDOMAIN_MAX_LENGTH, dns1123_label, dns1123_subdomain

MAX_LENGTH = SUBDOMAIN_MAX_LENGTH + 1 + SUBDOMAIN_MAX_LENGTH + 63 + 1
SHAPE = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


def check_signer_name(path: str, value: str) -> list[Cause]:
    if not value:
        return [required(path)]
    if value.count("/") != 1:
        return [invalid(path, value, SHAPE)]
    domain, _, own = value.partition("/")
    causes = [too_long(path, SUBDOMAIN_MAX_LENGTH)] if len(domain) > SUBDOMAIN_MAX_LENGTH else []
    causes += _check_labels(path, domain, domain.split("."), dns1123_label)
    if "." not in domain:
        causes.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    causes += _check_labels(path, own, own.split("."), dns1123_subdomain)
    return causes + ([too_long(path, MAX_LENGTH)] if len(value) > MAX_LENGTH else [])


def _check_labels(path: str, segment: str, labels: Iterable[str], check: Callable[[str], list[str]]) -> list[Cause]:
    """The first label that is wrong is enough to tell."""
    for label in labels:
        if problems := check(label):
            return [invalid(path, segment, f'validating label "{label}": {problem}') for problem in problems]
    return []


def bundle_name_problems(name: str, signer: str) -> list[str]:
    """A ClusterTrustBundle's name begins with its signer's, written with a colon for the slash."""
    if not signer:
        return ['ClusterTrustBundle without signer name must not have ":" in its name'] if ":" in name else dns1123_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return [f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"]
    return dns1123_subdomain(name.removeprefix(prefix))
