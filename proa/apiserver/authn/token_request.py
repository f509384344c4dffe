"""Makes service-account tokens: the `token` subresource of serviceaccounts. A token is never stored, only signed.

A token bound to a pod also names the pod's node, taken from the pod and not from the request, so that a node can't claim another's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from proa.api import meta
from proa.api.errors import BadRequest, Conflict, Invalid, NotFound, invalid, required
from proa.api.meta import Object
from proa.apiserver.authn.json_web_token import SigningKey
from proa.apiserver.authn.service_account_claims import BOUND_TOKEN_SECONDS, Reference, build_claims
from proa.apiserver.interface import ObjectReader, User
from proa.lib.clock import Clock, format_time

DEFAULT_SECONDS = 3600
MINIMUM_SECONDS = 600
MAXIMUM_SECONDS = 1 << 32
PLURALS = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}
REPLACED = (
    "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then recreated"
)


class TokenRequests:
    def __init__(self, key: SigningKey, issuer: str, audiences: Sequence[str], reader: ObjectReader, clock: Clock) -> None:
        self._key = key
        self._issuer = issuer
        self._audiences = list(audiences)
        self._reader = reader
        self._clock = clock

    async def create(self, user: User, namespace: str, name: str, obj: Object) -> Object:
        """The TokenRequest with its status filled in; raises NotFound, BadRequest, Conflict, Invalid."""
        check_names(obj, namespace, name)
        request = with_defaults(obj, self._audiences)
        validate(request)
        account = self._reader.get("", "serviceaccounts", name, namespace)
        if account is None:
            raise NotFound.of("", "serviceaccounts", name)
        bound = self._resolve(request["spec"].get("boundObjectRef"), namespace, name)
        return self._issue(request, account, bound)

    def _issue(self, request: Object, account: Object, bound: dict[str, Reference]) -> Object:
        spec = request["spec"]
        seconds, now = spec["expirationSeconds"], int(self._clock.now().timestamp())
        extend = seconds == BOUND_TOKEN_SECONDS and "pod" in bound and set(spec["audiences"]) <= set(self._audiences)
        reference = Reference(meta.name(account), meta.uid(account))
        claims = build_claims(self._issuer, meta.namespace(account), reference, bound, spec["audiences"], now, seconds, extend=extend)
        stamp = {"name": reference.name, "namespace": meta.namespace(account), "creationTimestamp": _time(now)}
        status = {"token": self._key.encode(claims), "expirationTimestamp": _time(now + seconds)}
        identity = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        return identity | {"metadata": request.get("metadata", {}) | stamp, "spec": spec, "status": status}

    def _resolve(self, reference: Object | None, namespace: str, account: str) -> dict[str, Reference]:
        if not reference:
            return {}
        kind = reference.get("kind", "")
        if reference.get("apiVersion", "v1") != "v1" or kind not in PLURALS:
            group, _, version = reference.get("apiVersion", "").rpartition("/")
            raise BadRequest(f"cannot bind token for serviceaccount to object of type {group}/{version}, Kind={kind}".replace(" /", " "))
        target = self._target(reference, PLURALS[kind], "" if kind == "Node" else namespace)
        bound = {kind.lower(): Reference(meta.name(target), meta.uid(target))}
        return bound | self._node_of(target, account) if kind == "Pod" else bound

    def _target(self, reference: Object, plural: str, namespace: str) -> Object:
        target = self._reader.get("", plural, reference["name"], namespace)
        if target is None:
            raise NotFound.of("", plural, reference["name"])
        if reference.get("uid") and reference["uid"] != meta.uid(target):
            raise Conflict.of("", plural, reference["name"], REPLACED.format(reference["uid"]))
        return target

    def _node_of(self, pod: Object, account: str) -> dict[str, Reference]:
        spec = pod.get("spec", {})
        if spec.get("serviceAccountName", "") != account:
            raise BadRequest(f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.')
        node_name = spec.get("nodeName", "")
        node = self._reader.get("", "nodes", node_name) if node_name else None
        return {"node": Reference(node_name, meta.uid(node) if node else "")} if node_name else {}


def check_names(obj: Object, namespace: str, name: str) -> None:
    given = obj.get("metadata") or {}
    if given.get("name", name) not in ("", name):
        raise BadRequest("name on the TokenRequest does not match the name in the request")
    if given.get("namespace", namespace) not in ("", namespace):
        raise BadRequest("namespace on the TokenRequest does not match the namespace in the request")


def with_defaults(obj: Object, audiences: Sequence[str]) -> Object:
    spec = dict(obj.get("spec") or {})
    spec["audiences"] = list(spec.get("audiences") or audiences)
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = DEFAULT_SECONDS
    return obj | {"spec": spec}


def validate(request: Object) -> None:
    spec = request["spec"]
    seconds, causes = spec["expirationSeconds"], []
    if seconds < MINIMUM_SECONDS:
        causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > MAXIMUM_SECONDS:
        causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    if spec.get("boundObjectRef") and not spec["boundObjectRef"].get("name"):
        causes.append(required("spec.boundObjectRef.name"))
    if causes:
        raise Invalid.of("authentication.k8s.io", "TokenRequest", meta.name(request), causes)


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
