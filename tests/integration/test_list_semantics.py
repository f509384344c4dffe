"""resourceVersion, resourceVersionMatch, limit and continue of lists, and the same of watches: the API concepts' tables, row by row.

The store of each row: a1 (version V1), a2 (V2), a3 (V3), a2 deleted (V4), b1 (V5). NOW is the newest version, NEXT one that is not there.
"""

import asyncio
from typing import Any

import pytest

from tests.integration.conftest import Api, Run

MAPS = "/api/v1/namespaces/default/configmaps"
MATCH = "resourceVersionMatch"
FORBIDDEN = 'ListOptions.meta.k8s.io "" is invalid: '


async def fill(api: Api) -> dict[str, str]:
    """The versions by their names."""
    versions = {}
    for number, name in enumerate(("a1", "a2", "a3"), 1):
        made = await api("POST", MAPS, {"metadata": {"name": name, "labels": {"app": name[0]}}})
        versions[f"V{number}"] = made.body["metadata"]["resourceVersion"]
    await api("DELETE", f"{MAPS}/a2")
    versions["V5"] = (await api("POST", MAPS, {"metadata": {"name": "b1", "labels": {"app": "b"}}})).body["metadata"]["resourceVersion"]
    versions["NOW"] = versions["V5"]
    versions["NEXT"] = str(int(versions["V5"]) + 1000)
    return versions


def at(text: str, versions: dict[str, str]) -> str:
    for name, version in versions.items():
        text = text.replace(name, version)
    return text


