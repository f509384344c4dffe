"""Issuing a certificate, or saying that it failed, needs the verb `sign` on the request's signer."""

from proa.api.errors import Invalid, forbidden
from proa.apiserver.admission.certificates import GROUP, REQUESTS, may_act_for_signer
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, Authorizer, PassiveAdmission

POD_REQUESTS = (GROUP, "podcertificaterequests")


class CertificateSigning(PassiveAdmission):
    name = "CertificateSigning"
    resources = frozenset({REQUESTS, POD_REQUESTS})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        old, new = attributes.old_object, attributes.object
        if attributes.operation != "UPDATE" or attributes.subresource != "status" or old is None or new is None:
            return
        before, after = old.get("status") or {}, new.get("status") or {}
        if attributes.group_resource == POD_REQUESTS:
            if before.get("certificateChain") != after.get("certificateChain"):
                await self._check_pod_signer(attributes, (old.get("spec") or {}).get("signerName", ""))
            return
        if all((before.get(field) or None) == (after.get(field) or None) for field in ("certificate", "conditions")):
            return
        signer = (old.get("spec") or {}).get("signerName", "")
        if not await may_act_for_signer(self._authorizer, attributes.user, "sign", signer):
            raise refuse(attributes, f'user not permitted to sign requests with signerName "{signer}"')

    async def _check_pod_signer(self, attributes: Attributes, signer: str) -> None:
        """As upstream's validation refuses it, not as admission does."""
        if not await may_act_for_signer(self._authorizer, attributes.user, "sign", signer):
            why = f'User "{attributes.user.name}" is not permitted to "sign" for signer "{signer}"'
            raise Invalid.of(GROUP, "PodCertificateRequest", attributes.name, [forbidden("spec.signerName", why)])
