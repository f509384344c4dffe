"""Makes service-account tokens: the `token` subresource of serviceaccounts. A token is never stored, only signed.

A token bound to a pod also names the pod's node, taken from the pod and not from the request, so that a node can't claim another's.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from proa.api import meta
from proa.api.errors import BadRequest, Cause, Conflict, Invalid, NotFound, invalid, required
from proa.api.meta import Object
from proa.apiserver.authn.service_account_claims import BOUND_TOKEN_SECONDS, Reference, build_claims
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader, User
from proa.lib.clock import Clock, format_time
from proa.lib.json_web_token import SigningKey

GROUP = "authentication.k8s.io"
DEFAULT_SECONDS = 3600
MINIMUM_SECONDS = 600
MAXIMUM_SECONDS = 1 << 32
PLURALS = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}
REPLACED = (
    "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then recreated"
)


class TokenRequests:
    def __init__(self, config: ApiServerConfig, key: SigningKey, reader: ObjectReader, clock: Clock) -> None:
        self._config = config
        self._key = key
        self._audiences = list(config.audiences)
        self._reader = reader
        self._clock = clock

    async def create(
        self, user: User, namespace: str, name: str, obj: Object, warn: Callable[[str], None] = lambda text: None
    ) -> Object:  # fmt: skip
        """The TokenRequest with its status filled in; raises NotFound, BadRequest, Conflict, Invalid."""
        check_names(obj, namespace, name)
        account = self._reader.get("", "serviceaccounts", name, namespace)
        if account is None:
            raise NotFound.of("", "serviceaccounts", name)
        request = with_defaults(obj, self._audiences)
        validate(request)
        bound = self._resolve(request["spec"].get("boundObjectRef"), namespace, name)
        self._shorten(request["spec"], warn)
        return self._issue(request, account, bound)

    def _shorten(self, spec: Object, warn: Callable[[str], None]) -> None:
        limit, seconds = int(self._config.service_account_max_token_expiration), spec["expirationSeconds"]
        if 0 < limit < seconds:
            warn(f"requested expiration of {seconds} seconds shortened to {limit} seconds")
            spec["expirationSeconds"] = limit

    def _issue(self, request: Object, account: Object, bound: dict[str, Reference]) -> Object:
        spec = request["spec"]
        seconds, now = spec["expirationSeconds"], int(self._clock.now().timestamp())
        is_mounted = seconds == BOUND_TOKEN_SECONDS and "pod" in bound and set(spec["audiences"]) <= set(self._audiences)
        extend = is_mounted and self._config.service_account_extend_token_expiration
        reference = Reference(meta.name(account), meta.uid(account))
        claims = build_claims(
            self._config.issuer, meta.namespace(account), reference, bound, spec["audiences"], now, seconds, extend=extend
        )  # fmt: skip
        stamp = {"name": reference.name, "namespace": meta.namespace(account), "creationTimestamp": _time(now)}
        status = {"token": self._key.encode(claims), "expirationTimestamp": _time(now + seconds)}
        identity = {"apiVersion": f"{GROUP}/v1", "kind": "TokenRequest"}
        return identity | {"metadata": (request.get("metadata") or {}) | stamp, "spec": spec, "status": status}

    def _resolve(self, reference: Object | None, namespace: str, account: str) -> dict[str, Reference]:
        if not reference:
            return {}
        kind = reference.get("kind", "")
        group, _, version = reference.get("apiVersion", "").rpartition("/")
        if group or kind not in PLURALS:
            raise BadRequest(f"cannot bind token for serviceaccount to object of type {group}/{version}, Kind={kind}")
        target = self._target(reference, kind, "" if kind == "Node" else namespace, account)
        bound = {kind.lower(): Reference(meta.name(target), meta.uid(target))}
        return bound | self._node_of(target) if kind == "Pod" else bound

    def _target(self, reference: Object, kind: str, namespace: str, account: str) -> Object:
        plural, name = PLURALS[kind], reference.get("name", "")
        target = self._reader.get("", plural, name, namespace)
        if target is None:
            raise NotFound.of("", plural, name)
        if kind == "Pod" and target.get("spec", {}).get("serviceAccountName", "") != account:
            raise BadRequest(f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.')
        if reference.get("uid") and reference["uid"] != meta.uid(target):
            raise Conflict.of("", kind, name, REPLACED.format(reference["uid"]))
        return target

    def _node_of(self, pod: Object) -> dict[str, Reference]:
        node_name = pod.get("spec", {}).get("nodeName", "")
        node = self._reader.get("", "nodes", node_name) if node_name else None
        return {"node": Reference(node_name, meta.uid(node) if node else "")} if node_name else {}


def check_names(obj: Object, namespace: str, name: str) -> None:
    """Raises Invalid: what the request says of its account must be what the path says."""
    given = obj.get("metadata") or {}
    causes: list[Cause] = []
    if given.get("name", name) not in ("", name):
        causes.append(invalid("metadata.name", given["name"], "must match the service account name if specified"))
    if given.get("namespace", namespace) not in ("", namespace):
        causes.append(invalid("metadata.namespace", given["namespace"], "must match the service account namespace if specified"))
    if causes:
        raise Invalid.of(GROUP, "TokenRequest", name, causes)


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
        raise Invalid.of(GROUP, "TokenRequest", "", causes)


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
