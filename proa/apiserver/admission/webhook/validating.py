"""ValidatingAdmissionWebhook: webhooks that may only refuse, all asked at once; of several refusals, the first in order is told."""

import asyncio
import logging

import orjson

from proa.api.errors import ApiError
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.webhook.call import HookFailure, ask
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.matching import Invocation, WebhookSource
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

log = logging.getLogger(__name__)


class ValidatingAdmissionWebhook(PassiveAdmission):
    name = "ValidatingAdmissionWebhook"

    def __init__(self, reader: ObjectReader, served: Served, client: WebhookClient, authorizer: Authorizer) -> None:
        self._source = WebhookSource(reader, served, authorizer, "validatingwebhookconfigurations")
        self._client = client

    async def validate(self, attributes: Attributes) -> None:
        if not self._source.hooks:
            return
        source = self._source
        invocations = [each for each in source.candidates(attributes) if await source.selects(each, attributes)]
        answers = await asyncio.gather(*(self._call(attributes, each, index) for index, each in enumerate(invocations)))
        for error in answers:
            if error is not None:
                raise error

    async def close(self) -> None:
        await self._client.close()

    async def _call(self, attributes: Attributes, invocation: Invocation, index: int) -> ApiError | None:
        hook = invocation.hook
        obj = shown_object(attributes.object, attributes, invocation.resource)
        old = shown_object(attributes.old_object, attributes, invocation.resource)
        try:
            await ask(self._client, attributes, invocation, obj, old, mutating=False)
        except HookFailure as failure:
            if not hook.fails_open:
                return failure.error
            log.warning("failed calling webhook, failing open %s: %s", hook.name, failure)
            told = orjson.dumps({"configuration": hook.configuration, "webhook": hook.name}).decode()
            attributes.add_audit_annotation(f"failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}", told)
        except ApiError as error:
            return error
        return None
