"""Random creates, updates, patches, applies and deletes beside a model that says what each must do: every object, owner, watch event and
resource version is compared after each step.

The model knows one kind without policy of its own (ConfigMap), so what is tested is the order of steps that all kinds share: dry runs,
preconditions, finalizers, propagation policies, field managers and conflicts, writes that change nothing.
"""

import asyncio
import copy
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proa.lib.pki import load_or_create_private_key
from tests.integration.conftest import Answer, Api, Watch, running

MAPS = "/api/v1/namespaces/default/configmaps"
PICKS = st.integers(0, 9)
"""Which of the objects that are there; 9 is one that isn't."""
NAMES, KEYS, VALUES = st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y", "z"]), st.sampled_from(["1", "2"])
DATA = st.dictionaries(KEYS, VALUES, max_size=3)
SOME_DATA = st.dictionaries(KEYS, VALUES, min_size=1, max_size=3)
"""An empty map in an apply is a field of its own, which the model doesn't know."""
FINALIZERS = st.lists(st.sampled_from(["example.com/f", "example.com/g"]), unique=True, max_size=2)
PATCHES = st.dictionaries(KEYS, VALUES | st.none(), max_size=3)
MANAGERS = st.sampled_from(["one", "two"])
UPDATER = ("test", "Update")
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass
class Model:
    """One object as it must be. `owners` has, for each manager and operation, the keys of `data` that it owns."""

    uid: str = ""
    version: str = ""
    data: dict[str, str] = field(default_factory=dict)
    finalizers: list[str] = field(default_factory=list)
    owners: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    deleting: bool = False

    def content(self) -> Any:
        return self.data, self.finalizers, {owner: keys for owner, keys in self.owners.items() if keys}, self.deleting

    def updated(self, data: dict[str, str], finalizers: list[str] | None = None) -> "Model":
        """After an update by who is no applier: what it changes it owns, and nobody else any more."""
        new = copy.deepcopy(self)
        changed = {key for key, value in data.items() if self.data.get(key) != value}
        for keys in new.owners.values():
            keys -= changed | (self.data.keys() - data.keys())
        new.owners.setdefault(UPDATER, set()).update(changed)
        new.data = dict(data)
        if finalizers is not None:
            new.finalizers = list(finalizers)
        return new

    def conflicts(self, manager: str, data: dict[str, str]) -> set[str]:
        mine = manager, "Apply"
        return {
            key
            for key, value in data.items()
            if self.data.get(key) != value and any(key in keys for owner, keys in self.owners.items() if owner != mine)
        }

    def applied(self, manager: str, data: dict[str, str]) -> "Model":
        """After an apply that is forced or without conflicts: what the manager no longer names goes, unless somebody else owns it."""
        new, mine = copy.deepcopy(self), (manager, "Apply")
        dropped = new.owners.get(mine, set()) - data.keys()
        taken = {key for key, value in data.items() if self.data.get(key) != value}
        for owner, keys in new.owners.items():
            if owner != mine:
                keys -= taken
        new.owners[mine] = set(data)
        for key in dropped:
            if not any(key in keys for keys in new.owners.values()):
                new.data.pop(key, None)
        new.data |= data
        return new


