"""Issues the certificates of approved requests to the signers of Kubernetes, or says why a request isn't one that its signer signs."""

import asyncio
import base64

from proa.api import meta
from proa.api.kinds import CERTIFICATE_SIGNING_REQUESTS
from proa.api.meta import Object
from proa.api.pem import parse_request
from proa.client.interface import Handlers
from proa.controllers.certificates.authority import lifetime, sign
from proa.controllers.certificates.requirements import CHECKS, Unacceptable, asked
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    reconciler = SigningReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def is_waiting(request: Object) -> bool:
    """Approved for one of our signers, neither issued nor failed."""
    decided = {type_: (meta.condition(request, type_) or {}).get("status") for type_ in ("Approved", "Denied", "Failed")}
    unissued = not (request.get("status") or {}).get("certificate")
    return decided == {"Approved": "True", "Denied": None, "Failed": None} and unissued and request["spec"].get("signerName") in CHECKS


class SigningReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._options = context.client, context.clock, context.options
        self.queue = context.queue()
        self._requests = context.informers.informer(CERTIFICATE_SIGNING_REQUESTS)
        self._requests.add_handlers(Handlers(add=self._enqueue, update=lambda old, new: self._enqueue(new)))

    async def reconcile(self, key: str) -> Result:
        request = self._requests.lister.get(key)
        if request is None or not is_waiting(request) or self._options.signing_certificate is None:
            return DONE
        try:
            issued = await asyncio.to_thread(self._issue, request["spec"])
        except Unacceptable as error:
            await self._update(request, {"conditions": [*request["status"]["conditions"], self._failure(str(error))]})
        else:
            await self._update(request, {"certificate": base64.b64encode(issued).decode()})
        return DONE

    def _issue(self, spec: Object) -> bytes:
        certificate, key = self._options.signing_certificate, self._options.signing_key
        if certificate is None or key is None:
            raise ValueError("no authority is configured to sign with")
        parsed = parse_request(base64.b64decode(spec["request"]).decode("latin-1"))
        CHECKS[spec["signerName"]](asked(parsed), spec["usages"])
        life = lifetime(spec.get("expirationSeconds"), self._options.signing_duration)
        return sign(parsed, spec["usages"], life, certificate, key, self._clock.now())

    def _failure(self, why: str) -> Object:
        now = format_time(self._clock.now())
        return {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": why, "lastUpdateTime": now}

    async def _update(self, request: Object, status: Object) -> None:
        changed = {**request, "status": {**request["status"], **status}}
        await self._client.update(CERTIFICATE_SIGNING_REQUESTS, changed, subresource="status")

    def _enqueue(self, request: Object) -> None:
        if is_waiting(request):
            self.queue.add(meta.key(request))
