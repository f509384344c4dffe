"""Whole requests through the API server's handler, a few in a row on a fresh namespace: an answer of 500 is a finding, as is an exception.

One server stands for all inputs. What an input leaves behind is deleted, as far as its next one could meet it.
"""

import asyncio
import atexit
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import orjson

from fuzz.drawn import Drawn
from fuzz.loop import run, the_loop, within
from proa.api.schema import load_schema
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.server import ApiServer, build
from proa.lib.clock import VirtualClock
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse
from proa.lib.pki import load_or_create_private_key
from proa.storage.backends.memory import MemoryBackend

NAMESPACE = "/api/v1/namespaces/default"
KINDS = (
    (f"{NAMESPACE}/configmaps", "core.v1.ConfigMap", "v1"), (f"{NAMESPACE}/pods", "core.v1.Pod", "v1"),
    (f"{NAMESPACE}/services", "core.v1.Service", "v1"),
    (f"{NAMESPACE}/secrets", "core.v1.Secret", "v1"), ("/apis/apps/v1/namespaces/default/deployments", "apps.v1.Deployment", "apps/v1"),
    ("/apis/batch/v1/namespaces/default/cronjobs", "batch.v1.CronJob", "batch/v1"), ("/api/v1/nodes", "core.v1.Node", "v1"),
    ("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", "autoscaling.v2.HorizontalPodAutoscaler", "autoscaling/v2"),
    ("/apis/networking.k8s.io/v1/namespaces/default/ingresses", "networking.v1.Ingress", "networking.k8s.io/v1"),
    ("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", "networking.v1.NetworkPolicy", "networking.k8s.io/v1"),
    ("/apis/apps/v1/namespaces/default/statefulsets", "apps.v1.StatefulSet", "apps/v1"),
    ("/api/v1/persistentvolumes", "core.v1.PersistentVolume", "v1"),
    (f"{NAMESPACE}/persistentvolumeclaims", "core.v1.PersistentVolumeClaim", "v1"), (f"{NAMESPACE}/events", "core.v1.Event", "v1"),
    ("/apis/resource.k8s.io/v1/namespaces/default/resourceclaims", "resource.v1.ResourceClaim", "resource.k8s.io/v1"),
    ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "discovery.v1.EndpointSlice", "discovery.k8s.io/v1"),
    ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", "policy.v1.PodDisruptionBudget", "policy/v1"),
    ("/apis/storage.k8s.io/v1/csistoragecapacities", "storage.v1.CSIStorageCapacity", "storage.k8s.io/v1"),
    ("/apis/authorization.k8s.io/v1/subjectaccessreviews", "authorization.v1.SubjectAccessReview", "authorization.k8s.io/v1"),
)  # fmt: skip
METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE", "POST", "PATCH")
SUFFIXES = ("", "/status", "/scale", "/x", "/eviction", "/binding", "/log", "/ephemeralcontainers", "/resize")
NAMES = ("/a", "/a", "/a", "", "/b", "/A", "/%00", "/a%2fb", "/" + "x" * 260)
QUERIES = ("", "", "fieldManager=m", "fieldManager=m&force=true", "dryRun=All", "fieldValidation=Strict", "limit=1", "labelSelector=a%3Db",
           "fieldSelector=metadata.name%3Da", "resourceVersion=0", "gracePeriodSeconds=0", "pretty=true", "resourceVersion=" + "1" * 5000,
           "limit=99999999999999999999", "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0")  # fmt: skip
PATCHES = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
BODIES = ("application/json", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", "")
ACCEPTED = ("application/json", "*/*", "application/json;as=Table;g=meta.k8s.io;v=v1", "application/vnd.kubernetes.protobuf",
            "application/yaml", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "x")  # fmt: skip
TEMPLATE: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
VALID: dict[str, dict[str, Any]] = {
    "Pod": TEMPLATE["spec"],
    "Deployment": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
    "StatefulSet": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE, "serviceName": "s"},
    "CronJob": {
        "schedule": "* * * * *",
        "jobTemplate": {"spec": {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}},
    },
    "Service": {"ports": [{"port": 80}]},
    "HorizontalPodAutoscaler": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}},
    "PersistentVolumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    "PersistentVolume": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}},
    "NetworkPolicy": {"podSelector": {}},
    "Ingress": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}},
    "SubjectAccessReview": {"user": "u", "resourceAttributes": {"verb": "get", "resource": "pods"}},
}
FORESEEN = (
    "failed to create typed patch object", "cannot merge lists without merge key",
    "resourceVersion should not be set on objects to be created",
)  # fmt: skip
"""What upstream answers with 500 too begins so."""


