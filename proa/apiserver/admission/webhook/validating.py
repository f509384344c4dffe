"""ValidatingAdmissionWebhook: webhooks that may only refuse, all asked at once; of several refusals, the first in order is told."""

import asyncio
import logging
from time import perf_counter

from proa.api.errors import ApiError
from proa.apiserver.admission.metrics import VALIDATING, AdmissionMetrics
from proa.apiserver.admission.shown import Served, shown_object
from proa.apiserver.admission.webhook.call import HookFailure, ask, count
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
        begin, error = perf_counter(), None
        try:
            await ask(self._client, attributes, invocation, obj, old, mutating=False)
        except (HookFailure, ApiError) as problem:
            error = problem
        count(self._metrics, VALIDATING, hook, attributes.operation, perf_counter() - begin, error)
        if not isinstance(error, HookFailure):
            return error
        if not hook.fails_open:
            return error.error
        log.warning("failed calling webhook, failing open %s: %s", hook.name, error)
        attributes.add_audit_annotation(f"failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}", hook.name)
        return None
