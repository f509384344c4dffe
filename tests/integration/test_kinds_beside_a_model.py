"""Random writes of pods, Deployments, custom resources and Leases beside a model of upstream's rules (`kinds_model.py`): every answer,
every object, every watch event with its object, and every resource version is compared after each step.

ConfigMaps with their field managers have a model of their own (`test_writes_beside_a_model.py`).
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proa.lib.pki import load_or_create_private_key
from tests.integration import kinds_model as model
from tests.integration.conftest import Answer, Api, Watch, running
from tests.integration.kinds_model import KINDS, LEASE, POD, WIDGET, Content, Kind, Model, Refused, Removal
from tests.integration.test_custom_resources import definition, establish, version

KIND, NAME = st.sampled_from(KINDS), st.sampled_from(["a", "b"])
PLACE = st.integers(0, 7)
"""Of an object among those that are there."""
FINALIZERS = st.sampled_from([(), ("example.com/f",), ("example.com/f", "example.com/g"), (model.ORPHAN,), (model.FOREGROUND,)])
OWNERS = st.sampled_from([(), (("1", True),), (("1", True), ("2", False)), (("1", True), ("2", True))])
WORD = st.sampled_from(["", "x", "y"])
STATUS = st.sampled_from(["Running", "Succeeded", "Failed"])
CONTENT = st.builds(Content, st.integers(1, 2), STATUS, WORD, WORD, FINALIZERS, OWNERS, st.booleans())
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "value": st.integers(1, 2), "status": STATUS, "label": WORD, "annotation": WORD, "finalizers": FINALIZERS, "owners": OWNERS,
    },
)  # fmt: skip
DRY = st.sampled_from([False, False, True])
POLICY = st.sampled_from([None, "Background", "Foreground", "Orphan"])
GRACE = st.sampled_from([None, None, 0, 0, 5, 10, 60, -1])
ENDPOINT = st.sampled_from(["", "", "status"])
WIDGET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"value": {"type": "integer"}, "size": {"type": "integer", "default": 7}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}, "level": {"type": "string", "default": "low"}}},
    },
}


@dataclass
class Stored:
    """What is there, and the object as the server last told it."""

    model: Model
    raw: Any

    @property
    def version(self) -> str:
        version: str = self.raw["metadata"]["resourceVersion"]
        return version


@dataclass(frozen=True)
class Event:
    """`version` "" is not known beforehand."""

    type: str
    name: str
    model: Model
    version: str = ""


class KindsOfWrites(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.server = running(KEY, Path(self.directory.name))
        self.api: Api = self.run(self.server.__aenter__())
        crd = definition(versions=[version(schema={"openAPIV3Schema": WIDGET_SCHEMA}, subresources={"status": {}})])
        self.run(establish(self.api, crd))
        self.objects: dict[Kind, dict[str, Stored]] = {kind: {} for kind in KINDS}
        self.expected: dict[Kind, list[Event]] = {kind: [] for kind in KINDS}
        self.touched: set[Kind] = set(KINDS)
        """By the newest step; what another kind's write does to a kind is seen when that is next touched."""
        self.newest = int(self.send("GET", POD.path).body["metadata"]["resourceVersion"])
        self.seen = dict.fromkeys(KINDS, self.newest)
        self.watches: dict[Kind, Watch] = {kind: self.watched(kind) for kind in KINDS}

    def teardown(self) -> None:
        self.run(self.server.__aexit__(None, None, None))
        self.loop.close()
        self.directory.cleanup()

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def send(self, method: str, target: str, body: Any = None, **more: str) -> Answer:
        if method != "GET":
            self.touched |= {kind for kind in KINDS if target.startswith(kind.path)}
        answer: Answer = self.run(self.api(method, target, body, **more))
        return answer

    def watched(self, kind: Kind) -> Watch:
        watch: Watch = self.run(self.api.watch(f"{kind.path}?watch=1&resourceVersion={self.seen[kind]}"))
        return watch

    def now(self) -> Any:
        return self.api.clock.now().replace(microsecond=0)

    # -- what a write must come to

    def settle(self, kind: Kind, name: str, new: Model, answer: Answer, *, dry: bool) -> None:
        old = self.objects[kind].get(name)
        assert answer.status == (201 if old is None else 200), answer.raw
        assert model.differences(kind, answer.body, new) == []
        version = answer.body["metadata"].get("resourceVersion", "")
        if new.gone and old is not None:
            if not dry:
                self.gone(kind, name, old.model)
            return
        if dry or (old is not None and old.model == new):
            before = old.raw["metadata"] if old is not None else {"resourceVersion": ""}
            assert version == before["resourceVersion"], (answer.body["metadata"], before)
            return
        self.written(kind, name, new, version)
        self.objects[kind][name] = Stored(new, answer.body)

    def written(self, kind: Kind, name: str, new: Model, version: str = "") -> None:
        self.expected[kind].append(Event("MODIFIED" if name in self.objects[kind] else "ADDED", name, new, version))
        if version:
            assert int(version) > self.newest
            self.newest = int(version)

    def gone(self, kind: Kind, name: str, last: Model) -> None:
        """The event of a deletion tells what was stored last."""
        del self.objects[kind][name]
        self.expected[kind].append(Event("DELETED", name, last))

    def refused(self, answer: Answer, expected: Refused) -> None:
        assert answer.summary[:2] == expected.summary, answer.raw
        if expected.field:
            assert {cause["field"] for cause in answer.body["details"]["causes"]} == {expected.field}

    def some(self, place: int) -> tuple[Kind, str, Stored]:
        there = [(kind, name, stored) for kind in KINDS for name, stored in sorted(self.objects[kind].items())]
        return there[place % len(there)]

    @property
    def anything(self) -> bool:
        return any(self.objects.values())

    # -- writes

    @initialize(contents=st.lists(CONTENT, min_size=2 * len(KINDS), max_size=2 * len(KINDS)))
    def begin(self, contents: list[Content]) -> None:
        for kind in KINDS:
            for name in ("a", "b"):
                self.create(kind, name, contents.pop(), False)

    @rule(kind=KIND, name=NAME, content=CONTENT, dry=DRY)
    def create(self, kind: Kind, name: str, content: Content, dry: bool) -> None:
        answer = self.send("POST", kind.path + query(dry), model.body(kind, name, content))
        self.settle_creation(kind, name, content, answer, dry=dry)

    def settle_creation(self, kind: Kind, name: str, content: Content, answer: Answer, *, dry: bool) -> None:
        try:
            new = model.created(kind, content)
        except Refused as refused:
            self.refused(answer, refused)
            return
        if name in self.objects[kind]:
            assert answer.summary[:2] == (409, "AlreadyExists")
            assert answer.summary[2].startswith("object is being deleted: ") == self.objects[kind][name].model.deleting
            return
        self.settle(kind, name, new, answer, dry=dry)

    @rule(name=NAME, content=CONTENT, kind=KIND, endpoint=ENDPOINT, dry=DRY)
    def put_what_is_not_there(self, name: str, content: Content, kind: Kind, endpoint: str, dry: bool) -> None:
        if name in self.objects[kind] or (endpoint and not kind.status):
            return
        answer = self.send("PUT", target(kind, name, endpoint) + query(dry), model.body(kind, name, content))
        if kind.creates_on_update:
            self.settle_creation(kind, name, content, answer, dry=dry)
        else:
            assert answer.summary[:2] == (404, "NotFound")

    @precondition(lambda self: self.anything)
    @rule(
        place=PLACE, changes=CHANGES, endpoint=ENDPOINT, dry=DRY, verb=st.sampled_from(["PUT", "PATCH"]),
        state=st.sampled_from(["current", "current", "current", "none", "stale", "other uid"]),
    )  # fmt: skip
    def change(self, place: int, changes: dict[str, Any], endpoint: str, dry: bool, verb: str, state: str) -> None:
        kind, name, old = self.some(place)
        endpoint = endpoint if kind.status else ""
        asked = replace(old.model.content, **changes)
        given = {"none": {"resourceVersion": ""}, "stale": {"resourceVersion": "1"}, "other uid": {"uid": "x"}}.get(state, {})
        where = target(kind, name, endpoint) + query(dry)
        if verb == "PUT":
            answer = self.send("PUT", where, rewritten(kind, old.raw, asked, given))
        else:
            self.touched.add(kind)
            answer = self.run(self.api.patch("merge", where, merge_patch(kind, old.raw, asked, changes, given if state != "none" else {})))
        try:
            check_state(kind, verb, state, endpoint)
            new = model.updated(kind, old.model, asked, endpoint)
        except Refused as refused:
            self.refused(answer, refused)
            return
        self.settle(kind, name, new, answer, dry=dry)

    @rule(name=NAME, dry=DRY)
    def bind(self, name: str, dry: bool) -> None:
        old = self.objects[POD].get(name)
        answer = self.send("POST", target(POD, name, "binding") + query(dry), {"metadata": {"name": name}, "target": {"name": "n"}})
        if old is None:
            assert answer.summary[:2] == (404, "NotFound")
            return
        try:
            new = model.bound(old.model)
        except Refused as refused:
            self.refused(answer, refused)
            return
        assert (answer.status, answer.body["status"]) == (201, "Success")
        if not dry:
            raw = self.send("GET", target(POD, name)).body
            self.written(POD, name, new, raw["metadata"]["resourceVersion"])
            self.objects[POD][name] = Stored(new, raw)

    # -- deletion

    @precondition(lambda self: self.anything)
    @rule(
        place=PLACE, grace=GRACE, policy=POLICY, dry=DRY, state=st.sampled_from(["none", "none", "right", "other uid", "stale"]),
    )  # fmt: skip
    def delete(self, place: int, grace: int | None, policy: str | None, dry: bool, state: str) -> None:
        kind, name, old = self.some(place)
        right = {"uid": old.raw["metadata"]["uid"], "resourceVersion": old.version}
        given = {"right": right, "other uid": {"uid": "x"}, "stale": {"resourceVersion": "1"}}.get(state)
        options = delete_options(grace, policy, dry) | ({"preconditions": given} if given else {})
        answer = self.send("DELETE", target(kind, name), options)
        if state in ("other uid", "stale"):
            assert answer.summary[:2] == (409, "Conflict")
        else:
            self.settle_removal(kind, name, old, model.removed(kind, old.model, grace, policy, self.now()), answer, dry=dry)

    def settle_removal(self, kind: Kind, name: str, old: Stored, removal: Removal, answer: Answer, *, dry: bool) -> None:
        assert answer.status == 200, answer.raw
        last = removal.written or old.model
        if removal.outcome == "goes" and not kind.answers_with_object:
            assert (answer.body["status"], answer.body["details"]["uid"]) == ("Success", old.raw["metadata"]["uid"])
        else:
            assert model.differences(kind, answer.body, last) == []
        if not dry:
            self.carried_out(kind, name, old, removal)

    def carried_out(self, kind: Kind, name: str, old: Stored, removal: Removal) -> None:
        if removal.written is not None and removal.written != old.model:
            raw = None if removal.outcome == "goes" else self.send("GET", target(kind, name)).body
            self.written(kind, name, removal.written, raw["metadata"]["resourceVersion"] if raw else "")
            old = self.objects[kind][name] = Stored(removal.written, raw)
        if removal.outcome == "goes":
            self.gone(kind, name, old.model)

    @rule(name=NAME, kind=KIND)
    def delete_what_is_not_there(self, name: str, kind: Kind) -> None:
        if name not in self.objects[kind]:
            assert self.send("DELETE", target(kind, name)).summary[:2] == (404, "NotFound")

    @rule(kind=KIND, label=st.sampled_from(["x", "y"]), grace=GRACE, policy=POLICY, dry=DRY)
    def delete_collection(self, kind: Kind, label: str, grace: int | None, policy: str | None, dry: bool) -> None:
        answer = self.send("DELETE", f"{kind.path}?labelSelector=l%3D{label}", delete_options(grace, policy, dry))
        chosen = {name: old for name, old in sorted(self.objects[kind].items()) if old.model.content.label == label}
        assert answer.status == 200, answer.raw
        assert [item["metadata"]["name"] for item in answer.body["items"]] == list(chosen)
        for name, old in chosen.items():
            removal = model.removed(kind, old.model, grace, policy, self.now())
            if not dry:
                self.carried_out(kind, name, old, removal)

    # -- time and streams

    @rule(seconds=st.sampled_from([1, 7]))
    def time_passes(self, seconds: int) -> None:
        self.run(self.api.clock.advance(seconds))

    @rule(kind=KIND)
    def resume(self, kind: Kind) -> None:
        """Another watch goes on where the first one ended."""
        self.run(self.watches[kind].close())
        self.watches[kind] = self.watched(kind)

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        for kind in KINDS:
            if kind not in self.touched:
                continue
            listed = self.send("GET", kind.path).body
            objects = self.objects[kind]
            assert [item["metadata"]["name"] for item in listed["items"]] == sorted(objects)
            for item in listed["items"]:
                stored = objects[item["metadata"]["name"]]
                assert model.differences(kind, item, stored.model) == []
                assert item["metadata"]["resourceVersion"] == stored.version
                assert item["metadata"]["uid"] == stored.raw["metadata"]["uid"]
            for event in self.expected[kind]:
                self.compare_event(kind, event)
            self.expected[kind].clear()
            assert int(listed["metadata"]["resourceVersion"]) >= self.newest
        self.touched.clear()

    def compare_event(self, kind: Kind, expected: Event) -> None:
        event = self.run(self.watches[kind].next())
        metadata = event["object"]["metadata"]
        assert (event["type"], metadata["name"]) == (expected.type, expected.name)
        assert model.differences(kind, event["object"], expected.model) == []
        version = metadata["resourceVersion"]
        assert int(version) > self.seen[kind], "events come in the order of versions"
        assert expected.version in ("", version)
        self.seen[kind] = int(version)
        self.newest = max(self.newest, int(version))


