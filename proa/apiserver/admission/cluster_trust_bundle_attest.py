"""Writing a trust bundle that speaks for a signer needs the verb `attest` on that signer; changes of metadata alone do not."""

from proa.apiserver.admission.certificates import GROUP, may_act_for_signer
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, Authorizer, PassiveAdmission


class ClusterTrustBundleAttest(PassiveAdmission):
    name = "ClusterTrustBundleAttest"
    resources = frozenset({(GROUP, "clustertrustbundles")})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        bundle, old = attributes.object, attributes.old_object
        if attributes.operation not in ("CREATE", "UPDATE") or bundle is None:
            return
        signer = (bundle.get("spec") or {}).get("signerName", "")
        if not signer or (old is not None and old.get("spec") == bundle.get("spec")):
            return
        if not await may_act_for_signer(self._authorizer, attributes.user, "attest", signer):
            raise refuse(attributes, f'user not permitted to attest for signerName "{signer}"')
