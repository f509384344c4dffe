"""Serves what CustomResourceDefinitions define, and keeps their status.

It is a part of the API server and not of the controller manager: a definition is served within milliseconds of its creation whether or
not any controller runs, and a changed schema holds from the answer to its update on. A deletion first drains the instances.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.meta import Object
from proa.api.schema_node import SchemaNode
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.call import ServerContext
from proa.apiserver.crd.definition_rules import is_true
from proa.apiserver.crd.drain import drain
from proa.apiserver.crd.scale import serve_scale
from proa.apiserver.crd.serving import CustomServed, selectable, served_versions, storage_prefix
from proa.apiserver.crd.status import FINALIZER, desired_status, is_settled, set_condition
from proa.apiserver.interface import ObjectWriter
from proa.apiserver.reader import CacheReader
from proa.apiserver.served import AttributesFunction
from proa.storage.interface import Collection, StoreEvent
from proa.storage.store import Store

log = logging.getLogger(__name__)

GROUP, PLURAL = "apiextensions.k8s.io", "customresourcedefinitions"
PATH = f"/apis/{GROUP}/v1/{PLURAL}"
RETRY_SECONDS = 1.0


class CustomResources:
    """`changed` is called when the set of served resources, or a schema, is another."""

    def __init__(
        self, context: ServerContext, store: Store, reader: CacheReader, writer: ObjectWriter, object_meta: SchemaNode,
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._context, self._store, self._reader, self._writer = context, store, reader, writer
        self._object_meta = object_meta
        self._webhooks = WebhookClient(reader)
        self._changed = changed
        self._served: dict[str, list[CustomServed]] = {}
        self._stored: dict[str, tuple[Collection, tuple[str, ...]]] = {}
        self._states: dict[str, tuple[object, ...]] = {}
        self._accepted: defaultdict[str, dict[str, Object]] = defaultdict(dict)
        """The names that definitions hold, by group and definition."""
        self._dirty: dict[str, None] = {}
        self._replaying = False
        self._wake = asyncio.Event()
        self._drains: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def _definitions(self) -> Collection:
        return self._context.served[GROUP, "v1", PLURAL].objects

    def find(self, name: str) -> Object | None:
        entry = self._definitions.peek(name)
        return None if entry is None else entry.decode()

    async def start(self) -> None:
        """Everything that is established is served when this returns."""
        if (GROUP, "v1", PLURAL) not in self._context.served:
            return
        self._replaying = True
        self._definitions.observe(self._observe)
        self._replaying = False
        for entry in list(self._definitions.current()):
            # Once, and one at a time: decoded, a definition is ten times as large as it is stored.
            await self._restore(entry.key, entry.decode())
        self._changed()
        self._task = asyncio.create_task(self._run(), name="custom-resources")

    async def stop(self) -> None:
        tasks = [task for task in (self._task, *self._drains.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._webhooks.close()

    async def _restore(self, name: str, crd: Object) -> None:
        """What is established is served again; what nothing has to be said of any more isn't looked at again."""
        self._hold(name, crd)
        if is_true(crd, "Established"):
            await self._serve(crd, notify=False)
        if not is_settled(crd):
            self._mark(name)

    def _hold(self, name: str, crd: Object) -> None:
        self._accepted[_group(name)][name] = (crd.get("status") or {}).get("acceptedNames") or {}

    def _observe(self, event: StoreEvent) -> None:
        """In the event loop, before the write is answered."""
        if self._replaying:
            return
        name = event.entry.key
        if event.type == "DELETED":
            self._accepted[_group(name)].pop(name, None)
        else:
            crd = event.entry.decode()
            self._hold(name, crd)
            if name in self._stored and is_true(crd, "Established"):
                self._install(name, crd)
        self._mark(name)

    def _mark(self, name: str) -> None:
        self._dirty[name] = None
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            names, self._dirty = list(self._dirty), {}
            for name in names:
                try:
                    await self._reconcile(name)
                except (Conflict, NotFound):
                    self._mark(name)
                except ApiError as error:
                    log.warning("CustomResourceDefinition %s: %s", name, error.message)
                    self._dirty[name] = None
                except Exception:
                    log.exception("CustomResourceDefinition %s can't be served", name)
            if self._dirty and not self._wake.is_set():
                await self._context.clock.sleep(RETRY_SECONDS)
                self._wake.set()

    async def _reconcile(self, name: str) -> None:
        crd = self.find(name)
        if crd is None:
            await self._withdraw(name)
            self._mark_group(name)
            return
        if crd["metadata"].get("deletionTimestamp"):
            self._start_drain(name)
        names = [accepted for other, accepted in self._accepted[_group(name)].items() if other != name]
        status = desired_status(crd, names, self._context.now())
        wanted = crd | {"status": status}
        if is_true(wanted, "Established"):
            # Served before anybody can read that it is.
            await self._serve(wanted)
        if status != crd.get("status"):
            await self._write_status(name, wanted)
            self._mark_group(name)

    def _mark_group(self, name: str) -> None:
        """A name may have become free."""
        for other in list(self._accepted[_group(name)]):
            if other != name:
                entry = self._definitions.peek(other)
                if entry is not None and b'"NamesAccepted"' in entry.value and not is_true(entry.decode(), "NamesAccepted"):
                    self._mark(other)

    async def _write_status(self, name: str, crd: Object) -> None:
        await self._writer.request("PUT", f"{PATH}/{name}/status", crd)

    async def _serve(self, crd: Object, *, notify: bool = True) -> None:
        name = crd["metadata"]["name"]
        fields, read = selectable(crd)
        known = self._stored.get(name)
        if known is not None and known[1] != fields:
            # Fields are read when an entry is made, so the entries must be made again.
            await self._store.drop(storage_prefix(crd))
            known = None
        if known is None:
            attributes = AttributesFunction.reading(read, namespaced=crd["spec"]["scope"] == "Namespaced")
            collection = await self._store.collection(storage_prefix(crd), attributes)
            self._stored[name] = collection, fields
            self._states.pop(name, None)
            self._reader.add(crd["spec"]["group"], crd["spec"]["names"]["plural"], collection)
        self._install(name, crd, notify=notify)

    def _install(self, name: str, crd: Object, *, notify: bool = True) -> None:
        state = _state(crd)
        if self._states.get(name) == state or selectable(crd)[0] != self._stored[name][1]:
            return
        collection, _ = self._stored[name]
        group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        made = served_versions(crd, collection, lambda: self.find(name), self._object_meta, self._webhooks, self._store.revision)
        self._remove(name)
        self._states[name], self._served[name] = state, made
        for served in made:
            self._context.served[group, served.resource.id.version, plural] = served
            if "scale" in served.resource.subresources:
                self._context.connect[group, plural, "scale"] = serve_scale
        if notify:
            self._changed()

    def _remove(self, name: str) -> None:
        for served in self._served.pop(name, ()):
            identity = served.resource.id
            self._context.served.pop((identity.group, identity.version, identity.plural), None)
            self._context.connect.pop((identity.group, identity.plural, "scale"), None)
            served.collection.close_watches()  # type: ignore[union-attr]

    async def _withdraw(self, name: str) -> None:
        if name not in self._stored:
            return
        self._remove(name)
        self._states.pop(name, None)
        del self._stored[name]
        plural, _, group = name.partition(".")
        self._reader.remove(group, plural)
        await self._store.drop(f"/registry/{group}/{plural}/")
        self._changed()

    def _start_drain(self, name: str) -> None:
        running = self._drains.get(name)
        if running is None or running.done():
            self._drains[name] = asyncio.create_task(self._drain(name), name=f"drain {name}")

    async def _drain(self, name: str) -> None:
        try:
            await self._finalize(name)
        except (Conflict, NotFound):
            self._mark(name)
        except ApiError as error:
            log.warning("instances of %s can't be deleted: %s", name, error.message)
            await self._context.clock.sleep(RETRY_SECONDS)
            self._mark(name)
        finally:
            self._drains.pop(name, None)

    async def _finalize(self, name: str) -> None:
        crd = self.find(name)
        if crd is None or FINALIZER not in (crd["metadata"].get("finalizers") or ()):
            return
        await self._set_terminating(crd, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        if name in self._stored and (served := self._served.get(name)):
            collection = self._stored[name][0]
            await drain(collection, served[0].resource.id, self._writer, self._context.clock)
        await self._retry(name, lambda found: self._set_terminating(found, "False", "InstanceDeletionCompleted", "removed all instances"))
        await self._retry(name, self._remove_finalizer)

    async def _retry(self, name: str, write: Callable[[Object], Awaitable[None]]) -> None:
        while True:
            crd = self.find(name)
            if crd is None:
                return
            try:
                await write(crd)
            except Conflict:
                continue
            return

    async def _set_terminating(self, crd: Object, value: str, reason: str, message: str) -> None:
        set_condition(crd["status"], "Terminating", value, reason, message, self._context.now())
        await self._write_status(crd["metadata"]["name"], crd)

    async def _remove_finalizer(self, crd: Object) -> None:
        meta = crd["metadata"]
        meta["finalizers"] = [each for each in meta.get("finalizers") or () if each != FINALIZER]
        await self._writer.request("PUT", f"{PATH}/{meta['name']}", crd)


def _group(name: str) -> str:
    return name.partition(".")[2]


def _state(crd: Object) -> tuple[object, ...]:
    """What of a definition decides how it is served."""
    accepted = sorted((field, str(value)) for field, value in crd["status"]["acceptedNames"].items())
    return crd["metadata"]["uid"], crd["metadata"].get("generation"), tuple(accepted), crd["metadata"].get("deletionTimestamp")
