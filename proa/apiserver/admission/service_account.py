"""Gives every new pod a service account that exists, and mounts a token for it where each container expects one.

Mirror pods are the kubelet's picture of a static pod: they are left as they are and may refer to nothing.
"""

import random

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.apiserver.admission.mountable_secrets import debugging_problem, secrets_problem
from proa.apiserver.admission.refusal import fail, refuse
from proa.apiserver.authn.service_account_claims import BOUND_TOKEN_SECONDS
from proa.apiserver.authz.pod_references import references
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission
from proa.lib.clock import Clock

DEFAULT_ACCOUNT = "default"
DEFAULT_ACCOUNT_ATTEMPTS = 30
DEFAULT_ACCOUNT_INTERVAL = 0.05
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
ROOT_CA_CONFIG_MAP = "kube-root-ca.crt"
NAME_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Those of generated names: no vowels, so that no words come out."""
ENFORCE_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
TRUE = ("1", "t", "T", "true", "TRUE", "True")


class ServiceAccount(PassiveAdmission):
    name = "ServiceAccount"
    resources = frozenset({("", "pods")})

    def __init__(self, reader: ObjectReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def admit(self, attributes: Attributes) -> None:
        pod = _pod(attributes)
        if pod is None or attributes.operation != "CREATE" or MIRROR in meta.annotations(pod):
            return
        spec = pod.setdefault("spec", {})
        spec["serviceAccountName"] = spec["serviceAccount"] = spec.get("serviceAccountName") or DEFAULT_ACCOUNT
        account = await self._wait_for_account(attributes, spec["serviceAccountName"])
        if should_mount_token(account, spec):
            mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]

    async def validate(self, attributes: Attributes) -> None:
        pod = attributes.object
        if attributes.subresource == "ephemeralcontainers" and attributes.operation == "UPDATE" and pod is not None:
            if (account := self._strict_account(attributes, pod)) and (why := debugging_problem(account, pod)):
                raise fail(why)
            return
        if attributes.operation != "CREATE" or attributes.subresource or pod is None:
            return
        if MIRROR in meta.annotations(pod):
            self._validate_mirror_pod(attributes, pod)
        elif (account := self._strict_account(attributes, pod)) and (why := secrets_problem(account, pod)):
            raise refuse(attributes, why)

    def _strict_account(self, attributes: Attributes, pod: Object) -> Object | None:
        """The pod's account, if it lists the secrets that its pods may use."""
        account = self._account(attributes, pod["spec"].get("serviceAccountName", ""))
        return account if meta.annotations(account).get(ENFORCE_MOUNTABLE) in TRUE else None

    async def _wait_for_account(self, attributes: Attributes, name: str) -> Object:
        """A new namespace gets its default account from a controller a moment later: the first pod waits for that."""
        for _ in range(DEFAULT_ACCOUNT_ATTEMPTS if name == DEFAULT_ACCOUNT else 0):
            if self._reader.get("", "serviceaccounts", name, attributes.namespace) is not None:
                break
            await self._clock.sleep(DEFAULT_ACCOUNT_INTERVAL)
        return self._account(attributes, name)

    def _account(self, attributes: Attributes, name: str) -> Object:
        account = self._reader.get("", "serviceaccounts", name, attributes.namespace)
        if account is None:
            why = f'error looking up service account {attributes.namespace}/{name}: serviceaccount "{name}" not found'
            raise refuse(attributes, why)
        return account

    def _validate_mirror_pod(self, attributes: Attributes, pod: Object) -> None:
        if pod["spec"].get("serviceAccountName"):
            raise refuse(attributes, "a mirror pod may not reference service accounts")
        needed = references(pod)
        if needed.secrets:
            raise refuse(attributes, "a mirror pod may not reference secrets")
        if needed.config_maps:
            raise refuse(attributes, "a mirror pod may not reference configmaps")
        for volume in pod["spec"].get("volumes") or ():
            if any(source.get("serviceAccountToken") for source in (volume.get("projected") or {}).get("sources") or ()):
                raise refuse(attributes, "a mirror pod may not use ServiceAccountToken volume projections")


def _pod(attributes: Attributes) -> Object | None:
    return attributes.object if attributes.group_resource == ("", "pods") and not attributes.subresource else None


def should_mount_token(account: Object, spec: Object) -> bool:
    """The pod's word counts, then the account's; silence means yes."""
    for holder in (spec, account):
        wanted = holder.get("automountServiceAccountToken")
        if wanted is not None:
            return bool(wanted)
    return True


def mount_token(spec: Object) -> None:
    """Mount the token's volume into each container that has nothing at its path."""
    volumes = spec.get("volumes") or []
    existing = next((volume["name"] for volume in volumes if volume["name"].startswith(VOLUME_PREFIX)), "")
    name = existing or VOLUME_PREFIX + "".join(random.choices(NAME_CHARACTERS, k=5))
    mounted = False
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            mounts = container.get("volumeMounts") or []
            if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
                container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
                mounted = True
    if mounted and not existing:
        spec["volumes"] = [*volumes, {"name": name, "projected": {"defaultMode": 420, "sources": token_sources()}}]


def token_sources() -> list[Object]:
    """What a client library looks for: the token, the cluster's CA and the namespace."""
    own_namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return [
        {"serviceAccountToken": {"expirationSeconds": BOUND_TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": ROOT_CA_CONFIG_MAP, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [own_namespace]}},
    ]