@cache
def server() -> ApiServer:
    directory = Path(tempfile.mkdtemp(prefix="proa-fuzz-"))
    key, nowhere = directory / "sa.key", Path("/nonexistent")
    load_or_create_private_key(key)
    config = ApiServerConfig(
        data_directory=directory, listen=(), unix_socket=None, certificate=nowhere, private_key=nowhere, client_ca=key,
        service_account_key=key, advertise_address="10.0.0.9", storage="memory",
    )  # fmt: skip

    async def start() -> ApiServer:
        built = await build(config, clock=VirtualClock(), backend=MemoryBackend())
        await built.start(listen=False)
        await _ask(built, "POST", f"{NAMESPACE}/serviceaccounts", {}, orjson.dumps({"metadata": {"name": "default"}}))
        return built

    loop = the_loop()[0]
    started = loop.run_until_complete(start())
    atexit.register(lambda: loop.run_until_complete(started.stop(0)))
    return started


def one(data: bytes) -> None:
    run(_requests(server(), Drawn(data)))


async def _requests(asked: ApiServer, drawn: Drawn) -> None:
    kind = drawn.choice(KINDS)
    for _ in range(6):
        method, target, headers, body = _request(drawn, *kind)
        status, answer = await _ask(asked, method, target, headers, body)
        told = answer.decode(errors="replace") if status == 500 else ""
        assert status != 500 or any(each in told for each in FORESEEN), (method, target, headers, body, answer[:500])
        if drawn.is_at_end:
            break
    options = orjson.dumps({"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    for name in ("a", "b"):
        await _ask(asked, "PATCH", f"{kind[0]}/{name}", {"content-type": PATCHES[0]}, b'{"metadata":{"finalizers":null}}')
        await _ask(asked, "DELETE", f"{kind[0]}/{name}", {"content-type": "application/json"}, options)


def _request(drawn: Drawn, collection: str, definition: str, api_version: str) -> tuple[str, str, dict[str, str], bytes]:
    method = drawn.choice(METHODS)
    name = "" if method == "POST" and drawn.below(8) else drawn.choice(NAMES)
    target = collection + name + (drawn.choice(SUFFIXES) if name and not drawn.below(3) else "")
    if query := drawn.choice(QUERIES):
        target += f"?{query}"
    content_type = drawn.choice(PATCHES if method == "PATCH" else BODIES)
    body = b"" if method == "GET" else _body(drawn, definition, api_version, content_type)
    return method, target, {"content-type": content_type, "accept": drawn.choice(ACCEPTED)}, body


def _body(drawn: Drawn, definition: str, api_version: str, content_type: str) -> bytes:
    fate = drawn.below(8)
    if fate == 7:
        return drawn.take(drawn.below(64))
    if content_type == PATCHES[2]:
        places = (
            "/metadata",
            "/metadata/labels",
            "/spec",
            "/spec/x",
            "/status",
            "/data",
            "/metadata/name",
            "/metadata/managedFields",
            "",
            "/kind",
        )
        steps = [
            {"op": drawn.choice(("add", "replace", "remove", "test")), "path": drawn.choice(places), "value": drawn.json(2)}
            for _ in range(2)
        ]
        return orjson.dumps(steps)
    made = drawn.json(3) if fate == 6 else drawn.of(load_schema().node(f"io.k8s.api.{definition}"), 7)
    if isinstance(made, dict) and fate < 5:
        kind = definition.rpartition(".")[2]
        metadata = made.get("metadata") or {}
        made = {**made, "apiVersion": api_version, "kind": kind, "metadata": {**metadata, "name": "a", "namespace": "default"}}
        if "/namespaces/" not in api_version and kind in ("Node", "PersistentVolume", "SubjectAccessReview"):
            del made["metadata"]["namespace"]
        if fate < 4 and kind in VALID:
            made["spec"] = {**(made.get("spec") or {}), **VALID[kind]} if fate < 2 else {**VALID[kind], **(made.get("spec") or {})}
        if fate < 3:
            for assigned in ("uid", "resourceVersion", "managedFields", "ownerReferences", "finalizers", "deletionTimestamp"):
                made["metadata"].pop(assigned, None)
    return orjson.dumps(made)


class _Nobody:
    """A peer that goes away at once."""

    async def write(self, data: bytes) -> None:
        """Dropped."""

    async def wait_closed(self) -> None:
        await asyncio.sleep(0)


async def _ask(asked: ApiServer, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    named = {"user-agent": "fuzz/1", "content-type": "application/json", **headers}
    parameters = parse_qs(query, keep_blank_values=True)
    request = Request(method, unquote(path), parameters, named, body, quote(path, safe="/%"), query, "unix")
    try:
        response: AnyResponse = await within(asked.handler(request))
        await asyncio.sleep(0)
        if isinstance(response, StreamResponse):
            await within(response.run(_Nobody()))
    except TimeoutError:
        raise AssertionError(f"no end of {method} {target} {headers} {body!r}") from None
    if not isinstance(response, Response):
        return 0, b""
    return response.status, response.body if isinstance(response.body, bytes) else b"".join(response.body)