class Writes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.server = running(KEY, Path(self.directory.name))
        self.api: Api = self.loop.run_until_complete(self.server.__aenter__())
        self.objects: dict[str, Model] = {}
        self.expected: list[tuple[str, str, str]] = []
        self.newest = 0
        start = self.listed()["metadata"]["resourceVersion"]
        self.watch: Watch = self.loop.run_until_complete(self.api.watch(f"{MAPS}?watch=1&resourceVersion={start}"))

    def teardown(self) -> None:
        self.loop.run_until_complete(self.server.__aexit__(None, None, None))
        self.loop.close()
        self.directory.cleanup()

    def picked(self, pick: int) -> str:
        there = sorted(self.objects)
        return there[pick % len(there)] if there and pick < 9 else "missing"

    def send(self, method: str, target: str, body: Any = None, **more: str) -> Answer:
        return self.loop.run_until_complete(self.api(method, target, body, **more))

    def listed(self) -> Any:
        return self.send("GET", MAPS).body

    def settle(self, name: str, new: Model, answer: Answer, *, dry: bool) -> None:
        """A write that had to succeed: what the client saw, and what is there from now on."""
        old = self.objects.get(name)
        assert answer.status in (200, 201), answer.raw
        gone = new.deleting and not new.finalizers
        same = old is not None and old.content() == new.content()
        version = answer.body["metadata"].get("resourceVersion", "")
        if not gone:
            compare(answer.body, new)
        if dry or same:
            assert old is None or version == old.version
            return
        if gone:
            del self.objects[name]
            self.expected.append(("DELETED", name, ""))
            return
        assert int(version) > self.newest
        self.newest = int(version)
        new.uid, new.version = answer.body["metadata"]["uid"], version
        self.objects[name] = new
        self.expected.append(("ADDED" if old is None else "MODIFIED", name, version))

    @rule(name=NAMES, data=DATA, finalizers=FINALIZERS, dry=st.booleans())
    def create(self, name: str, data: dict[str, str], finalizers: list[str], dry: bool) -> None:
        body = {"metadata": {"name": name, "finalizers": finalizers}, "data": data}
        answer = self.send("POST", MAPS + query(dry), body)
        if (old := self.objects.get(name)) is not None:
            message = f'configmaps "{name}" already exists'
            assert answer.summary == (409, "AlreadyExists", f"object is being deleted: {message}" if old.deleting else message)
            return
        self.settle(name, Model(data=data, finalizers=finalizers, owners={UPDATER: set(data)}), answer, dry=dry)

    @rule(
        pick=PICKS, data=DATA, state=st.sampled_from(["none", "none", "current", "current", "stale", "other uid"]), dry=st.booleans(),
        keep=st.booleans(),
    )  # fmt: skip
    def put(self, pick: int, data: dict[str, str], state: str, dry: bool, keep: bool) -> None:
        name = self.picked(pick)
        old = self.objects.get(name)
        finalizers = old.finalizers if old is not None and keep else []
        body: Any = {"metadata": {"name": name, "finalizers": finalizers}, "data": data}
        if old is not None:
            body["metadata"] |= {"current": {"resourceVersion": old.version}, "stale": {"resourceVersion": "1"},
                                 "other uid": {"uid": "x"}}.get(state, {})  # fmt: skip
        answer = self.send("PUT", f"{MAPS}/{name}{query(dry)}", body)
        if old is None:
            assert answer.summary[:2] == (404, "NotFound")
        elif state in ("stale", "other uid"):
            assert answer.summary[:2] == (409, "Conflict")
        else:
            self.settle(name, old.updated(data, finalizers), answer, dry=dry)

    @rule(
        pick=PICKS,
        patch=st.dictionaries(KEYS, VALUES | st.none(), max_size=3),
        dry=st.booleans(),
        kind=st.sampled_from(["merge", "strategic"]),
    )
    def merge(self, pick: int, patch: dict[str, str | None], dry: bool, kind: str) -> None:
        name = self.picked(pick)
        old = self.objects.get(name)
        answer = self.loop.run_until_complete(self.api.patch(kind, f"{MAPS}/{name}{query(dry)}", {"data": patch}))
        if old is None:
            assert answer.summary[:2] == (404, "NotFound")
            return
        data = {key: value for key, value in {**old.data, **patch}.items() if value is not None}
        self.settle(name, old.updated(data), answer, dry=dry)

    @rule(pick=PICKS, key=KEYS, value=VALUES, operation=st.sampled_from(["add", "remove", "replace", "test"]))
    def json_patch(self, pick: int, key: str, value: str, operation: str) -> None:
        name = self.picked(pick)
        old = self.objects.get(name)
        step: dict[str, str] = {"op": operation, "path": f"/data/{key}"} | ({} if operation == "remove" else {"value": value})
        answer = self.loop.run_until_complete(self.api.patch("json", f"{MAPS}/{name}", [step]))
        if old is None:
            assert answer.summary[:2] == (404, "NotFound")
            return
        there = key in old.data if operation != "add" else bool(old.data)
        if not there or (operation == "test" and old.data[key] != value):
            assert answer.summary[:2] == (422, "Invalid")
            return
        data = {each: old.data[each] for each in old.data if (each, operation) != (key, "remove")}
        if operation in ("add", "replace"):
            data[key] = value
        self.settle(name, old.updated(data), answer, dry=False)

    @rule(name=NAMES, data=SOME_DATA, manager=MANAGERS, force=st.booleans(), dry=st.booleans())
    def apply(self, name: str, data: dict[str, str], manager: str, force: bool, dry: bool) -> None:
        old = self.objects.get(name)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        target = f"{MAPS}/{name}?fieldManager={manager}&force={str(force).lower()}{query(dry).replace('?', '&')}"
        answer = self.loop.run_until_complete(self.api.patch("apply", target, body))
        conflicts = old.conflicts(manager, data) if old is not None and not force else set()
        if conflicts:
            assert answer.summary[:2] == (409, "Conflict")
            causes = answer.body["details"]["causes"]
            assert {cause["field"] for cause in causes} == {f".data.{key}" for key in conflicts}
            assert {cause["reason"] for cause in causes} == {"FieldManagerConflict"}
            return
        self.settle(name, (old or Model()).applied(manager, data), answer, dry=dry)

    @rule(
        pick=PICKS, state=st.sampled_from(["none", "none", "right", "right", "other uid", "stale"]), dry=st.booleans(),
        policy=st.sampled_from([None, "Background", "Foreground", "Orphan"]),
    )  # fmt: skip
    def delete(self, pick: int, state: str, dry: bool, policy: str | None) -> None:
        name = self.picked(pick)
        old = self.objects.get(name)
        body: dict[str, Any] = {"propagationPolicy": policy} if policy else {}
        body |= {"dryRun": ["All"]} if dry else {}
        if old is not None:
            preconditions = {"right": {"uid": old.uid, "resourceVersion": old.version}, "other uid": {"uid": "x"},
                             "stale": {"resourceVersion": "1"}}.get(state)  # fmt: skip
            body |= {"preconditions": preconditions} if preconditions else {}
        answer = self.send("DELETE", f"{MAPS}/{name}", body)
        if old is None:
            assert answer.summary[:2] == (404, "NotFound")
            return
        if state in ("other uid", "stale"):
            assert answer.summary[:2] == (409, "Conflict")
            return
        new = copy.deepcopy(old)
        new.deleting, new.finalizers = True, finalizers_after(old.finalizers, policy)
        if new.finalizers:
            self.settle(name, new, answer, dry=dry)
        else:
            assert (answer.status, answer.body["status"], answer.body["details"]["uid"]) == (200, "Success", old.uid)
            if not dry:
                del self.objects[name]
                self.expected.append(("DELETED", name, ""))

    @rule(pick=PICKS, dry=st.booleans())
    def delete_collection(self, pick: int, dry: bool) -> None:
        name = self.picked(pick)
        answer = self.send("DELETE", f"{MAPS}?fieldSelector=metadata.name={name}{query(dry).replace('?', '&')}")
        old = self.objects.get(name)
        found = [(each["metadata"]["name"], each["metadata"]["uid"]) for each in answer.body["items"]]
        assert (answer.status, found) == (200, [(name, old.uid)] if old is not None else [])
        if old is None or dry or (old.deleting and old.finalizers):
            return
        if not old.finalizers:
            del self.objects[name]
            self.expected.append(("DELETED", name, ""))
            return
        old.deleting = True
        old.version = self.send("GET", f"{MAPS}/{name}").body["metadata"]["resourceVersion"]
        self.newest = int(old.version)
        self.expected.append(("MODIFIED", name, old.version))

    @precondition(lambda self: any(each.finalizers for each in self.objects.values()))
    @rule(pick=PICKS, dry=st.booleans())
    def finalize(self, pick: int, dry: bool) -> None:
        name = self.picked(pick)
        old = self.objects.get(name)
        if old is None or not old.finalizers:
            return
        answer = self.loop.run_until_complete(
            self.api.patch("merge", f"{MAPS}/{name}{query(dry)}", {"metadata": {"finalizers": old.finalizers[1:] or None}})
        )
        self.settle(name, old.updated(old.data, old.finalizers[1:]), answer, dry=dry)

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        listed = self.listed()
        assert [item["metadata"]["name"] for item in listed["items"]] == sorted(self.objects)
        for item in listed["items"]:
            model = self.objects[item["metadata"]["name"]]
            compare(item, model)
            assert (item["metadata"]["uid"], item["metadata"]["resourceVersion"]) == (model.uid, model.version)
        for type_, name, version in self.expected:
            event = self.loop.run_until_complete(self.watch.next())
            seen = event["object"]["metadata"]
            assert (event["type"], seen["name"]) == (type_, name)
            if type_ == "DELETED":
                assert int(seen["resourceVersion"]) > self.newest
                self.newest = int(seen["resourceVersion"])
            else:
                assert seen["resourceVersion"] == version
        self.expected.clear()
        assert int(listed["metadata"]["resourceVersion"]) >= self.newest


def query(dry: bool) -> str:
    return "?dryRun=All" if dry else ""


def finalizers_after(finalizers: list[str], policy: str | None) -> list[str]:
    if policy is None:
        return finalizers
    own = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(policy, [])
    wanted = [each for each in finalizers if each not in (FOREGROUND, ORPHAN)] + own
    return finalizers if set(wanted) == set(finalizers) else wanted


def compare(obj: Any, model: Model) -> None:
    metadata = obj["metadata"]
    owners = {
        (entry["manager"], entry["operation"]): {key[2:] for key in entry["fieldsV1"].get("f:data", {}) if key.startswith("f:")}
        for entry in metadata.get("managedFields", [])
    }
    owners = {owner: keys for owner, keys in owners.items() if keys}
    assert (obj.get("data") or {}, metadata.get("finalizers") or [], owners, "deletionTimestamp" in metadata) == model.content()


SHRINK = "SHRINK" in os.environ
KEY = Path(tempfile.mkdtemp()) / "sa.key"
load_or_create_private_key(KEY)

TestWrites = Writes.TestCase
TestWrites.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.target] if not SHRINK else list(Phase),
)
