"""Nobody asks for a client certificate of the group system:masters: it could not be taken back."""

import base64
import binascii

from proa.apiserver.admission.certificates import REQUESTS
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import MASTERS_GROUP, Attributes, PassiveAdmission

SIGNER = "kubernetes.io/kube-apiserver-client"


class CertificateSubjectRestriction(PassiveAdmission):
    name = "CertificateSubjectRestriction"
    resources = frozenset({REQUESTS})

    async def validate(self, attributes: Attributes) -> None:
        if attributes.operation != "CREATE" or attributes.subresource or attributes.object is None:
            return
        spec = attributes.object.get("spec") or {}
        if spec.get("signerName") != SIGNER:
            return
        try:
            groups = organizations(base64.b64decode(spec.get("request") or ""))
        except (ValueError, binascii.Error) as error:
            raise refuse(attributes, f"failed to parse CSR: {error}") from None
        if MASTERS_GROUP in groups:
            why = f"use of {SIGNER} signer with {MASTERS_GROUP} group is not allowed"
            raise refuse(attributes, why)


def organizations(request: bytes) -> list[str]:
    """The groups that a PEM certificate request asks for; raises ValueError for what is none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_pem_x509_csr(request).subject
    return [str(each.value) for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
