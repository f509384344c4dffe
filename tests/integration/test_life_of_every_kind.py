"""Each kind of each version through its whole life, as upstream's conformance tests lead their kinds: created, read in every
form, watched, changed by each kind of patch, its status written, deleted alone and in a collection."""

import asyncio
import base64
import copy
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from proa.lib.pki import create_authority
from tests.integration.conftest import Answer, Api, running
from tests.integration.test_certificate_requests import request_pem

Kind = dict[str, Any]
KINDS: list[Kind] = yaml.safe_load((Path(__file__).parents[1] / "testdata/every_kind.yaml").read_text())
ELSEWHERE = {f"certificates.k8s.io/{version} PodCertificateRequest" for version in ("v1", "v1beta1")}
"""Needs a pod and its proof of possession: test_certificates.py."""
SPACE = "life"
PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def title(kind: Kind) -> str:
    return f"{kind['apiVersion']} {kind['kind']}"


class Lives:
    """One server, in which all kinds live one after the other."""

    def __init__(self, key: Path, directory: Path) -> None:
        self._runner = asyncio.Runner()
        self._running = running(key, directory, runtime_config={"api/all": True})
        self.api: Api = self._runner.run(self._running.__aenter__())
        self.play(self._prepare)

    def play(self, scenario: Callable[[Api], Awaitable[None]]) -> None:
        async def main() -> None:
            await scenario(self.api)

        self._runner.run(main())

    async def _prepare(self, api: Api) -> None:
        for name in (SPACE, "other"):
            assert (await api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})).status == 201
            await api("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})

    def close(self) -> None:
        async def end() -> None:
            await self._running.__aexit__(None, None, None)

        self._runner.run(end())
        self._runner.close()


@pytest.fixture(scope="module")
def lives(signing_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    made = Lives(signing_key, tmp_path_factory.mktemp("lives"))
    yield made
    made.close()


def with_pem(kind: Kind) -> Kind:
    """The members that are certificates and requests, made here."""
    made = copy.deepcopy(kind)
    authority = create_authority("life").certificate
    if made["kind"] == "CertificateSigningRequest":
        made["spec"]["request"] = request_pem()
        made["written"]["certificate"] = base64.b64encode(authority).decode()
    if made["kind"] == "ClusterTrustBundle":
        made["spec"]["trustBundle"] = authority.decode()
    return made


class Life:
    """One kind. `served` is its row of the discovery document."""

    def __init__(self, api: Api, kind: Kind, served: Any, statuses: set[str]) -> None:
        self.api, self.kind = api, with_pem(kind)
        self.written, self.settles = self.kind.pop("written", None), self.kind.pop("settles", False)
        self.verbs, self.has_status = set(served["verbs"]), f"{served['name']}/status" in statuses
        self.name = self.kind.pop("name", "one")
        group_version = kind["apiVersion"]
        root = f"/api/{group_version}" if "/" not in group_version else f"/apis/{group_version}"
        self.all = f"{root}/{served['name']}"
        self.path = f"{root}/namespaces/{SPACE}/{served['name']}" if served["namespaced"] else self.all
        self.one = f"{self.path}/{self.name}"
        self.selected = "?labelSelector=life=of"

    def body(self, name: str, **metadata: Any) -> Any:
        return copy.deepcopy(self.kind) | {"metadata": {"name": name, "labels": {"life": "of"}, **metadata}}

    async def lead(self) -> None:
        listed = (await self.api("GET", self.path)).body
        watch = await self.api.watch(f"{self.path}?watch=1&labelSelector=life&resourceVersion={listed['metadata']['resourceVersion']}")
        created = await self.create()
        made = await self.settled() if self.settles else created
        await self.read(made)
        await self.change(made)
        assert self.has_status == bool(self.written or self.settles)
        if self.written:
            await self.write_status()
        await self.apply()
        await self.delete()
        assert (await watch.next()) == {"type": "ADDED", "object": created}
        while (event := await watch.next())["type"] != "DELETED":
            assert event["type"] == "MODIFIED"
        assert event["object"]["metadata"]["uid"] == made["metadata"]["uid"]
        await watch.close()
        if "deletecollection" in self.verbs:
            await self.delete_collection()

    async def create(self) -> Any:
        dry = await self.api("POST", f"{self.path}?dryRun=All&fieldValidation=Strict", self.body(self.name))
        assert dry.status == 201, dry.raw
        assert (await self.api("GET", self.one)).status == 404
        answer = await self.api("POST", f"{self.path}?fieldValidation=Strict", self.body(self.name))
        assert answer.status == 201, answer.raw
        made = answer.body
        assert (made["apiVersion"], made["kind"]) == (self.kind["apiVersion"], self.kind["kind"])
        assert {"uid", "resourceVersion", "creationTimestamp", "managedFields"} <= made["metadata"].keys()
        again = await self.api("POST", self.path, self.body(self.name))
        assert again.summary[:2] == (409, "AlreadyExists")
        return made

    async def settled(self) -> Any:
        told = {"conditions", "typeChecking"}
        while not (await self.api("GET", self.one)).body.get("status", {}).keys() & told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        return (await self.api("GET", self.one)).body

    async def read(self, made: Any) -> None:
        assert (await self.api("GET", self.one)).body == made
        for target in (f"{self.path}{self.selected}", f"{self.all}{self.selected}", f"{self.path}?fieldSelector=metadata.name={self.name}"):
            listed = (await self.api("GET", target)).body
            assert listed["kind"] == f"{self.kind['kind']}List"
            assert [item["metadata"]["uid"] for item in listed["items"]] == [made["metadata"]["uid"]]
        assert (await self.api("GET", f"{self.path}?labelSelector=life=elsewhere")).body["items"] == []
        table = (await self.api("GET", self.one, accept=TABLE)).body
        assert (table["kind"], len(table["rows"])) == ("Table", 1)
        assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])
        assert table["rows"][0]["cells"][0] == self.name or made["kind"] == "Event"
        partial = (await self.api("GET", self.one, accept=PARTIAL)).body
        assert (partial["kind"], partial["metadata"]) == ("PartialObjectMetadata", made["metadata"])
        message = await self.api("GET", self.one, accept=PROTOBUF)
        assert (message.status, message.raw[:4]) == (200, b"k8s\0")
        assert (await self.api("PUT", self.one, message.raw, content_type=PROTOBUF)).status == 200
        assert (await self.api("GET", self.one)).body == made, "what was read as protobuf and written back has changed"

    async def change(self, made: Any) -> None:
        merged = await self.ok(self.api.patch("merge", self.one, {"metadata": {"annotations": {"by": "merge"}}}))
        assert int(merged["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
        stripped = merged | {"metadata": merged["metadata"] | {key: made["metadata"][key] for key in ("resourceVersion", "managedFields")}}
        del stripped["metadata"]["annotations"]["by"]
        if "annotations" not in made["metadata"]:
            del stripped["metadata"]["annotations"]
        assert without_generation(stripped) == without_generation(made), "a patch of an annotation changed something else"
        await self.ok(self.api.patch("strategic", self.one, {"metadata": {"annotations": {"also": "strategic"}}}))
        steps = [{"op": "replace", "path": "/metadata/annotations/by", "value": "json"}]
        patched = await self.ok(self.api.patch("json", self.one, steps))
        assert patched["metadata"]["annotations"].items() >= {"by": "json", "also": "strategic"}.items()
        same = await self.ok(self.api("PUT", self.one, patched))
        assert same == patched, "an update that changes nothing is no write"
        patched["metadata"]["labels"]["updated"] = "yes"
        updated = await self.ok(self.api("PUT", self.one, patched))
        assert updated["metadata"]["labels"] == patched["metadata"]["labels"]
        stale = await self.api("PUT", self.one, made)
        assert stale.summary[:2] == (409, "Conflict")

    async def write_status(self) -> None:
        before = await self.ok(self.api("GET", f"{self.one}/status"))
        assert before == await self.ok(self.api("GET", self.one))
        both = {"metadata": {"annotations": {"through": "status"}}, "status": self.written}
        patched = await self.ok(self.api.patch("merge", f"{self.one}/status", both))
        assert holds(patched["status"], self.written)
        assert patched.get("spec") == before.get("spec")
        assert patched["metadata"].get("generation") == before["metadata"].get("generation")
        wiped = await self.ok(self.api("PUT", self.one, {key: value for key, value in patched.items() if key != "status"}))
        assert holds(wiped["status"], self.written), "an update of the object itself leaves its status alone"
        put = await self.ok(self.api("PUT", f"{self.one}/status", wiped))
        assert put["status"] == wiped["status"]

    async def apply(self) -> None:
        body = {key: self.kind[key] for key in ("apiVersion", "kind")} | {
            "metadata": {"name": self.name, "annotations": {"by": "apply"}},
        }  # fmt: skip
        refused = await self.api.patch("apply", f"{self.one}?fieldManager=other", body)
        assert refused.summary[:2] == (409, "Conflict"), refused.raw
        applied = await self.ok(self.api.patch("apply", f"{self.one}?fieldManager=other&force=true", body))
        owners = [entry for entry in applied["metadata"]["managedFields"] if entry["manager"] == "other"]
        assert [entry["fieldsV1"] for entry in owners] == [{"f:metadata": {"f:annotations": {"f:by": {}}}}]

    async def delete(self) -> None:
        dry = await self.api("DELETE", f"{self.one}?dryRun=All")
        assert dry.status in (200, 202), dry.raw
        assert (await self.api("GET", self.one)).status == 200
        wrong = await self.api("DELETE", self.one, {"preconditions": {"uid": "other"}})
        assert wrong.summary[:2] == (409, "Conflict")
        await self.end(await self.api("DELETE", self.one, {"gracePeriodSeconds": 0}))

    async def end(self, answer: Answer) -> None:
        """Kinds whose deletion is somebody's work are finished as that controller would."""
        assert answer.status in (200, 202), answer.raw
        found = await self.api("GET", self.one)
        if found.status == 200 and self.kind["kind"] == "Namespace":
            await self.ok(self.api("PUT", f"{self.one}/finalize", found.body | {"spec": {"finalizers": []}}))
        elif found.status == 200 and self.settles:
            while (await self.api("GET", self.one)).status == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        elif found.status == 200:
            assert found.body["metadata"]["finalizers"]
            await self.ok(self.api.patch("merge", self.one, {"metadata": {"finalizers": None}}))
        gone = await self.api("GET", self.one)
        assert gone.summary[:2] == (404, "NotFound")

    async def delete_collection(self) -> None:
        await self.ok(self.api("POST", self.path, self.body(self.name)), 201)
        kept = await self.ok(self.api("DELETE", f"{self.path}?labelSelector=life=elsewhere"))
        assert kept.get("items", []) == []
        gone = await self.ok(self.api("DELETE", f"{self.path}{self.selected}"))
        assert [item["metadata"]["name"] for item in gone["items"]] == [self.name]
        await self.end(await self.api("GET", self.path))

    async def ok(self, asked: Awaitable[Answer], status: int = 200) -> Any:
        answer = await asked
        assert answer.status == status, answer.raw
        return answer.body


def without_generation(obj: Any) -> Any:
    """Of a Deployment, whose annotations count."""
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "generation"}}


