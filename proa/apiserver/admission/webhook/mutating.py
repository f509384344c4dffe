"""MutatingAdmissionWebhook: webhooks that change what is written, one after the other, each seeing what those before it left.

A patched object is brought into the form of any other: pruned to its schema, defaulted, still itself (name space and UID).
"""

import logging

import orjson

from proa.api.errors import ApiError, InternalError
from proa.api.meta import Object
from proa.api.patch import json_patch
from proa.api.patch.json_pointer_operations import reason_of
from proa.apiserver.admission.metrics import ADMIT, AdmissionMetrics
from proa.apiserver.admission.reinvocation import Memory, state_of
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.takeover import Takeover, canonical_bytes
from proa.apiserver.admission.webhook.call import HookFailure, ask, counted
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.matching import Invocation, WebhookSource
from proa.apiserver.admission.webhook.review import Verdict
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

log = logging.getLogger(__name__)


class MutatingAdmissionWebhook(PassiveAdmission):
    name = "MutatingAdmissionWebhook"

    def __init__(
        self, reader: ObjectReader, served: Served, client: WebhookClient, authorizer: Authorizer, metrics: AdmissionMetrics
    ) -> None:
        self._source = WebhookSource(reader, served, authorizer, "mutatingwebhookconfigurations")
        self._takeover, self._client, self._metrics = Takeover(served), client, metrics

    async def admit(self, attributes: Attributes) -> None:
        if not self._source.hooks:
            return
        candidates = self._source.candidates(attributes)
        if not candidates:
            return
        memory = state_of(attributes).memory(self.name)
        memory.begin(canonical_bytes(attributes.object))
        for index, invocation in enumerate(candidates):
            if await self._source.selects(invocation, attributes) and memory.due(invocation.hook.uid):
                await self._invoke(attributes, invocation, index, memory)
        memory.output = canonical_bytes(attributes.object)

    async def close(self) -> None:
        await self._client.close()

    async def _invoke(self, attributes: Attributes, invocation: Invocation, index: int, memory: Memory) -> None:
        hook, changed, place = invocation.hook, False, f"round_{int(memory.state.second_round)}_index_{index}"
        try:
            with counted(self._metrics, ADMIT, hook, attributes.operation):
                changed = await self._call(attributes, invocation, place)
        except HookFailure as failure:
            if not hook.fails_open:
                raise failure.error from None
            log.warning("failed calling webhook, failing open %s: %s", hook.name, failure)
            attributes.add_audit_annotation(f"failed-open.mutation.webhook.admission.k8s.io/{place}", hook.name)
        finally:
            told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
            attributes.add_audit_annotation(f"mutation.webhook.admission.k8s.io/{place}", orjson.dumps(told).decode())
        if changed:
            memory.changed()
        if hook.reinvocable:
            memory.called(hook.uid)

    async def _call(self, attributes: Attributes, invocation: Invocation, place: str) -> bool:
        """Whether the object is another one now."""
        hook = invocation.hook
        obj = shown_object(attributes.object, attributes, invocation.resource)
        old = shown_object(attributes.old_object, attributes, invocation.resource)
        verdict = await ask(self._client, attributes, invocation, obj, old, mutating=True)
        if not verdict.patch:
            return False
        try:
            operations = orjson.loads(verdict.patch)
        except orjson.JSONDecodeError as error:
            raise HookFailure(hook.name, f"received undecodable patch in webhook response: {error}") from None
        if not operations:
            return False
        if obj is None or attributes.object is None:
            why = f'admission webhook "{hook.name}" attempted to modify the object, which is not supported for this operation'
            raise InternalError.of(why)
        if verdict.patch_type != "JSONPatch":
            raise HookFailure(hook.name, f'unsupported patch type "{verdict.patch_type}"')
        told = {"configuration": hook.configuration, "webhook": hook.name, "patch": operations, "patchType": "JSONPatch"}
        attributes.add_audit_annotation(f"patch.webhook.admission.k8s.io/{place}", orjson.dumps(told).decode())
        before = canonical_bytes(attributes.object)
        self._takeover.take_over(attributes, attributes.object, patched(obj, verdict, operations))
        return canonical_bytes(attributes.object) != before


def patched(obj: Object, verdict: Verdict, operations: object) -> Object:
    """A copy of the object with the patch; raises InternalError where it does not fit."""
    try:
        new = json_patch(orjson.loads(orjson.dumps(obj)), operations)
    except ApiError as error:
        raise InternalError.of(reason_of(error)) from None
    if not isinstance(new, dict):
        raise InternalError.of("the patched object is no object")
    return new