def target(kind: Kind, name: str, endpoint: str = "") -> str:
    return f"{kind.path}/{name}/{endpoint}" if endpoint else f"{kind.path}/{name}"


def query(dry: bool) -> str:
    return "?dryRun=All" if dry else ""


def delete_options(grace: int | None, policy: str | None, dry: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"dryRun": ["All"]} if dry else {}
    options |= {"gracePeriodSeconds": grace} if grace is not None else {}
    return options | ({"propagationPolicy": policy} if policy else {})


def check_state(kind: Kind, verb: str, state: str, endpoint: str) -> None:
    """A patch is made of what is there, so it always has a version; only a whole object states a uid that is to be met."""
    if verb == "PATCH" and state == "other uid":
        if kind is WIDGET and endpoint == "status":
            return
        raise Refused(422, "Invalid")
    if state in ("stale", "other uid"):
        raise Refused(409, "Conflict")
    if verb == "PUT" and state == "none" and not kind.unconditional:
        raise Refused(422, "Invalid", "metadata.resourceVersion")


def spec_changes(kind: Kind, raw: Any, asked: Content) -> dict[str, Any]:
    if kind is POD:
        return {"containers": [{**raw["spec"]["containers"][0], "image": f"i:{asked.value}"}]}
    if kind is LEASE:
        return {"leaseDurationSeconds": asked.value}
    return {"replicas": asked.value} if kind.name == "deployment" else {"value": asked.value, "unknown": 1}


