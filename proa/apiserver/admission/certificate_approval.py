"""Approving a certificate signing request needs the verb `approve` on its signer. The stored signer counts, not what the update says."""

from proa.apiserver.admission.certificates import REQUESTS, may_act_for_signer
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, Authorizer, PassiveAdmission


class CertificateApproval(PassiveAdmission):
    name = "CertificateApproval"
    resources = frozenset({REQUESTS})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        old = attributes.old_object
        if attributes.operation != "UPDATE" or attributes.subresource != "approval" or old is None:
            return
        signer = (old.get("spec") or {}).get("signerName", "")
        if not await may_act_for_signer(self._authorizer, attributes.user, "approve", signer):
            raise refuse(attributes, f'user not permitted to approve requests with signerName "{signer}"')
