"""Certificates that pods of this node project: a key and a PodCertificateRequest for each source, a new one of both before expiry.

The watch of this node's requests starts with the first pod that needs one. It wakes pods whose request was answered, so a volume is ready
as soon as its certificate is issued. Only certificates.k8s.io/v1 is spoken, as its betas have other fields: an older API server answers
that it has no such resource.
"""

import asyncio
import base64
import random
from collections.abc import Callable

from proa.api import meta
from proa.api.kinds import POD_CERTIFICATE_REQUESTS, SERVICE_ACCOUNTS
from proa.api.meta import Object
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.kubelet.volumes.payload import PayloadError
from proa.kubelet.volumes.pod_certificate import ASSUME_DELETED, JITTER, NOT_ISSUED, Credential, Pending, advanced, wants_request
from proa.kubelet.volumes.pod_key import clean_chain, new_key
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.tasks import TaskSet
from proa.runtime.event_recorder import Recorder

Key = tuple[str, str, int]
"""(uid of the pod, volume, index of the source)."""


@dataclass(frozen=True, slots=True)
class CredentialBundle:
    """Both PEM."""

    key: bytes
    chain: bytes


class PodCertificates:
    """`node()` is this node as the API has it; `changed(pod_uid)` is called when a request of the pod was answered."""

    def __init__(
        self, client: Client, node: Callable[[], Object], recorder: Recorder, clock: Clock, changed: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._client, self._node, self._recorder, self._clock, self._changed = client, node, recorder, clock, changed
        self._credentials: dict[Key, Credential] = {}
        self._informer: Informer | None = None
        self._tasks = TaskSet()

    async def read(self, pod: Object, volume: str, index: int, source: Object) -> CredentialBundle:
        """What is issued now. Raises PayloadError while nothing is or once it was refused, or what the API answers."""
        informer = self._informer or self._watch()
        key, now = (meta.uid(pod), volume, index), self._clock.now().timestamp()
        state = self._credentials.get(key, Credential())
        request = informer.lister.get(f"{meta.namespace(pod)}/{state.pending.name}") if state.pending else None
        state, events = advanced(state, request, now, random.uniform(0, JITTER))
        self._credentials[key] = state
        for reason, message in events:
            self._recorder.event(pod, "Warning", reason, message)
        if wants_request(state, now):
            self._credentials[key] = Credential(await self._request(pod, source), state.issued, told=state.told)
        if state.refused or state.issued is None:
            raise PayloadError(state.refused or NOT_ISSUED)
        return CredentialBundle(state.issued.key, clean_chain(state.issued.chain))

    def forget(self, uid: str) -> None:
        self._credentials = {key: state for key, state in self._credentials.items() if key[0] != uid}

    async def close(self) -> None:
        await self._tasks.cancel()

    def _watch(self) -> Informer:
        selector = f"spec.nodeName={meta.name(self._node())}"
        self._informer = Informer(self._client, POD_CERTIFICATE_REQUESTS, field_selector=selector, clock=self._clock)
        self._informer.add_handlers(Handlers(add=self._tell, update=lambda _, request: self._tell(request), delete=self._tell))
        self._tasks.spawn(self._informer.run(), "watch of pod certificate requests")
        return self._informer

    def _tell(self, request: Object) -> None:
        self._changed(request["spec"]["podUID"])

    async def _request(self, pod: Object, source: Object) -> Pending:
        account = await self._client.get(SERVICE_ACCOUNTS, pod["spec"].get("serviceAccountName") or "default", meta.namespace(pod))
        private_key, request = await asyncio.to_thread(new_key, source.get("keyType") or "")
        made = await self._client.create(POD_CERTIFICATE_REQUESTS, self._body(pod, source, account, request))
        waited = ASSUME_DELETED + random.uniform(0, JITTER)
        return Pending(meta.name(made), private_key, self._clock.now().timestamp() + waited)

    def _body(self, pod: Object, source: Object, account: Object, request: bytes) -> Object:
        spec: Object = {
            "signerName": source["signerName"],
            "podName": meta.name(pod),
            "podUID": meta.uid(pod),
            "serviceAccountName": meta.name(account),
            "serviceAccountUID": meta.uid(account),
            "nodeName": meta.name(self._node()),
            "nodeUID": meta.uid(self._node()),
            "stubPKCS10Request": base64.b64encode(request).decode(),
        }
        if (seconds := source.get("maxExpirationSeconds")) is not None:
            spec["maxExpirationSeconds"] = seconds
        if annotations := source.get("userAnnotations"):
            spec["unverifiedUserAnnotations"] = annotations
        owner = {"apiVersion": "v1", "kind": "Pod", "name": meta.name(pod), "uid": meta.uid(pod)}
        metadata = {"generateName": "req-", "namespace": meta.namespace(pod), "ownerReferences": [owner]}
        kind = {"apiVersion": POD_CERTIFICATE_REQUESTS.api_version, "kind": POD_CERTIFICATE_REQUESTS.kind}
        return kind | {"metadata": metadata, "spec": spec}