def rewritten(kind: Kind, raw: Any, asked: Content, given: dict[str, str]) -> Any:
    """The whole object as a client sends it back after having changed it."""
    metadata = {**raw["metadata"], **model.metadata_of(asked), **given, "generation": 40}
    status = {**(raw.get("status") or {}), **model.status_of(kind, asked.status)} if asked.status else raw.get("status")
    obj = {**raw, "metadata": metadata, "spec": {**raw["spec"], **spec_changes(kind, raw, asked)}}
    return obj if status is None else {**obj, "status": status}


def merge_patch(kind: Kind, raw: Any, asked: Content, changes: dict[str, Any], given: dict[str, str]) -> Any:
    """Only what changes; null takes a label away."""
    metadata: dict[str, Any] = dict(given)
    told = model.metadata_of(asked)
    metadata |= {"labels": {"l": asked.label or None}} if "label" in changes else {}
    metadata |= {"annotations": {"a": asked.annotation or None}} if "annotation" in changes else {}
    metadata |= {"finalizers": told["finalizers"]} if "finalizers" in changes else {}
    metadata |= {"ownerReferences": told["ownerReferences"]} if "owners" in changes else {}
    patch: dict[str, Any] = {"metadata": metadata}
    patch |= {"spec": spec_changes(kind, raw, asked)} if "value" in changes else {}
    return patch | ({"status": model.status_of(kind, asked.status)} if "status" in changes else {})


KEY = Path(tempfile.mkdtemp()) / "sa.key"
load_or_create_private_key(KEY)

TestKindsOfWrites = KindsOfWrites.TestCase
TestKindsOfWrites.settings = settings(
    max_examples=int(os.environ.get("EXAMPLES", "40")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="EXAMPLES" not in os.environ,
    phases=[Phase.explicit, Phase.generate, Phase.target] if "SHRINK" not in os.environ else list(Phase),
)
