"""Who may approve, sign or attest for a signer: the verb on `signers` of certificates.k8s.io, for this signer or for all of its domain."""

from proa.apiserver.interface import Authorizer, RequestInfo, User

GROUP = "certificates.k8s.io"
REQUESTS = (GROUP, "certificatesigningrequests")


async def may_act_for_signer(authorizer: Authorizer, user: User, verb: str, signer: str) -> bool:
    """By the signer's name, else by `domain/*`."""
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        info = RequestInfo(verb, "", True, GROUP, "*", "signers", name=name)
        if (await authorizer.authorize(user, info)).allowed:
            return True
    return False
