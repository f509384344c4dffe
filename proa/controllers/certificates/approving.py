"""Approves kubelets' requests for client certificates, if the requester may have them made: for any node, or for the node that it is.

The right is that to create `certificatesigningrequests/nodeclient` or `/selfnodeclient`. Source: "TLS bootstrapping".
"""

import base64

from proa.api import meta
from proa.api.kinds import CERTIFICATE_SIGNING_REQUESTS, SUBJECT_ACCESS_REVIEWS
from proa.api.meta import Object
from proa.api.pem import Malformed, parse_request
from proa.client.interface import Handlers
from proa.controllers.certificates.requirements import KUBELET_CLIENT, Unacceptable, asked, check_kubelet_client
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time
from proa.lib.dataclass import dataclass
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


@dataclass(frozen=True, slots=True)
class Right:
    subresource: str
    own: bool
    """Only for a request that the node makes for itself."""
    message: str


RIGHTS = (
    Right("selfnodeclient", True, "Auto approving self kubelet client certificate after SubjectAccessReview."),
    Right("nodeclient", False, "Auto approving kubelet client certificate after SubjectAccessReview."),
)


class NotAllowed(Exception):
    """Recognised, but the requester may not have it; rights may come later, so it is tried again."""


def build(context: ControllerContext) -> Controller:
    reconciler = ApprovingReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def is_open(request: Object) -> bool:
    conditions = (request.get("status") or {}).get("conditions") or ()
    undecided = not any(each.get("type") in ("Approved", "Denied") for each in conditions)
    return undecided and not (request.get("status") or {}).get("certificate") and request["spec"].get("signerName") == KUBELET_CLIENT


def node_of(spec: Object) -> str:
    """The user that the certificate would be for; "" if it is no request of a kubelet's client certificate."""
    try:
        request = asked(parse_request(base64.b64decode(spec["request"]).decode("latin-1")))
        check_kubelet_client(request, spec["usages"])
    except (Malformed, Unacceptable):
        return ""
    return request.common_name


class ApprovingReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._requests = context.informers.informer(CERTIFICATE_SIGNING_REQUESTS)
        self._requests.add_handlers(Handlers(add=self._enqueue, update=lambda old, new: self._enqueue(new)))

    async def reconcile(self, key: str) -> Result:
        request = self._requests.lister.get(key)
        if request is None or not is_open(request):
            return DONE
        node = node_of(request["spec"])
        rights = [each for each in RIGHTS if node and (not each.own or node == request["spec"].get("username"))]
        for right in rights:
            if await self._has(request["spec"], right):
                await self._approve(request, right.message)
                return DONE
        if rights:
            tried = " ".join(each.subresource for each in rights)
            raise NotAllowed(f'recognized csr "{key}" as [{tried}] but subject access review was not approved')
        return DONE

    async def _has(self, spec: Object, right: Right) -> bool:
        resource = CERTIFICATE_SIGNING_REQUESTS
        wanted = {"group": resource.group, "resource": resource.plural, "verb": "create", "subresource": right.subresource, "version": "*"}
        who = {"user": spec.get("username", ""), "uid": spec.get("uid", ""), "groups": spec.get("groups") or []}
        review = {
            "apiVersion": SUBJECT_ACCESS_REVIEWS.api_version, "kind": SUBJECT_ACCESS_REVIEWS.kind, "metadata": {},
            "spec": {**who, "extra": spec.get("extra") or {}, "resourceAttributes": wanted},
        }  # fmt: skip
        answer = await self._client.create(SUBJECT_ACCESS_REVIEWS, review)
        return bool(answer.get("status", {}).get("allowed"))

    async def _approve(self, request: Object, message: str) -> None:
        now = format_time(self._clock.now())
        condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message, "lastUpdateTime": now}
        status = request.get("status") or {}
        changed = {**request, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}
        await self._client.update(CERTIFICATE_SIGNING_REQUESTS, changed, subresource="approval")

    def _enqueue(self, request: Object) -> None:
        if is_open(request):
            self.queue.add(meta.key(request))