def names(listed: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


LISTED: list[tuple[str, list[str], str, int | None, bool]] = [
    ("", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=0", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=V2", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=0&resourceVersionMatch=NotOlderThan", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=V2&resourceVersionMatch=NotOlderThan", ["a1", "a3", "b1"], "NOW", None, False),
    ("resourceVersion=V2&resourceVersionMatch=Exact", ["a1", "a2"], "V2", None, False),
    ("resourceVersion=V3&resourceVersionMatch=Exact", ["a1", "a2", "a3"], "V3", None, False),
    ("limit=2", ["a1", "a3"], "NOW", 1, True),
    ("limit=3", ["a1", "a3", "b1"], "NOW", None, False),
    ("limit=-1", ["a1", "a3", "b1"], "NOW", None, False),
    ("limit=0", ["a1", "a3", "b1"], "NOW", None, False),
    ("limit=1&resourceVersion=0", ["a1", "a3", "b1"], "NOW", None, False),
    ("limit=1&resourceVersion=V3", ["a1"], "V3", 2, True),
    ("limit=1&resourceVersion=V3&resourceVersionMatch=Exact", ["a1"], "V3", 2, True),
    ("limit=1&resourceVersion=V3&resourceVersionMatch=NotOlderThan", ["a1"], "NOW", 2, True),
    ("limit=1&labelSelector=app%3Da", ["a1"], "NOW", None, True),
    ("limit=2&labelSelector=app%3Da", ["a1", "a3"], "NOW", None, False),
    ("limit=1&fieldSelector=metadata.name%3Da3", ["a3"], "NOW", None, False),
    ("resourceVersion=V3&resourceVersionMatch=Exact&labelSelector=app%3Db", [], "V3", None, False),
    ("labelSelector=app+in+(b)", ["b1"], "NOW", None, False),
    ("fieldSelector=metadata.name%3Da1,metadata.namespace%3Dother", [], "NOW", None, False),
    ("timeoutSeconds=1", ["a1", "a3", "b1"], "NOW", None, False),
]  # fmt: skip


@pytest.mark.parametrize(("query", "found", "version", "remaining", "more"), LISTED, ids=[row[0] or "nothing asked" for row in LISTED])
def test_lists(run: Run, query: str, found: list[str], version: str, remaining: int | None, more: bool) -> None:
    async def scenario(api: Api) -> None:
        versions = await fill(api)
        answer = await api("GET", f"{MAPS}?{at(query, versions)}")
        assert answer.status == 200, answer.raw
        metadata = answer.body["metadata"]
        assert (names(answer.body), metadata["resourceVersion"]) == (found, versions[version])
        assert (metadata.get("remainingItemCount"), "continue" in metadata) == (remaining, more)

    run(scenario)


def test_a_continued_list_keeps_its_selectors_version_and_count(run: Run) -> None:
    async def scenario(api: Api) -> None:
        versions = await fill(api)
        first = (await api("GET", f"{MAPS}?limit=1")).body
        await api("DELETE", f"{MAPS}/a3")
        second = (await api("GET", f"{MAPS}?limit=1&resourceVersion=0&continue={first['metadata']['continue']}")).body
        assert (names(second), second["metadata"]["remainingItemCount"]) == (["a3"], 1)
        assert second["metadata"]["resourceVersion"] == versions["NOW"]
        rest = (await api("GET", f"{MAPS}?continue={second['metadata']['continue']}")).body
        assert (names(rest), rest["metadata"]) == (["b1"], {"resourceVersion": versions["NOW"]})

    run(scenario)


PAIR_FORBIDDEN = f"{FORBIDDEN}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
UNPARSED = 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
WATCH_MATCH = (
    f"{FORBIDDEN}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
)
INITIAL_MATCH = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
REFUSED: list[tuple[str, tuple[int, str, str]]] = [
    ("resourceVersionMatch=Exact", (422, "Invalid", PAIR_FORBIDDEN)),
    ("resourceVersionMatch=NotOlderThan&resourceVersion=", (422, "Invalid", PAIR_FORBIDDEN)),
    ("resourceVersion=0&resourceVersionMatch=Exact",
     (422, "Invalid", f'{FORBIDDEN}resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"')),
    ("resourceVersion=1&resourceVersionMatch=Sometimes",
     (422, "Invalid", f'{FORBIDDEN}resourceVersionMatch: Unsupported value: "Sometimes": supported values: "Exact", "NotOlderThan", ""')),
    ("resourceVersion=1&resourceVersionMatch=Exact&continue=x",
     (422, "Invalid", f"{FORBIDDEN}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided")),
    ("sendInitialEvents=true",
     (422, "Invalid", f"{FORBIDDEN}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")),
    ("resourceVersion=V3&limit=1&continue=TOKEN", (400, "BadRequest", "specifying resource version is not allowed when using continue")),
    ("resourceVersion=x", (400, "BadRequest", UNPARSED)),
    ("resourceVersion=-1", (400, "BadRequest", UNPARSED.replace('"x"', '"-1"'))),
    ("limit=x", (400, "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax')),
    ("labelSelector=%3D%3D", (400, "BadRequest", "")),
    ("watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1",
     (422, "Invalid", WATCH_MATCH)),
    ("watch=1&sendInitialEvents=true", (422, "Invalid", f"{FORBIDDEN}resourceVersionMatch: Forbidden: {INITIAL_MATCH}")),
    ("watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
     (422, "Invalid", f"{FORBIDDEN}[resourceVersionMatch: Forbidden: {INITIAL_MATCH}, "
      'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]')),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refusals(run: Run, query: str, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        versions = await fill(api)
        token = (await api("GET", f"{MAPS}?limit=1")).body["metadata"]["continue"]
        code, reason, message = (await api("GET", f"{MAPS}?{at(query, versions).replace('TOKEN', token)}")).summary
        assert (code, reason) == expected[:2]
        assert not expected[2] or message == expected[2]

    run(scenario)


FUTURE = [
    f"{MAPS}?resourceVersion=NEXT",
    f"{MAPS}?resourceVersion=NEXT&resourceVersionMatch=Exact",
    f"{MAPS}?resourceVersion=NEXT&resourceVersionMatch=NotOlderThan",
    f"{MAPS}/a1?resourceVersion=NEXT",
    f"{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=NEXT",
]


@pytest.mark.parametrize("target", FUTURE)
def test_a_version_that_does_not_come(run: Run, target: str) -> None:
    async def scenario(api: Api) -> None:
        versions = await fill(api)
        asking = asyncio.create_task(api("GET", at(target, versions)))
        for _ in range(4):
            await asyncio.sleep(0)
            await api.clock.advance(1)
        answer = await asyncio.wait_for(asking, 5)
        assert answer.summary == (504, "Timeout", f"Timeout: Too large resource version: {versions['NEXT']}, current: {versions['NOW']}")
        assert answer.body["details"] == {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }

    run(scenario)


def test_compacted_history(run: Run) -> None:
    async def scenario(api: Api) -> None:
        versions = await fill(api)
        await api.server.store.compact(int(versions["NOW"]))
        await api.restart()
        exact = await api("GET", f"{MAPS}?resourceVersion={versions['V2']}&resourceVersionMatch=Exact")
        assert exact.summary == (410, "Expired", "The resourceVersion for the provided list is too old.")
        newer = await api("GET", f"{MAPS}?resourceVersion={versions['V2']}&resourceVersionMatch=NotOlderThan")
        assert names(newer.body) == ["a1", "a3", "b1"]
        watch = await api.watch(f"{MAPS}?watch=1&resourceVersion={versions['V2']}")
        event = await watch.next()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert event["object"]["message"] == f"too old resource version: {versions['V2']} ({versions['NOW']})"
        assert await watch.next() is None

    run(scenario)


WATCHED: list[tuple[str, list[tuple[str, str]] | None]] = [
    ("", [("ADDED", "a1"), ("ADDED", "a3"), ("ADDED", "b1")]),
    ("resourceVersion=0", [("ADDED", "a1"), ("ADDED", "a3"), ("ADDED", "b1")]),
    ("resourceVersion=V2", [("ADDED", "a3"), ("DELETED", "a2"), ("ADDED", "b1")]),
    ("resourceVersion=NOW", []),
    ("resourceVersion=NEXT", None),
    ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan", []),
    ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=V3", [("DELETED", "a2"), ("ADDED", "b1")]),
    ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", [("ADDED", "a1"), ("ADDED", "a3"), ("ADDED", "b1")]),
    ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=V2&labelSelector=app%3Db", [("ADDED", "b1")]),
    ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
     [("ADDED", "a1"), ("ADDED", "a3"), ("ADDED", "b1"), ("BOOKMARK", "")]),
    ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnone",
     [("BOOKMARK", "")]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "events"), WATCHED, ids=[row[0] or "nothing asked" for row in WATCHED])
def test_where_watches_start(run: Run, query: str, events: list[tuple[str, str]] | None) -> None:
    """`events`, then what happens next; None: the client has seen more than there is, so what comes next is old to it."""

    async def scenario(api: Api) -> None:
        versions = await fill(api)
        watch = await api.watch(f"{MAPS}?watch=1&timeoutSeconds=30&{at(query, versions)}")
        seen = await watch.take(len(events or ()))
        assert seen == (events or [])
        await api("POST", MAPS, {"metadata": {"name": "c1", "labels": {"app": "b"}}})
        if events is not None and "none" not in query:
            assert await watch.take(1) == [("ADDED", "c1")]

    run(scenario)


def test_a_watch_ends_at_its_time(run: Run) -> None:
    async def scenario(api: Api) -> None:
        watch = await api.watch(f"{MAPS}?watch=1&timeoutSeconds=-1&allowWatchBookmarks=true")
        bookmarks = [(await watch.next())["object"]["metadata"] for _ in range(2)]
        assert [each.get("annotations") for each in bookmarks] == [{"k8s.io/initial-events-end": "true"}, None]
        assert await watch.next() is None

    run(scenario)
