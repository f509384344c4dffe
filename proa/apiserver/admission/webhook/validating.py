"""ValidatingAdmissionWebhook: webhooks that may only refuse, all asked at once; of several refusals, the first in order is told."""

import asyncio
import logging

from proa.api.errors import ApiError
from proa.apiserver.admission.metrics import VALIDATING, AdmissionMetrics
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.webhook.call import HookFailure, ask, counted
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.admission.webhook.matching import Invocation, WebhookSource
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

log = logging.getLogger(__name__)


class ValidatingAdmissionWebhook(PassiveAdmission):
    name = "ValidatingAdmissionWebhook"

    def __init__(
        self, reader: ObjectReader, served: Served, client: WebhookClient, authorizer: Authorizer, metrics: AdmissionMetrics
    ) -> None:
        self._source = WebhookSource(reader, served, authorizer, "validatingwebhookconfigurations")
        self._client, self._metrics = client, metrics

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
            with counted(self._metrics, VALIDATING, hook, attributes.operation):
                await ask(self._client, attributes, invocation, obj, old, mutating=False)
        except ApiError as error:
            return error
        except HookFailure as failure:
            if not hook.fails_open:
                return failure.error
            log.warning("failed calling webhook, failing open %s: %s", hook.name, failure)
            attributes.add_audit_annotation(f"failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}", hook.name)
        return None