def holds(whole: Any, part: Any) -> bool:
    """Whether all that is in one is in the other, which may have more (defaults)."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("kind", KINDS, ids=title)
def test_a_life(lives: Lives, kind: Kind) -> None:
    async def scenario(api: Api) -> None:
        root = f"/apis/{kind['apiVersion']}" if "/" in kind["apiVersion"] else f"/api/{kind['apiVersion']}"
        resources = (await api("GET", root)).body["resources"]
        served = next(each for each in resources if each["kind"] == kind["kind"] and "/" not in each["name"])
        await Life(api, kind, served, {each["name"] for each in resources}).lead()

    lives.play(scenario)


def test_no_kind_is_missing(lives: Lives) -> None:
    async def scenario(api: Api) -> None:
        found = set()
        core = (await api("GET", "/api/v1")).body
        groups = [version["groupVersion"] for group in (await api("GET", "/apis")).body["groups"] for version in group["versions"]]
        for document in [core, *[(await api("GET", f"/apis/{each}")).body for each in groups]]:
            found |= {
                f"{document['groupVersion']} {each['kind']}" for each in document["resources"] if {"create", "delete"} <= set(each["verbs"])
            }
        assert {name for name in found if "Proxy" not in name} == {title(kind) for kind in KINDS} | ELSEWHERE

    lives.play(scenario)
