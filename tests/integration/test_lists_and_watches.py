"""LIST and WATCH through the front door: pages, selectors, versions, bookmarks, other forms."""

from typing import Any

from tests.integration.conftest import Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


async def fill(api: Api, *names: str) -> list[dict[str, Any]]:
    made = []
    for name in names:
        app = {"app": name[0]}
        made.append((await api("POST", MAPS, {"metadata": {"name": name, "labels": app}})).body)
    return made


def names(listed: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_a_list_is_its_items_in_order_and_a_version(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "b1", "a1")
        listed = (await api("GET", MAPS)).body
        assert {key: value for key, value in listed.items() if key != "items"} == {
            "kind": "ConfigMapList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": made[1]["metadata"]["resourceVersion"]},
        }
        bare = [{key: value for key, value in each.items() if key not in ("kind", "apiVersion")} for each in reversed(made)]
        assert listed["items"] == bare
        assert names((await api("GET", f"{MAPS}?labelSelector=app%3Da")).body) == ["a1"]
        assert names((await api("GET", f"{MAPS}?labelSelector=app!%3Da")).body) == ["b1"]
        assert names((await api("GET", f"{MAPS}?fieldSelector=metadata.name%3Db1")).body) == ["b1"]

    run(scenario)


def test_pages_show_one_moment(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1", "a2", "a3")
        first = (await api("GET", f"{MAPS}?limit=2")).body
        assert (names(first), first["metadata"]["remainingItemCount"]) == (["a1", "a2"], 1)
        await fill(api, "a4")
        second = (await api("GET", f"{MAPS}?limit=2&continue={first['metadata']['continue']}")).body
        assert (names(second), second["metadata"]) == (["a3"], {"resourceVersion": first["metadata"]["resourceVersion"]})

    run(scenario)


def test_a_page_of_compacted_history_offers_to_go_on(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1", "a2", "a3")
        first = (await api("GET", f"{MAPS}?limit=1")).body
        await fill(api, "a4")
        await api.server.store.compact(api.server.store.revision)
        expired = await api("GET", f"{MAPS}?limit=5&continue={first['metadata']['continue']}")
        assert expired.summary[:2] == (410, "Expired")
        rest = (await api("GET", f"{MAPS}?limit=5&continue={expired.body['metadata']['continue']}")).body
        assert names(rest) == ["a2", "a3", "a4"]

    run(scenario)


def test_versions_of_lists(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "a1", "a2")
        version = made[0]["metadata"]["resourceVersion"]
        exact = f"resourceVersion={version}&resourceVersionMatch=Exact"
        assert names((await api("GET", f"{MAPS}?{exact}")).body) == ["a1"]
        assert names((await api("GET", f"{MAPS}?resourceVersion=0&limit=1")).body) == ["a1", "a2"]

    run(scenario)


def test_tables(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1")
        table = (await api("GET", MAPS, accept=TABLE)).body
        assert (table["kind"], [each["name"] for each in table["columnDefinitions"]]) == ("Table", ["Name", "Data", "Age"])
        assert [row["cells"] for row in table["rows"]] == [["a1", 0, "0s"]]
        assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
        bare = (await api("GET", f"{MAPS}?includeObject=None", accept=TABLE)).body
        assert bare["rows"][0]["object"] is None

    run(scenario)


def test_metadata_only(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "a1")
        listed = (await api("GET", MAPS, accept=PARTIAL)).body
        item = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made[0]["metadata"]}
        version = {"resourceVersion": made[0]["metadata"]["resourceVersion"]}
        expected = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": version, "items": [item]}
        assert listed == expected

    run(scenario)


def test_a_watch_starts_with_what_is_there(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "a1")
        watch = await api.watch(f"{MAPS}?watch=1")
        assert await watch.next() == {"type": "ADDED", "object": made[0]}
        await api.patch("merge", f"{MAPS}/a1", {"data": {"k": "v"}})
        await api("DELETE", f"{MAPS}/a1")
        assert await watch.take(2) == [("MODIFIED", "a1"), ("DELETED", "a1")]

    run(scenario)


def test_a_watch_resumes_after_a_version(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "a1", "a2", "b1")
        version = made[0]["metadata"]["resourceVersion"]
        watch = await api.watch(f"{MAPS}?watch=1&resourceVersion={version}")
        assert await watch.take(2) == [("ADDED", "a2"), ("ADDED", "b1")]

    run(scenario)


def test_selectors_turn_changes_into_additions_and_deletions(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1")
        watch = await api.watch(f"{MAPS}?watch=1&labelSelector=app%3Dx")
        await api.patch("merge", f"{MAPS}/a1", {"metadata": {"labels": {"app": "x"}}})
        await api.patch("merge", f"{MAPS}/a1", {"metadata": {"labels": {"app": "y"}}})
        assert await watch.take(2) == [("ADDED", "a1"), ("DELETED", "a1")]

    run(scenario)


def test_initial_events_end_with_a_bookmark(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await fill(api, "a1")
        query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        watch = await api.watch(f"{MAPS}?{query}")
        assert await watch.take(1) == [("ADDED", "a1")]
        bookmark = await watch.next()
        metadata = bookmark["object"]["metadata"]
        assert (bookmark["type"], metadata["annotations"]) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})
        assert int(metadata["resourceVersion"]) >= int(made[0]["metadata"]["resourceVersion"])
        await fill(api, "a2")
        assert await watch.take(1) == [("ADDED", "a2")]

    run(scenario)


def test_too_old_is_an_error_event(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1", "a2")
        await api.server.store.compact(api.server.store.revision)
        await api.restart()
        watch = await api.watch(f"{MAPS}?watch=1&resourceVersion=1")
        event = await watch.next()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert event["object"]["message"].startswith("too old resource version: 1 (")
        assert await watch.next() is None

    run(scenario)


def test_a_watch_of_tables_names_its_columns_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, "a1")
        watch = await api.watch(f"{MAPS}?watch=1", accept=TABLE)
        first = await watch.next()
        await fill(api, "a2")
        second = await watch.next()
        assert [row["cells"][0] for event in (first, second) for row in event["object"]["rows"]] == ["a1", "a2"]
        assert (bool(first["object"]["columnDefinitions"]), bool(second["object"]["columnDefinitions"])) == (True, False)

    run(scenario)
