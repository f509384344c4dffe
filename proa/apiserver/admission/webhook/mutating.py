"""MutatingAdmissionWebhook: webhooks that change what is written, one after the other, each seeing what those before it left.

A patched object is brought into the form of any other: pruned to its schema, defaulted, still itself (name space and UID).
"""

import logging

import orjson

from proa.api.errors import ApiError, BadRequest, InternalError
from proa.api.meta import Object
from proa.api.patch import json_patch
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.webhook.call import HookFailure, ask
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.matching import Invocation, WebhookSource
from proa.apiserver.admission.webhook.reinvocation import Reinvocation
from proa.apiserver.admission.webhook.review import Verdict
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

log = logging.getLogger(__name__)
NAMESPACE_MISMATCH = "the namespace of the provided object does not match the namespace sent on the request"


class MutatingAdmissionWebhook(PassiveAdmission):
    name = "MutatingAdmissionWebhook"

    def __init__(self, reader: ObjectReader, served: Served, client: WebhookClient) -> None:
        self._source = WebhookSource(reader, served, "mutatingwebhookconfigurations")
        self._served, self._client = served, client

    async def admit(self, attributes: Attributes) -> None:
        if not self._source.hooks:
            return
        candidates = self._source.candidates(attributes)
        if not candidates:
            return
        if attributes.reinvocation is None:
            attributes.reinvocation = Reinvocation()
        state: Reinvocation = attributes.reinvocation
        if state.second_round and state.output != _bytes(attributes.object):
            state.changed()
        for index, invocation in enumerate(candidates):
            if self._source.selects(invocation, attributes) and state.due(invocation.hook.uid):
                await self._invoke(attributes, invocation, index, state)
        state.output = _bytes(attributes.object)

    async def close(self) -> None:
        await self._client.close()

    async def _invoke(self, attributes: Attributes, invocation: Invocation, index: int, state: Reinvocation) -> None:
        hook, changed, place = invocation.hook, False, f"round_{int(state.second_round)}_index_{index}"
        try:
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
            state.changed()
            state.wanted = True
        if hook.reinvocable:
            state.called(hook.uid)

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
        before = _bytes(attributes.object)
        self._take_over(attributes, attributes.object, patched(obj, verdict, operations))
        return _bytes(attributes.object) != before

    def _take_over(self, attributes: Attributes, obj: Object, new: Object) -> None:
        """Change the request's object in place to what the webhook made of it."""
        if attributes.subresource == "scale" and new.get("kind") == "Scale" and obj.get("kind") != "Scale":
            obj.setdefault("spec", {})["replicas"] = (new.get("spec") or {}).get("replicas", 0)
            return
        identity = attributes.resource.id
        own = obj.get("kind") == identity.kind and obj.get("apiVersion") == identity.api_version
        if own and new.get("apiVersion") != identity.api_version:
            new = attributes.resource.convert(new, identity.version)
        if own:
            self._settle(attributes, obj, new)
        obj.clear()
        obj.update(new)
        if own and not attributes.subresource:
            attributes.resource.strategy.default(obj)

    def _settle(self, attributes: Attributes, obj: Object, new: Object) -> None:
        identity = attributes.resource.id
        served = self._served.get((identity.group, identity.version, identity.plural))
        if served is not None and served.decoder is not None:
            findings = served.decoder(new)
            if findings.causes:
                raise InternalError.of(findings.causes[0].message)
        metadata, before = new.get("metadata"), obj["metadata"]
        if not isinstance(metadata, dict) or (new.get("apiVersion"), new.get("kind")) != (identity.api_version, identity.kind):
            raise InternalError.of("the patched object has another type")
        if metadata.get("namespace") != before.get("namespace"):
            raise BadRequest(NAMESPACE_MISMATCH)
        if "uid" in before:
            metadata["uid"] = before["uid"]


def patched(obj: Object, verdict: Verdict, operations: object) -> Object:
    """A copy of the object with the patch; raises InternalError where it does not fit."""
    try:
        new = json_patch(orjson.loads(orjson.dumps(obj)), operations)
    except ApiError as error:
        raise InternalError.of(error.message) from None
    if not isinstance(new, dict):
        raise InternalError.of("the patched object is no object")
    return new


def _bytes(obj: Object | None) -> bytes:
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
