"""The API server put together: store, caches, registry, authentication, authorization, admission, verbs, listeners.

`build` makes all parts and connects them; nothing runs before `start`. `handler` answers requests without sockets, for the parts of the
control plane that share the process and for tests.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from proa.api.resource import Resource
from proa.api.schema import Schema, load_schema
from proa.api.schema_node import ANY, SchemaNode
from proa.api.validation import compile_decoder
from proa.apiserver.admission.chain import AdmissionChain, build_admission
from proa.apiserver.admission.metrics import AdmissionMetrics
from proa.apiserver.aggregation.aggregator import Aggregator
from proa.apiserver.allocators.allocation import Allocation
from proa.apiserver.authn.build import build_authentication
from proa.apiserver.authn.openid_discovery import (
    CONFIGURATION_PATH,
    KEYS_MEDIA_TYPE,
    KEYS_PATH,
    json_web_key_set,
    openid_configuration,
    published,
)
from proa.apiserver.authz.aggregation import RoleAggregation
from proa.apiserver.authz.build import build_authorization
from proa.apiserver.bootstrap.authentication_trust import TrustKeeper
from proa.apiserver.bootstrap.cluster_objects import client_authority
from proa.apiserver.bootstrap.identity import IdentityLease
from proa.apiserver.bootstrap.run import Bootstrap, ensure
from proa.apiserver.call import Connect, ServerContext
from proa.apiserver.cbor_body import FEATURE_GATE
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.connect.install import has_long_body
from proa.apiserver.connect.install import install as install_connect
from proa.apiserver.crd.controller import CustomResources
from proa.apiserver.crd.openapi import CustomDefinitions
from proa.apiserver.failure import refusal
from proa.apiserver.fairness.dump import PREFIX as DUMPS
from proa.apiserver.fairness.dump import Dumps
from proa.apiserver.field_managers import SchemaFieldManagers
from proa.apiserver.health import Check, Health
from proa.apiserver.maintenance import compact_forever, expire_events_forever
from proa.apiserver.openapi_paths import OpenApiPaths
from proa.apiserver.paths import Paths, Static, Subtree
from proa.apiserver.pipeline import Pipeline
from proa.apiserver.policy_status import PolicyStatus
from proa.apiserver.process_metrics import add_process_metrics
from proa.apiserver.reader import CacheReader
from proa.apiserver.registry.builtin import builtin_resources
from proa.apiserver.registry.controllers import missing_controller_warning
from proa.apiserver.registry.lifecycle import deprecation_of
from proa.apiserver.request_metrics import RequestMetrics
from proa.apiserver.reviews.build import build_reviews
from proa.apiserver.served import GroupVersionResource, ServedResource, attributes_of
from proa.apiserver.stages import Stages, build_stages
from proa.apiserver.version import version_document
from proa.apiserver.writer import ChainWriter
from proa.lib.clock import Clock, SystemClock
from proa.lib.http.message import Handler
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from proa.lib.http.tls import server_context
from proa.lib.json_web_token import SigningKey
from proa.lib.metrics import Registry
from proa.storage.interface import Backend
from proa.storage.store import Store

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class ApiServer:
    """A running (or not yet running) API server."""

    def __init__(
        self, config: ApiServerConfig, context: ServerContext, store: Store, pipeline: Pipeline, reader: CacheReader,
        writer: ChainWriter, paths: Paths, allocation: Allocation, schema: Schema, clock: Clock, aggregator: Aggregator,
        stages: Stages,
    ) -> None:  # fmt: skip
        self.config = config
        self.context = context
        self.handler: Handler = pipeline
        self.store = store
        self.reader = reader
        self.writer = writer
        self.paths = paths
        self.aggregator = aggregator
        self.schema = schema
        self.ready = False
        self._allocation = allocation
        self._clock = clock
        self.stages = stages
        self._http = HttpServer(pipeline, ServerOptions(refuse=refusal, eager_get=True, streams=has_long_body))
        self._aggregation = RoleAggregation(reader, writer, clock)
        self._policy_status = PolicyStatus(reader, writer, context.served, clock)
        object_meta = schema.node(OBJECT_META)
        self.custom_resources = CustomResources(context, store, reader, writer, object_meta, self._definitions_changed)
        self._loops: list[asyncio.Task[None]] = []
        self.background: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """What else runs from start to stop."""
        self.ports: list[int] = []

    def _definitions_changed(self) -> None:
        self.paths.forget()
        self.aggregator.resources_changed()

    @property
    def connect(self) -> dict[tuple[str, str, str], Connect]:
        """Handlers of streaming subresources, by (group, plural, subresource)."""
        return self.context.connect

    async def start(self, *, listen: bool = True) -> None:
        """Load what is stored, make the objects that every cluster has, then listen."""
        if self.stages.auditor is not None:
            self.stages.auditor.start()
        await self.store.start()
        await self.custom_resources.start()
        served = self.context.served
        serves = lambda each: (each.group, each.version, each.plural) in served  # noqa: E731
        system = Bootstrap(self.reader, self.writer, self.config, serves, self._clock)
        await system.run()
        await self._allocation.repair.round(grace=0)
        await self.aggregator.start()
        compaction = compact_forever(self.store, self._clock, self.config.compaction_interval)
        events = self.context.served["", "v1", "events"].objects
        self._loops = [
            asyncio.create_task(compaction, name="compaction"),
            asyncio.create_task(expire_events_forever(events, self._clock), name="event-expiry"),
            asyncio.create_task(self._aggregation.run(), name="role-aggregation"),
            asyncio.create_task(self._trust_keeper().run(), name="authentication-trust"),
            asyncio.create_task(system.keep_forever(), name="system-objects"),
            asyncio.create_task(self._allocation.repair.run(), name="cluster-ip-repair"),
            asyncio.create_task(IdentityLease(self.reader, self.writer, self._clock).run(), name="identity-lease"),
            *(asyncio.create_task(run()) for run in self.background),
            asyncio.create_task(self._policy_status.run(), name="policy-status"),
        ]
        for name, loop in (await self.stages.start(self.reader, self.writer, self._clock)).items():
            self._loops.append(asyncio.create_task(loop, name=name))
        self.ready = True
        if listen:
            await self._listen()

    def _trust_keeper(self) -> TrustKeeper:
        ((resource, wanted),) = client_authority(self.config)
        config_maps = self.context.served["", "v1", "configmaps"].objects
        return TrustKeeper(config_maps, lambda: ensure(self.reader, self.writer, resource, wanted), self._clock)

    async def _listen(self) -> None:
        if self.config.unix_socket is not None:
            await self._http.listen_unix(self.config.unix_socket)
        if self.config.listen:
            authorities = self.config.client_ca, self.config.requestheader_client_ca
            tls = server_context(self.config.certificate, self.config.private_key, *authorities)
            self.ports = [await self._http.listen(host, port, tls) for host, port in self.config.listen]

    async def stop(self, grace: float = 5.0) -> None:
        """Stop taking requests, let those at work finish, end watches, close the store."""
        self.ready = False
        await self._http.stop(grace)
        await self.aggregator.stop()
        await self.custom_resources.stop()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.context.admission.close()
        await self.stages.close()
        await self.store.stop()

    async def serve(self, resources: Iterable[Resource]) -> None:
        """Add resources to what is served; their collections load at once if the server runs."""
        for resource in resources:
            identity = resource.id
            served = ServedResource(resource, functools.partial(self._schema_of, resource))
            served.deprecation, served.removed_release = deprecation_of(identity, _minor(self.config))
            served.controllerless = missing_controller_warning(identity.group, identity.plural, identity.kind)
            if not resource.virtual:
                served.collection = await self.store.collection(resource.storage_key, attributes_of(resource))
                self.reader.add(identity.group, identity.plural, served.collection)
                served.hook = self._allocation.hooks.get((identity.group, identity.plural))
                self._allocation.attach(identity.group, identity.plural, served.collection)
            self.context.served[identity.group, identity.version, identity.plural] = served
        self.paths.forget()

    def _schema_of(self, resource: Resource) -> SchemaNode:
        return self.schema.node(resource.definition) if resource.definition else ANY


def _minor(config: ApiServerConfig) -> int:
    return int(config.kubernetes_version.split(".")[1])


def _backend(config: ApiServerConfig) -> Backend:
    if config.storage == "memory":
        from proa.storage.backends.memory import MemoryBackend

        return MemoryBackend()
    from proa.storage.backends.sqlite import SqliteBackend

    return SqliteBackend(config.data_directory / "store.db")


async def build(config: ApiServerConfig, *, clock: Clock | None = None, backend: Backend | None = None) -> ApiServer:
    """All parts, connected; call `start` next."""
    clock = clock or SystemClock()
    schema = load_schema(config.kubernetes_version)
    store = Store(backend or _backend(config), clock)
    reader, writer, registry = CacheReader(), ChainWriter(), Registry()
    served: dict[GroupVersionResource, ServedResource] = {}
    authentication = build_authentication(config, reader, clock, writer)
    authorizer, authorization_loops = build_authorization(config, reader, clock)
    admission_metrics = AdmissionMetrics(registry)
    admission = AdmissionChain(build_admission(reader, writer, config, authorizer, clock, served, admission_metrics), admission_metrics)
    metrics = RequestMetrics(registry, served)
    add_process_metrics(registry, lambda: version_document(config.kubernetes_version))
    context = ServerContext(
        clock=clock,
        served=served,
        admission=admission,
        authorizer=authorizer,
        reader=reader,
        revision=lambda: store.revision,
        field_managers=SchemaFieldManagers(),
        decoder_of=functools.cache(lambda definition: compile_decoder(schema.node(definition))),
        reviews=build_reviews(authentication, authorizer),
        token_request=authentication.token_requests.create,
        watch_started=metrics.watch_changed,
        watch_events=metrics.events_cell,
        offer=reader.offer,
        withdraw=reader.withdraw,
        constrained_impersonation=config.feature_gates.get("ConstrainedImpersonation", _minor(config) >= 36),
        min_request_timeout=config.min_request_timeout,
    )
    stages = build_stages(config, reader, served, clock, registry)
    aggregator = Aggregator(context, config, writer, registry, lambda: paths.forget_discovery(), lambda: paths.forget())
    version = f"v{config.kubernetes_version}.0"
    openapi = OpenApiPaths(schema, lambda: _listed(served), version, CustomDefinitions(served), aggregator.documents)
    address = f"{config.advertise_address}:{config.advertise_port}"
    documents = _documents(config, authentication.signing_key, address)
    allocation = Allocation(config, reader, writer, clock, context.now)
    started = _Readiness()
    subtrees = {"/openapi": openapi, **_dumps(stages, clock)}
    paths = Paths(lambda: _listed(served), address, documents, _health(started), registry, subtrees, aggregator.registered)
    cbor = config.feature_gates.get(FEATURE_GATE, False)
    pipeline = Pipeline(context, authentication.authenticator, paths, metrics, stages, speaks_cbor=cbor)
    writer.handler = pipeline
    server = ApiServer(config, context, store, pipeline, reader, writer, paths, allocation, schema, clock, aggregator, stages)
    started.server = server
    server.background += [*authentication.loops, *authorization_loops]
    install_connect(context, config)
    await server.serve(builtin_resources(schema, config.runtime_config))
    return server


def _dumps(stages: Stages, clock: Clock) -> dict[str, Subtree]:
    fairness = stages.fairness
    return {} if fairness is None else {DUMPS: Dumps(fairness.configuration, fairness.metrics, clock)}


def _listed(served: dict[GroupVersionResource, ServedResource]) -> Sequence[Resource]:
    return [each.resource for each in served.values()]


def _documents(config: ApiServerConfig, key: SigningKey, address: str) -> dict[str, Static]:
    discovery = functools.partial(openid_configuration, key, config.issuer, f"https://{address}", config.service_account_jwks_uri)
    return {
        "/version": lambda: version_document(config.kubernetes_version),
        CONFIGURATION_PATH: lambda: published(discovery()),
        KEYS_PATH: lambda: published(json_web_key_set(key), KEYS_MEDIA_TYPE),
    }


class _Readiness:
    """What health checks ask of a server that is made after them."""

    server: ApiServer | None = None

    def ready(self) -> str:
        return "" if self.server is not None and self.server.ready else "not ready"


START_HOOKS = (
    "start-apiserver-admission-initializer", "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes",
    "start-cluster-authentication-info-controller", "apiservice-registration-controller", "apiservice-discovery-controller",
    "apiservice-status-local-available-controller", "apiservice-status-remote-available-controller", "kube-apiserver-autoregistration",
    "apiservice-openapi-controller", "apiservice-openapiv3-controller", "priority-and-fairness-config-producer",
    "priority-and-fairness-config-consumer", "priority-and-fairness-filter",
)  # fmt: skip
"""By upstream's names, what has been done when the server is ready."""


def _health(started: _Readiness) -> list[Health]:
    def fine() -> str:
        return ""

    live: dict[str, Check] = {"ping": fine, "log": fine, "etcd": fine}
    live |= {f"poststarthook/{name}": started.ready for name in START_HOOKS} | {"autoregister-completion": started.ready}
    return [
        Health("livez", live),
        Health("healthz", live),
        Health("readyz", {**live, "informer-sync": started.ready, "shutdown": started.ready}),
    ]
