"""Protobuf through the front door, read by a decoder that knows nothing but the wire format, so that our own table can't agree with itself.

Field numbers stand here as the published interface (generated.proto of k8s.io/api and k8s.io/apimachinery) has them.
"""

import struct
from typing import Any

import orjson
import pytest

from proa.lib.http.message import StreamResponse
from proa.lib.pki import create_authority
from tests.integration.conftest import Answer, Api, Run

PROTOBUF = "application/vnd.kubernetes.protobuf"
NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
PARTIAL = f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIALS = f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE = f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1"


def varint(data: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[offset]
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            return value, offset


def fields(data: bytes) -> dict[int, list[Any]]:
    """A message's fields by number: ints, and bytes for what has a length."""
    found: dict[int, list[Any]] = {}
    offset = 0
    while offset < len(data):
        tag, offset = varint(data, offset)
        assert tag & 7 in (0, 2), "only varints and lengths are in these messages"
        value: Any
        value, offset = varint(data, offset)
        if tag & 7 == 2:
            value, offset = data[offset : offset + value], offset + value
            assert offset <= len(data)
        found.setdefault(tag >> 3, []).append(value)
    return found


def at(data: bytes, *numbers: int) -> Any:
    """The first value at a path of field numbers."""
    value: Any = data
    for number in numbers:
        value = fields(value)[number][0]
    return value


def opened(body: bytes) -> tuple[str, str, bytes]:
    """(apiVersion, kind, message) of a body: the magic number, then runtime.Unknown with TypeMeta 1 and raw 2."""
    assert body[:4] == b"k8s\0"
    unknown = body[4:]
    return at(unknown, 1, 1).decode(), at(unknown, 1, 2).decode(), at(unknown, 2)


def field(number: int, data: bytes) -> bytes:
    assert len(data) < 128
    return bytes((number << 3 | 2, len(data))) + data


def enveloped(api_version: str, kind: str, message: bytes) -> bytes:
    return b"k8s\0" + field(1, field(1, api_version.encode()) + field(2, kind.encode())) + field(2, message)


async def make(api: Api, name: str = "a", **data: str) -> Any:
    return (await api("POST", MAPS, {"metadata": {"name": name, "labels": {"x": "y"}}, "data": data})).body


def test_get(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api, k="v")
        answer = await api("GET", f"{MAPS}/a", accept=f"{PROTOBUF}, */*")
        api_version, kind, message = opened(answer.raw)
        assert (answer.headers["content-type"], api_version, kind) == (PROTOBUF, "v1", "ConfigMap")
        assert fields(message).keys() == {1, 2}
        meta = fields(at(message, 1))
        assert (meta[1], meta[3], meta[5], meta[6]) == (
            [b"a"], [b"default"], [made["metadata"]["uid"].encode()], [made["metadata"]["resourceVersion"].encode()],
        )  # fmt: skip
        assert at(message, 1, 8, 1) == 1893456000
        assert meta[11] == [b"\x0a\x01x\x12\x01y"]
        assert fields(message)[2] == [b"\x0a\x01k\x12\x01v"]
        managed = fields(meta[17][0])
        assert (managed[1], managed[2], managed[3], managed[6]) == ([b"test"], [b"Update"], [b"v1"], [b"FieldsV1"])
        assert at(managed[7][0], 1) == orjson.dumps(made["metadata"]["managedFields"][0]["fieldsV1"])

    run(scenario)


def test_numbers_quantities_and_choices(run: Run) -> None:
    async def scenario(api: Api) -> None:
        port = {"containerPort": 80, "name": "http"}
        probe = {"httpGet": {"port": "http", "path": "/"}}
        container = {
            "name": "c", "image": "i", "ports": [port], "livenessProbe": probe, "resources": {"requests": {"cpu": "0.5"}},
            "securityContext": {"privileged": False},
        }  # fmt: skip
        await api("POST", f"{NS}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [container], "nodeSelector": {"a": "b"}}})
        _, kind, message = opened((await api("GET", f"{NS}/pods/p", accept=PROTOBUF)).raw)
        spec = fields(at(message, 2))
        assert (kind, spec[3], spec[4], spec[6]) == ("Pod", [b"Always"], [30], [b"ClusterFirst"])
        made = fields(spec[2][0])
        assert (made[1], made[2]) == ([b"c"], [b"i"])
        assert (at(made[6][0], 1), at(made[6][0], 3), at(made[6][0], 4)) == (b"http", 80, b"TCP")
        assert fields(made[8][0])[2] == [b"\x0a\x03cpu\x12\x06\x0a\x04500m"]
        assert at(made[10][0], 1, 2, 2) == b"\x08\x01\x10\x00\x1a\x04http"
        assert at(made[15][0], 2) == 0
        assert at(message, 3, 1) == b"Pending"

    run(scenario)


def test_list(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make(api, "a")
        last = await make(api, "b")
        await make(api, "c")
        api_version, kind, message = opened((await api("GET", f"{MAPS}?limit=2", accept=f"{PROTOBUF},application/json")).raw)
        assert (api_version, kind, [at(item, 1, 1) for item in fields(message)[2]]) == ("v1", "ConfigMapList", [b"a", b"b"])
        metadata = fields(at(message, 1))
        assert int(metadata[2][0]) > int(last["metadata"]["resourceVersion"])
        assert (len(metadata[3]), metadata[4]) == (1, [1])

    run(scenario)


def test_an_empty_list(run: Run) -> None:
    async def scenario(api: Api) -> None:
        api_version, kind, message = opened((await api("GET", LEASES, accept=PROTOBUF)).raw)
        assert (api_version, kind, list(fields(message))) == ("coordination.k8s.io/v1", "LeaseList", [1])

    run(scenario)


class Frames:
    """Collects a stream's bytes until it has ended."""

    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data

    async def wait_closed(self) -> None:
        raise AssertionError("nobody waits here")

    def events(self) -> list[tuple[str, str, bytes]]:
        """(type, kind, message) of each frame: a length of 4 bytes, then a WatchEvent without envelope, its object in one."""
        found, rest = [], self.data
        while rest:
            length = struct.unpack(">I", rest[:4])[0]
            event, rest = rest[4 : 4 + length], rest[4 + length :]
            _, kind, message = opened(at(event, 2, 1))
            found.append((at(event, 1).decode(), kind, message))
        return found


async def streamed(api: Api, target: str, accept: str) -> tuple[str, list[tuple[str, str, bytes]]]:
    response = await api.send("GET", target, accept=accept)
    assert isinstance(response, StreamResponse), Answer(response).raw
    frames = Frames()
    await response.run(frames)
    return response.headers["content-type"], frames.events()


def test_watch(run: Run) -> None:
    async def scenario(api: Api) -> None:
        first = await make(api)
        version = first["metadata"]["resourceVersion"]
        await api.patch("merge", f"{MAPS}/a", {"data": {"k": "v"}})
        await api("DELETE", f"{MAPS}/a")
        query = f"watch=1&resourceVersion={int(version) - 1}&allowWatchBookmarks=true&timeoutSeconds=0"
        api.server.context.clock = Hurry(api.server.context.clock)
        content_type, events = await streamed(api, f"{MAPS}?{query}", f"{PROTOBUF};stream=watch,application/json")
        assert content_type == f"{PROTOBUF};stream=watch"
        assert [(type_, kind) for type_, kind, _ in events[:4]] == [
            ("ADDED", "ConfigMap"), ("MODIFIED", "ConfigMap"), ("DELETED", "ConfigMap"), ("BOOKMARK", "ConfigMap"),
        ]  # fmt: skip
        assert at(events[1][2], 2) == b"\x0a\x01k\x12\x01v"
        assert fields(at(events[3][2], 1)).keys() == {6}

    run(scenario)


class Hurry:
    """A clock whose every look at it is an hour later: a watch ends as soon as it has said what it knows."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._elapsed = 0.0

    def monotonic(self) -> float:
        self._elapsed += 3600
        return self._elapsed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)


def test_a_refused_watch(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        await make(api, "b")
        await api.server.store.compact(api.server.store.revision)
        await api.restart()
        _, events = await streamed(api, f"{MAPS}?watch=1&resourceVersion=1", PROTOBUF)
        (type_, kind, message), *rest = events
        assert (type_, kind, at(message, 2), at(message, 4), at(message, 6), rest) == ("ERROR", "Status", b"Failure", b"Expired", 410, [])

    run(scenario)


def test_refusals_are_a_status(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", f"{MAPS}/none", accept=f"{PROTOBUF}, */*")
        api_version, kind, message = opened(answer.raw)
        assert (answer.status, answer.headers["content-type"], api_version, kind) == (404, PROTOBUF, "v1", "Status")
        status = fields(message)
        assert (status[2], status[3], status[4], status[6]) == (
            [b"Failure"], [b'configmaps "none" not found'], [b"NotFound"], [404],
        )  # fmt: skip
        assert fields(status[5][0]) == {1: [b"none"], 3: [b"configmaps"]}

    run(scenario)


def test_writes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = enveloped("v1", "ConfigMap", field(1, field(1, b"a")) + field(2, field(1, b"k") + field(2, b"v")))
        created = await api("POST", MAPS, body, content_type=PROTOBUF, accept=PROTOBUF)
        assert (created.status, opened(created.raw)[1]) == (201, "ConfigMap")
        patched = await api.patch("merge", f"{MAPS}/a", {"data": {"k": "w"}}, accept=PROTOBUF)
        assert at(opened(patched.raw)[2], 2) == b"\x0a\x01k\x12\x01w"
        assert (await api("GET", f"{MAPS}/a")).body["data"] == {"k": "w"}
        dry = await api("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "b"}}, accept=PROTOBUF)
        assert at(opened(dry.raw)[2], 1, 1) == b"b"
        uid = at(opened(patched.raw)[2], 1, 5)
        options = enveloped("apps/v1", "DeleteOptions", field(2, field(1, uid)) + field(4, b"Background"))
        gone = await api("DELETE", f"{MAPS}/a", options, content_type=PROTOBUF, accept=PROTOBUF)
        api_version, kind, message = opened(gone.raw)
        assert (gone.status, api_version, kind, at(message, 2), at(message, 5, 6)) == (200, "v1", "Status", b"Success", uid)

    run(scenario)


def test_subresources_with_a_kind_of_their_own(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", f"{NS}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        binding = enveloped("v1", "Binding", field(1, field(1, b"p")) + field(2, field(1, b"Node") + field(3, b"n")))
        bound = await api("POST", f"{NS}/pods/p/binding", binding, content_type=PROTOBUF, accept=PROTOBUF)
        assert (bound.status, opened(bound.raw)[1]) == (201, "Status")
        eviction = enveloped("policy/v1", "Eviction", field(1, field(1, b"p") + field(3, b"default")) + field(2, b"\x08\x00"))
        evicted = await api("POST", f"{NS}/pods/p/eviction", eviction, content_type=PROTOBUF, accept=PROTOBUF)
        assert (evicted.status, (await api("GET", f"{NS}/pods/p")).status) == (201, 404)

        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
        deployments = "/apis/apps/v1/namespaces/default/deployments"
        await api("POST", deployments, {"metadata": {"name": "d"}, "spec": spec})
        scale = enveloped("autoscaling/v1", "Scale", field(1, field(1, b"d") + field(3, b"default")) + field(2, b"\x08\x03"))
        scaled = await api("PUT", f"{deployments}/d/scale", scale, content_type=PROTOBUF, accept=PROTOBUF)
        api_version, kind, message = opened(scaled.raw)
        assert (api_version, kind, at(message, 2, 1)) == ("autoscaling/v1", "Scale", 3)

        request = enveloped("authentication.k8s.io/v1", "TokenRequest", field(2, b"\x20\xd8\x04"))
        made = await api("POST", f"{NS}/serviceaccounts/default/token", request, content_type=PROTOBUF, accept=PROTOBUF)
        assert (made.status, at(opened(made.raw)[2], 3, 1).count(b".")) == (201, 2)

    run(scenario)


@pytest.mark.parametrize(
    ("accept", "kind", "media_type"),
    [
        (PARTIAL, "PartialObjectMetadata", PROTOBUF),
        (f"{TABLE},application/json", None, "application/json"),
        (f"{TABLE},{PROTOBUF}", "ConfigMap", PROTOBUF),
        (f"{PROTOBUF};q=0.5,application/json", None, "application/json"),
        (f"{PROTOBUF};stream=other,application/json", None, "application/json"),
    ],
)
def test_forms(run: Run, accept: str, kind: str | None, media_type: str) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        answer = await api("GET", f"{MAPS}/a", accept=accept)
        assert answer.headers["content-type"] == media_type
        assert kind is None or opened(answer.raw)[1] == kind

    run(scenario)


@pytest.mark.parametrize(("version", "metadata", "items"), [("v1", 1, 2), ("v1beta1", 2, 1)])
def test_lists_of_metadata(run: Run, version: str, metadata: int, items: int) -> None:
    """What the garbage collector asks of every resource."""

    async def scenario(api: Api) -> None:
        await make(api)
        accept = f"{PARTIALS.replace('v=v1', f'v={version}')},application/json"
        api_version, kind, message = opened((await api("GET", MAPS, accept=accept)).raw)
        assert (api_version, kind) == (f"meta.k8s.io/{version}", "PartialObjectMetadataList")
        assert b"a" in [at(item, 1, 1) for item in fields(message)[items]]
        assert int(at(message, metadata, 2))

    run(scenario)


def test_a_kind_without_a_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As custom resources are: JSON where it will do, else 406, and metadata still in protobuf."""

    async def scenario(api: Api) -> None:
        monkeypatch.setattr(api.server.context.served["", "v1", "configmaps"].resource, "definition", "com.example.v1.ConfigMap")
        await make(api)
        answer = await api("GET", MAPS, accept=f"{PROTOBUF}, */*")
        assert (answer.headers["content-type"], answer.body["kind"]) == ("application/json", "ConfigMapList")
        refused = await api("GET", MAPS, accept=PROTOBUF)
        assert (refused.status, at(opened(refused.raw)[2], 4)) == (406, b"NotAcceptable")
        assert opened((await api("GET", f"{MAPS}/a", accept=PARTIAL)).raw)[1] == "PartialObjectMetadata"

    run(scenario)


def test_api_services(run: Run) -> None:
    async def scenario(api: Api) -> None:
        service = {"service": {"name": "s", "namespace": "default"}, "group": "a.example.com", "version": "v1"}
        spec = service | {"groupPriorityMinimum": 1, "versionPriority": 2}
        path = "/apis/apiregistration.k8s.io/v1/apiservices"
        made = await api("POST", path, {"metadata": {"name": "v1.a.example.com"}, "spec": spec}, accept=PROTOBUF)
        api_version, kind, message = opened(made.raw)
        assert (made.status, api_version, kind) == (201, "apiregistration.k8s.io/v1", "APIService")
        sent = fields(at(message, 2))
        assert (sent[2], sent[3], sent[7], sent[8]) == ([b"a.example.com"], [b"v1"], [1], [2])
        assert fields(sent[1][0])[2] == [b"s"]

    run(scenario)


def test_discovery(run: Run) -> None:
    """A client that asks for nothing else gets the documents of every path, those of the core group without an apiVersion."""

    async def scenario(api: Api) -> None:
        async def asked(path: str, kind: str, api_version: str = "v1") -> bytes:
            answer = await api("GET", path, accept=PROTOBUF)
            assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF), answer.raw
            found = opened(answer.raw)
            assert found[:2] == (api_version, kind)
            return found[2]

        versions = fields(await asked("/api", "APIVersions", ""))
        assert (versions[1], at(versions[2][0], 1)) == ([b"v1"], b"0.0.0.0/0")
        groups = fields(await asked("/apis", "APIGroupList"))[1]
        apps = next(each for each in groups if at(each, 1) == b"apps")
        assert (at(apps, 2, 1), at(apps, 2, 2), at(apps, 3, 1), at(apps, 3, 2)) == (b"apps/v1", b"v1", b"apps/v1", b"v1")
        assert await asked("/apis/apps", "APIGroup") == apps
        for path, group_version, api_version in (("/api/v1", b"v1", ""), ("/apis/apps/v1", b"apps/v1", "v1")):
            found = fields(await asked(path, "APIResourceList", api_version))
            assert found[1] == [group_version]
            names = [at(each, 1) for each in found[2]]
            assert names == [each["name"].encode() for each in (await api("GET", path)).body["resources"]]
        scale = fields(found[2][names.index(b"deployments/scale")])
        assert (scale[2], scale[3], scale[8], scale[9]) == ([1], [b"Scale"], [b"autoscaling"], [b"v1"])
        assert fields(scale[4][0])[1] == [b"get", b"patch", b"update"]
        deployments = fields(found[2][names.index(b"deployments")])
        assert (deployments[5], deployments[6], deployments[7]) == ([b"deploy"], [b"deployment"], [b"all"])
        mixed = await api("GET", "/version", accept=f"{PROTOBUF}, */*")
        assert mixed.headers["content-type"] == "application/json"

    run(scenario)


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_aggregated_discovery(run: Run, version: str) -> None:
    async def scenario(api: Api) -> None:
        form = f"{PROTOBUF};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        answer = await api("GET", "/apis", accept=form)
        api_version, kind, message = opened(answer.raw)
        assert (answer.headers["content-type"], api_version, kind) == (form, f"apidiscovery.k8s.io/{version}", "APIGroupDiscoveryList")
        apps = next(each for each in fields(message)[2] if at(each, 1, 1) == b"apps")
        deployments = next(each for each in fields(at(apps, 2))[2] if at(each, 1) == b"deployments")
        found = fields(deployments)
        assert (at(apps, 2, 1), at(apps, 2, 3), found[3], found[4], found[6]) == (
            b"v1", b"Current", [b"Namespaced"], [b"deployment"], [b"deploy"],
        )  # fmt: skip
        again = await api("GET", "/apis", accept=form, if_none_match=answer.headers["etag"])
        other = await api("GET", "/apis", accept=form.replace(PROTOBUF, "application/json"), if_none_match=answer.headers["etag"])
        assert (again.status, other.status) == (304, 200)

    run(scenario)


def test_a_kind_of_the_newest_version(run: Run) -> None:
    async def scenario(api: Api) -> None:
        bundle = {"metadata": {"name": "b"}, "spec": {"trustBundle": create_authority("a").certificate.decode()}}
        made = await api("POST", "/apis/certificates.k8s.io/v1/clustertrustbundles", bundle, accept=PROTOBUF)
        api_version, kind, message = opened(made.raw)
        assert (made.status, api_version, kind) == (201, "certificates.k8s.io/v1", "ClusterTrustBundle")
        assert at(message, 2, 2).decode() == bundle["spec"]["trustBundle"]

    run(scenario)


def test_a_list_without_a_store(run: Run) -> None:
    async def scenario(api: Api) -> None:
        _, kind, message = opened((await api("GET", "/api/v1/componentstatuses", accept=PROTOBUF)).raw)
        assert (kind, at(message, 2, 1, 1)) == ("ComponentStatusList", b"etcd-0")

    run(scenario)


def test_a_body_that_is_no_message_is_refused(run: Run) -> None:
    async def scenario(api: Api) -> None:
        for body in (b"", b"{}", b"k8s\0", enveloped("v1", "ConfigMap", b"\x0a\x05a"), enveloped("v1", "Nothing", b"")):
            answer = await api("POST", MAPS, body, content_type=PROTOBUF)
            assert answer.summary[:2] == (400, "BadRequest"), answer.raw

    run(scenario)


def test_a_message_is_made_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        entry = api.server.context.served["", "v1", "configmaps"].objects.peek("default/a")
        assert entry is not None
        await api("GET", f"{MAPS}/a", accept=PROTOBUF)

        def again(_: Any) -> bytes:
            raise AssertionError("it is kept")

        assert at(entry.encoded(("v1", "protobuf"), again), 1, 1) == b"a"

    run(scenario)


def test_a_time_that_is_none_between_others(run: Run) -> None:
    """Go's zero time, which an object leaves out and a map shows as null, in both forms."""

    async def scenario(api: Api) -> None:
        budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
        made = await api("POST", budgets, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {}}})
        status = made.body["status"] | {"disruptedPods": {"p": None, "q": "2030-01-01T00:00:00Z"}}
        written = await api("PUT", f"{budgets}/b/status", made.body | {"status": status})
        assert (written.status, written.body["status"]) == (200, status)
        message = await api("GET", f"{budgets}/b", accept=PROTOBUF)
        again = await api("PUT", f"{budgets}/b/status", message.raw, content_type=PROTOBUF)
        assert (again.status, again.body) == (200, written.body)

    run(scenario)
