"""For which audiences a kubelet may ask for tokens: those that the pod itself names in a projected volume, or that a CSI driver of one of
its volumes wants tokens for; others only with the right to. Part of NodeRestriction. Source: KEP-4412's audience restriction.
"""

from collections.abc import Iterator, Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, RequestInfo

VERB = "request-serviceaccounts-token-audience"


async def audience_problem(
    attributes: Attributes, audiences: Sequence[str], pod: Object, reader: ObjectReader, authorizer: Authorizer
) -> str:
    """Why the pod's kubelet may not have the token, "" if it may."""
    if len(audiences) > 1:
        return "node may only request 0 or 1 audiences"
    audience = audiences[0] if audiences else ""
    if audience in _named(pod, reader):
        return ""
    info = RequestInfo(VERB, "", True, "", "v1", audience, namespace=attributes.namespace, name=attributes.name)
    if (await authorizer.authorize(attributes.user, info)).allowed:
        return ""
    name = attributes.user.name
    return f'audience "{audience}" not found in pod spec volume, {name} is not authorized to request tokens for this audience'


def _named(pod: Object, reader: ObjectReader) -> Iterator[str]:
    for volume in pod.get("spec", {}).get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken") is not None:
                yield source["serviceAccountToken"].get("audience", "")
        driver = reader.get("storage.k8s.io", "csidrivers", _driver(volume, pod, reader))
        for request in ((driver or {}).get("spec") or {}).get("tokenRequests") or ():
            yield request.get("audience", "")


def _driver(volume: Object, pod: Object, reader: ObjectReader) -> str:
    if volume.get("csi"):
        return str(volume["csi"].get("driver", ""))
    if volume.get("ephemeral"):
        claim_name = f"{meta.name(pod)}-{volume['name']}"
    else:
        claim_name = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
    claim = reader.get("", "persistentvolumeclaims", claim_name, meta.namespace(pod)) if claim_name else None
    volume_name = ((claim or {}).get("spec") or {}).get("volumeName", "")
    found = reader.get("", "persistentvolumes", volume_name) if volume_name else None
    return str((((found or {}).get("spec") or {}).get("csi") or {}).get("driver", ""))
