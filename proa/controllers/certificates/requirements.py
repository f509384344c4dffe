"""What each signer of Kubernetes demands of a request: pure. Source: "Certificates and Certificate Signing Requests"."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography import x509

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"
NODES_GROUP = "system:nodes"
NODE_PREFIX = "system:node:"


class Unacceptable(Exception):
    """The request isn't one that the signer signs."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a certificate request asks for."""

    common_name: str
    organizations: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


def asked(parsed: "x509.CertificateSigningRequest") -> Request:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organizations = tuple(str(each.value) for each in parsed.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    name = str(names[-1].value) if names else ""
    try:
        alternatives = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Request(name, organizations)
    return Request(
        name,
        organizations,
        tuple(alternatives.get_values_for_type(x509.DNSName)),
        tuple(str(each) for each in alternatives.get_values_for_type(x509.IPAddress)),
        tuple(alternatives.get_values_for_type(x509.RFC822Name)),
        tuple(alternatives.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def check_kubelet_client(request: Request, usages: Sequence[str]) -> None:
    """Raises Unacceptable."""
    _check_organization(request)
    for names, kind in ((request.dns_names, "DNS"), (request.emails, "Email"), (request.ip_addresses, "IP"), (request.uris, "URI")):
        if names:
            raise Unacceptable(f"{kind} subjectAltNames are not allowed")
    _check_node_name(request)
    _check_usages(usages, "client auth")


def check_kubelet_serving(request: Request, usages: Sequence[str]) -> None:
    """Raises Unacceptable."""
    _check_organization(request)
    if not request.dns_names and not request.ip_addresses:
        raise Unacceptable("DNS or IP subjectAltName is required")
    for names, kind in ((request.emails, "Email"), (request.uris, "URI")):
        if names:
            raise Unacceptable(f"{kind} subjectAltNames are not allowed")
    _check_usages(usages, "server auth")
    _check_node_name(request)


def check_client(request: Request, usages: Sequence[str]) -> None:
    """Raises Unacceptable."""
    for each in usages:
        if each not in ("client auth", "digital signature", "key encipherment"):
            raise Unacceptable(f"invalid usage for client certificate: {each}")
    if "client auth" not in usages:
        raise Unacceptable("missing required usage for client certificate: client auth")


def check_legacy(request: Request, usages: Sequence[str]) -> None:
    """Signs everything."""


CHECKS: dict[str, Callable[[Request, Sequence[str]], None]] = {
    CLIENT: check_client,
    KUBELET_CLIENT: check_kubelet_client,
    KUBELET_SERVING: check_kubelet_serving,
    LEGACY: check_legacy,
}


def _check_organization(request: Request) -> None:
    if request.organizations != (NODES_GROUP,):
        raise Unacceptable("subject organization is not system:nodes")


def _check_node_name(request: Request) -> None:
    if not request.common_name.startswith(NODE_PREFIX):
        raise Unacceptable("subject common name does not begin with system:node:")


def _check_usages(usages: Sequence[str], purpose: str) -> None:
    """Keys that are no RSA keys have no use for encipherment, so it may be left out."""
    needed = {"digital signature", purpose}
    if set(usages) not in (needed, needed | {"key encipherment"}):
        listed = " ".join(sorted(needed | {"key encipherment"}))
        raise Unacceptable(f"usages did not match [{listed}]")
