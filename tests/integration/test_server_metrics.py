"""What /metrics tells: requests with their dry runs, open watches and their events, the process and the build."""

import asyncio
import re
from pathlib import Path

from tests.integration.conftest import Api, Run, running

MAPS = "/api/v1/namespaces/default/configmaps"


async def scrape(api: Api) -> dict[str, float]:
    lines = (await api("GET", "/metrics")).raw.decode().splitlines()
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def test_requests_and_watches(run: Run) -> None:
    async def scenario(api: Api) -> None:
        watch = await api.watch(f"{MAPS}?watch=1")
        await api("POST", MAPS, {"metadata": {"name": "a"}})
        await api("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "b"}})
        await watch.take(1)
        found = await scrape(api)
        target = 'group="",version="v1",resource="configmaps",subresource="",scope="namespace"'
        for dry_run in ("", "All"):
            assert found[f'apiserver_request_total{{code="201",component="apiserver",verb="POST",dry_run="{dry_run}",{target}}}'] >= 1
        assert found[f'apiserver_longrunning_requests{{component="apiserver",verb="WATCH",{target}}}'] == 1
        assert found['apiserver_watch_events_total{group="",version="v1",resource="configmaps"}'] == 1
        assert found['apiserver_storage_objects{resource="configmaps"}'] >= 1

    run(scenario)


def test_the_process_and_its_build(run: Run) -> None:
    async def scenario(api: Api) -> None:
        before = await scrape(api)
        after = await scrape(api)
        assert before["process_start_time_seconds"] == after["process_start_time_seconds"] > 1_500_000_000
        assert after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"] > 0
        assert after["process_virtual_memory_bytes"] > after["process_resident_memory_bytes"] > 10_000_000
        assert 3 < after["process_open_fds"] < after["process_max_fds"]
        (build,) = [series for series in after if series.startswith("kubernetes_build_info{")]
        version = (await api("GET", "/version")).body
        assert re.search(r'git_version="([^"]*)"', build)[1] == version["gitVersion"]  # type: ignore[index]
        assert f'major="{version["major"]}",minor="{version["minor"]}"' in build

    run(scenario)


def test_who_asks_for_what_is_deprecated(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("GET", "/api/v1/componentstatuses")
        await api("GET", MAPS)
        found = await scrape(api)
        series = 'apiserver_requested_deprecated_apis{group="",version="v1",resource="%s",subresource="",removed_release=""}'
        assert (found[series % "componentstatuses"], series % "configmaps" in found) == (1, False)

    run(scenario)


CLASSES = "/apis/resource.k8s.io/v1beta1/deviceclasses"


def test_versions_that_will_go_say_so(signing_key: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(signing_key, tmp_path, runtime_config={"api/beta": True}) as api:
            asked = await api("GET", CLASSES)
            told = "resource.k8s.io/v1beta1 DeviceClass is deprecated in v1.35+, unavailable in v1.38+"
            assert (asked.status, asked.warnings) == (200, [f'299 - "{told}"'])
            assert (await api("GET", "/apis/resource.k8s.io/v1/deviceclasses")).warnings == []
            assert (await api("GET", "/apis/certificates.k8s.io/v1beta1/podcertificaterequests")).warnings == []
            endpoints = await api("GET", "/api/v1/endpoints")
            assert endpoints.warnings == ['299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"']
            series = 'apiserver_requested_deprecated_apis{group="%s",version="%s",resource="%s",subresource="",removed_release="%s"}'
            found = await scrape(api)
            assert found[series % ("resource.k8s.io", "v1beta1", "deviceclasses", "1.38")] == 1
            assert found[series % ("", "v1", "endpoints", "")] == 1

    asyncio.run(scenario())


def test_how_long_admission_takes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        before = await scrape(api)
        limit = {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}
        await api("POST", "/api/v1/namespaces/default/limitranges", limit)
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "2"}}}]}}
        assert (await api("POST", "/api/v1/namespaces/default/pods", pod)).status == 403
        found = await scrape(api)

        def more(series: str) -> float:
            name = f"apiserver_admission_{series}"
            return found.get(name, 0) - before.get(name, 0)

        durations = "controller_admission_duration_seconds_count"
        labels = 'type="{}",operation="CREATE",rejected="{}"'
        assert more(f'{durations}{{name="LimitRanger",{labels.format("admit", "false")}}}') == 1
        assert more(f'{durations}{{name="LimitRanger",{labels.format("validate", "true")}}}') == 1
        assert more(f'{durations}{{name="LimitRanger",{labels.format("validate", "false")}}}') == 0
        assert more(f'{durations}{{name="Priority",{labels.format("admit", "false")}}}') == 1
        steps = "step_admission_duration_seconds_count"
        assert more(f"{steps}{{{labels.format('admit', 'false')}}}") == 2
        assert more(f"{steps}{{{labels.format('validate', 'true')}}}") == 1

    run(scenario)


def test_how_much_is_read(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "x" * 5000}})
        before = await scrape(api)
        one, all_ = await api("GET", f"{MAPS}/a"), await api("GET", MAPS)
        found = await scrape(api)
        for verb, scope, answer in (("GET", "resource", one), ("LIST", "namespace", all_)):
            labels = f'verb="{verb}",group="",version="v1",resource="configmaps",subresource="",scope="{scope}",component="apiserver"'
            series = f"apiserver_response_sizes_sum{{{labels}}}"
            assert found[series] - before.get(series, 0) == len(answer.raw) > 5000
            assert found[f'apiserver_response_sizes_bucket{{{labels},le="1000"}}'] == 0 if verb == "GET" else True
        assert not any(series.startswith("apiserver_response_sizes") and 'verb="POST"' in series for series in found)

    run(scenario)


def test_what_runs_without_fairness(signing_key: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(signing_key, tmp_path, enable_priority_and_fairness=False) as api:
            found = await scrape(api)
            kinds = {kind: found[f'apiserver_current_inflight_requests{{request_kind="{kind}"}}'] for kind in ("readOnly", "mutating")}
            assert kinds == {"readOnly": 1, "mutating": 0}

    asyncio.run(scenario())
