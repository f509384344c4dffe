"""API Priority and Fairness from outside: objects, headers, 429, queues, time-outs, debug tables. Requests are held open by a resource
whose verb waits until it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from proa.apiserver.call import Call
from proa.apiserver.fairness.allocation import Limits
from proa.apiserver.server import build
from proa.lib.http.message import Response
from tests.integration.conftest import Answer, Api, Run
from tests.integration.test_server_metrics import scrape

GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1"
SCHEMAS, LEVELS = f"{GROUP}/flowschemas", f"{GROUP}/prioritylevelconfigurations"
HELD = "/api/v1/namespaces/default/pods/p/held"
DUMPS = "/debug/api_priority_and_fairness"


class Gate:
    """Holds requests for pods/held until it opens."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._open = asyncio.Event()
        self.entered = 0

    async def _wait(self, call: Call) -> Response:
        self.entered += 1
        await self._open.wait()
        return Response(200, {}, b"{}")

    @asynccontextmanager
    async def holding(self, *users: str) -> AsyncIterator[list["asyncio.Task[Answer]"]]:
        """One request of each user, all of them entered or waiting."""
        self._api.server.context.connect["", "pods", "held"] = self._wait
        tasks = [asyncio.create_task(self._api("GET", HELD, user=user)) for user in users]
        await settle()
        try:
            yield tasks
        finally:
            self._open.set()
            await asyncio.gather(*tasks, return_exceptions=True)

    def open(self) -> None:
        self._open.set()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def make_level(api: Api, *, seats: int, response: dict[str, Any], users: tuple[str, ...] = ("alice", "bob")) -> None:
    """A level of its own, of so many seats, for some users, who may do everything."""
    limited = {"nominalConcurrencyShares": 1, "borrowingLimitPercent": 0, "limitResponse": response}
    await api("POST", LEVELS, {"metadata": {"name": "narrow"}, "spec": {"type": "Limited", "limited": limited}})
    rules = [
        {
            "subjects": [{"kind": "User", "user": {"name": name}} for name in users],
            "resourceRules": [
                {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True},
            ],
        }
    ]
    spec = {
        "priorityLevelConfiguration": {"name": "narrow"}, "matchingPrecedence": 5, "distinguisherMethod": {"type": "ByUser"},
        "rules": rules,
    }  # fmt: skip
    assert (await api("POST", SCHEMAS, {"metadata": {"name": "narrow"}, "spec": spec})).status == 201
    subjects = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name} for name in users]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": "all"}, "roleRef": role, "subjects": subjects}
    await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    await api("GET", "/api/v1/namespaces/default", user=users[0])
    await api("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    fairness = api.server.stages.fairness
    assert fairness is not None
    level = fairness.configuration.levels["narrow"]
    level.limits = Limits(seats, seats, seats)
    level.set_limit(seats)


QUEUE = {"type": "Queue", "queuing": {"queues": 4, "handSize": 1, "queueLengthLimit": 1}}


def test_every_cluster_has_its_levels_and_schemas(run: Run) -> None:
    async def scenario(api: Api) -> None:
        levels = {each["metadata"]["name"]: each for each in (await api("GET", LEVELS)).body["items"]}
        assert set(levels) == {
            "catch-all", "exempt", "global-default", "leader-election", "node-high", "system", "workload-high", "workload-low",
        }  # fmt: skip
        assert levels["catch-all"]["spec"]["limited"]["limitResponse"] == {"type": "Reject"}
        schemas = {each["metadata"]["name"]: each for each in (await api("GET", SCHEMAS)).body["items"]}
        assert len(schemas) == 13
        for each in (*levels.values(), *schemas.values()):
            assert each["metadata"]["annotations"] == {"apf.kubernetes.io/autoupdate-spec": "true"}
            assert each["metadata"]["generation"] == 1
        condition = schemas["system-nodes"]["status"]["conditions"][0]
        assert (condition["type"], condition["status"], condition["reason"]) == ("Dangling", "False", "Found")

    run(scenario)


def test_answers_say_which_schema_and_level_counted(run: Run) -> None:
    async def scenario(api: Api) -> None:
        schema = (await api("GET", f"{SCHEMAS}/global-default")).body["metadata"]["uid"]
        level = (await api("GET", f"{LEVELS}/global-default")).body["metadata"]["uid"]
        for target in ("/version", "/api/v1/pods", "/nothing"):
            headers = (await api("GET", target, user="alice")).headers
            assert headers["x-kubernetes-pf-flowschema-uid"] == schema
            assert headers["x-kubernetes-pf-prioritylevel-uid"] == level
        exempt = (await api("GET", f"{SCHEMAS}/exempt")).body["metadata"]["uid"]
        assert (await api("GET", "/version")).headers["x-kubernetes-pf-flowschema-uid"] == exempt

    run(scenario)


def test_a_level_that_rejects(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response={"type": "Reject"})
        gate = Gate(api)
        async with gate.holding("alice") as held:
            assert gate.entered == 1
            refused = await api("GET", "/api/v1/namespaces", user="bob")
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            assert refused.raw == b"Too many requests, please try again later.\n"
            assert refused.headers["content-type"] == "text/plain; charset=utf-8"
            uid = (await api("GET", f"{LEVELS}/narrow")).body["metadata"]["uid"]
            assert refused.headers["x-kubernetes-pf-prioritylevel-uid"] == uid
            assert (await api("GET", "/readyz", user="bob")).status == 200
            assert (await api("GET", "/api/v1/namespaces")).status == 200
            gate.open()
            assert (await held[0]).status == 200
        assert (await api("GET", "/api/v1/namespaces", user="bob")).status == 200
        metrics = (await api("GET", "/metrics")).raw.decode()
        labels = 'priority_level="narrow",flow_schema="narrow"'
        assert f'apiserver_flowcontrol_rejected_requests_total{{{labels},reason="concurrency-limit"}} 1' in metrics
        assert f"apiserver_flowcontrol_current_executing_requests{{{labels}}} 0" in metrics
        assert 'apiserver_dropped_requests_total{request_kind="readOnly"} 1' in metrics

    run(scenario)


def test_a_level_that_queues(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response=QUEUE)
        gate = Gate(api)
        async with gate.holding("alice", "alice", "alice") as held:
            await asyncio.wait({held[2]}, timeout=1)
            assert (gate.entered, [task.done() for task in held]) == (1, [False, False, True])
            assert (await held[2]).status == 429
            levels = (await api("GET", f"{DUMPS}/dump_priority_levels")).raw.decode()
            line = next(line for line in levels.splitlines() if line.startswith("narrow"))
            assert [cell.strip() for cell in line.split(",")][:6] == ["narrow", "1", "false", "false", "1", "1"]
            queues = (await api("GET", f"{DUMPS}/dump_queues")).raw.decode()
            waiting = [line for line in queues.splitlines() if line.startswith("narrow") and line.split(",")[2].strip() == "1"]
            assert len(waiting) == 1
            requests = (await api("GET", f"{DUMPS}/dump_requests?includeRequestDetails=1")).raw.decode()
            mine = [[cell.strip() for cell in line.split(",")] for line in requests.splitlines() if line.startswith("narrow")]
            assert [(row[1], row[3], row[4], row[10], row[11]) for row in mine] == [
                ("narrow", "-1", "alice", "alice", "get"), ("narrow", "0", "alice", "alice", "get"),
            ]  # fmt: skip
            gate.open()
            assert [(await task).status for task in held[:2]] == [200, 200]
        assert gate.entered == 2

    run(scenario)


def test_metrics_of_what_runs_and_waits(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response=QUEUE)
        async with Gate(api).holding("alice", "alice"):
            await api.clock.advance(2)
            found = await scrape(api)
            assert found['apiserver_current_inflight_requests{request_kind="readOnly"}'] >= 1
            assert found['apiserver_current_inqueue_requests{request_kind="readOnly"}'] == 1
            series = 'apiserver_flowcontrol_priority_level_seat_utilization_bucket{priority_level="narrow",phase="executing",le="%s"}'
            busy = found[series % "+Inf"] - found[series % "0"]
            assert busy == found[series % "1"] - found[series % "0.99"] == 2e9

    run(scenario)


def test_waiting_ends_with_a_quarter_of_the_time_for_a_request(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response=QUEUE)
        async with Gate(api).holding("alice", "alice") as held:
            await api.clock.advance(14)
            assert not held[1].done()
            await api.clock.advance(1.1)
            assert (await held[1]).status == 429
            text = (await api("GET", "/metrics")).raw.decode()
            assert 'rejected_requests_total{priority_level="narrow",flow_schema="narrow",reason="time-out"} 1' in text

    run(scenario)


def test_a_request_that_takes_too_long(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with Gate(api).holding() as _:
            task = asyncio.create_task(api("GET", f"{HELD}?timeout=5s"))
            other = asyncio.create_task(api("POST", HELD, {}))
            await settle()
            await api.clock.advance(7)
            answer = await task
            assert answer.summary == (504, "Timeout", "Timeout: request did not complete within the allotted timeout")
            assert not other.done()
            await api.clock.advance(60)
            assert (await other).status == 504
        refused = await api("GET", "/api/v1/namespaces?timeout=soon")
        message = 'invalid timeout specified in the request URL - time: invalid duration "soon"'
        assert refused.summary == (400, "BadRequest", message)
        assert (await api("GET", "/api/v1/namespaces?timeout=0")).status == 200

    run(scenario)


def test_a_watch_takes_a_seat_only_for_its_beginning(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response={"type": "Reject"})
        response = await api.send("GET", "/api/v1/namespaces?watch=true", user="alice")
        assert (await api("GET", "/api/v1/namespaces", user="bob")).status == 429, "it has not begun"
        del response
        watch = await api.watch("/api/v1/namespaces?watch=true", user="alice")
        await watch.take(4)
        await settle()
        assert (await api("GET", "/api/v1/namespaces", user="bob")).status == 200
        second = await api.watch("/api/v1/namespaces?watch=true", user="bob")
        await second.take(4)

    run(scenario)


def test_a_schema_without_its_level_is_dangling(run: Run) -> None:
    async def scenario(api: Api) -> None:
        spec = {"priorityLevelConfiguration": {"name": "later"}, "matchingPrecedence": 7}
        await api("POST", SCHEMAS, {"metadata": {"name": "early"}, "spec": spec})
        await settle()

        async def dangling() -> tuple[str, str, str]:
            found = (await api("GET", f"{SCHEMAS}/early")).body["status"]["conditions"]
            assert len(found) == 1
            return found[0]["status"], found[0]["reason"], found[0]["message"]

        lead = 'This FlowSchema references the PriorityLevelConfiguration object named "later"'
        assert await dangling() == ("True", "NotFound", f"{lead} but there is no such object")
        limited = {"limitResponse": {"type": "Reject"}}
        level = {"metadata": {"name": "later"}, "spec": {"type": "Limited", "limited": limited}}
        created = await api("POST", LEVELS, level)
        assert created.body["spec"]["limited"] == {
            "nominalConcurrencyShares": 30, "lendablePercent": 0, "limitResponse": {"type": "Reject"},
        }  # fmt: skip
        await settle()
        assert await dangling() == ("False", "Found", f"{lead} and it exists")
        await api("DELETE", f"{LEVELS}/later")
        await settle()
        assert (await dangling())[0] == "True"

    run(scenario)


def test_the_objects_of_the_server_come_back_and_what_is_changed_stays(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("DELETE", f"{SCHEMAS}/catch-all")
        await api("DELETE", f"{LEVELS}/workload-low")
        body = {"spec": {"matchingPrecedence": 8000}, "metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": "false"}}}
        await api.patch("merge", f"{SCHEMAS}/service-accounts", body)
        await api.patch("merge", f"{SCHEMAS}/global-default", {"spec": {"matchingPrecedence": 8000}})
        await api.patch("merge", f"{LEVELS}/exempt", {"spec": {"exempt": {"lendablePercent": 10, "nominalConcurrencyShares": 5}}})
        assert (await api("GET", "/version", user="alice")).status == 200
        await api.clock.advance(61)
        await settle()
        assert (await api("GET", f"{SCHEMAS}/catch-all")).status == 200
        assert (await api("GET", f"{LEVELS}/workload-low")).status == 200
        assert (await api("GET", f"{SCHEMAS}/service-accounts")).body["spec"]["matchingPrecedence"] == 8000
        assert (await api("GET", f"{SCHEMAS}/global-default")).body["spec"]["matchingPrecedence"] == 9900
        assert (await api("GET", f"{LEVELS}/exempt")).body["spec"]["exempt"]["lendablePercent"] == 10

    run(scenario)


RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["a"]}
ANYBODY = {"kind": "User", "user": {"name": "*"}}


def rules(*each: dict[str, Any], subjects: Any = (ANYBODY,)) -> dict[str, Any]:
    return {"rules": [{"subjects": list(subjects), "resourceRules": list(each)}]}


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"matchingPrecedence": -1}, "spec.matchingPrecedence", "Invalid value: -1: must be a positive value"),
        ({"matchingPrecedence": 10001}, "spec.matchingPrecedence", "Invalid value: 10001: must not be greater than 10000"),
        ({"matchingPrecedence": 1}, "spec.matchingPrecedence",
         "Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"),
        ({"priorityLevelConfiguration": {"name": ""}}, "spec.priorityLevelConfiguration.name",
         "Required value: must reference a priority level"),
        ({"distinguisherMethod": {"type": "ByMoon"}}, "spec.distinguisherMethod.type",
         'Unsupported value: {"type":"ByMoon"}: supported values: "ByNamespace", "ByUser"'),
        (rules(), "spec.rules[0]", "Required value: at least one of resourceRules and nonResourceRules has to be non-empty"),
        (rules(RULE, subjects=()), "spec.rules[0].subjects", "Required value: subjects must contain at least one value"),
        (rules(RULE, subjects=({"kind": "Dog"},)), "spec.rules[0].subjects[0].kind",
         'Unsupported value: "Dog": supported values: "Group", "ServiceAccount", "User"'),
        (rules(RULE, subjects=({"kind": "User"},)), "spec.rules[0].subjects[0].user",
         "Required value: user is required when subject kind is 'User'"),
        (rules(RULE, subjects=(ANYBODY | {"group": {"name": "g"}},)), "spec.rules[0].subjects[0].group",
         "Forbidden: group is forbidden when subject kind is not 'Group'"),
        (rules(RULE, subjects=({"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": ""}},)),
         "spec.rules[0].subjects[0].serviceAccount.namespace", "Required value: must specify namespace for service account"),
        (rules(RULE | {"verbs": ["*", "get"]}), "spec.rules[0].resourceRules[0].verbs",
         "Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs"),
        (rules(RULE | {"apiGroups": []}), "spec.rules[0].resourceRules[0].apiGroups",
         "Required value: resource rules must supply at least one api group"),
        (rules(RULE | {"namespaces": []}), "spec.rules[0].resourceRules[0].namespaces",
         "Required value: resource rules that are not cluster scoped must supply at least one namespace"),
    ],
)  # fmt: skip
def test_schemas_that_are_refused(run: Run, spec: dict[str, Any], field: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        body = {"metadata": {"name": "x"}, "spec": {"priorityLevelConfiguration": {"name": "system"}, **spec}}
        answer = await api("POST", SCHEMAS, body)
        assert answer.status == 422
        causes = answer.body["details"]["causes"]
        assert [(cause["field"], cause["message"]) for cause in causes] == [(field, message)]

    run(scenario)


def limited(**members: Any) -> dict[str, Any]:
    return {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}, **members}}


def queuing(**members: int) -> dict[str, Any]:
    return limited(limitResponse={"type": "Queue", "queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50, **members}})


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"type": "Exempt"}, "spec.type", "Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"),
        ({"type": "Limited"}, "spec.limited", "Required value: must not be empty when type is Limited"),
        (limited() | {"exempt": {}}, "spec.exempt", "Forbidden: must be nil if the type is Limited"),
        (limited(nominalConcurrencyShares=-1), "spec.limited.nominalConcurrencyShares",
         "Invalid value: -1: must be a non-negative integer"),
        (limited(lendablePercent=101), "spec.limited.lendablePercent", "Invalid value: 101: must be between 0 and 100, inclusive"),
        (limited(borrowingLimitPercent=-1), "spec.limited.borrowingLimitPercent",
         "Invalid value: -1: if specified, must be a non-negative integer"),
        (limited(limitResponse={"type": "Queue"}), "spec.limited.limitResponse.queuing",
         "Required value: must not be empty if limited.limitResponse.type is Limited"),
        (limited(limitResponse={"type": "Reject", "queuing": {}}), "spec.limited.limitResponse.queuing",
         "Forbidden: must be nil if limited.limitResponse.type is not Limited"),
        (queuing(queues=-1, handSize=1), "spec.limited.limitResponse.queuing.queues", "Invalid value: -1: must be positive"),
        (queuing(handSize=65), "spec.limited.limitResponse.queuing.handSize",
         "Invalid value: 65: should not be greater than queues (64)"),
        (queuing(handSize=11), "spec.limited.limitResponse.queuing.handSize",
         "Invalid value: 11: required entropy bits of deckSize 64 and handSize 11 should not be greater than 60"),
    ],
)  # fmt: skip
def test_levels_that_are_refused(run: Run, spec: dict[str, Any], field: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", LEVELS, {"metadata": {"name": "x"}, "spec": spec})
        assert answer.status == 422
        assert (field, message) in [(cause["field"], cause["message"]) for cause in answer.body["details"]["causes"]]

    run(scenario)


def test_what_is_mandatory_keeps_its_spec(run: Run) -> None:
    async def scenario(api: Api) -> None:
        for target, body, message in (
            (f"{SCHEMAS}/catch-all", {"matchingPrecedence": 9}, "spec of 'catch-all' must equal the fixed value"),
            (f"{LEVELS}/catch-all", {"limited": {"lendablePercent": 9}}, "spec of 'catch-all' must equal the fixed value"),
        ):
            answer = await api.patch("merge", target, {"spec": body})
            assert answer.status == 422
            assert message in answer.body["message"]

    run(scenario)


def test_without_priority_and_fairness_two_limits_hold(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=1, response={"type": "Reject"})
        config = replace(api.server.config, enable_priority_and_fairness=False, max_requests_inflight=1, max_mutating_requests_inflight=1)
        await api.server.stop(0)
        api.server = await build(config, clock=api.clock, backend=api.backend)
        await api.server.start(listen=False)
        async with Gate(api).holding("alice"):
            refused = await api("GET", "/api/v1/namespaces", user="bob")
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            assert "x-kubernetes-pf-flowschema-uid" not in refused.headers
            pod = {"metadata": {"name": "q"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
            assert (await api("POST", "/api/v1/namespaces/default/pods", pod, user="bob")).status == 201
            assert (await api("GET", "/api/v1/namespaces")).status == 200
        assert (await api("GET", "/api/v1/namespaces", user="bob")).status == 200

    run(scenario)


def test_long_lists_take_more_seats(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_level(api, seats=2, response={"type": "Reject"})
        for number in range(150):
            await api("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"c{number}"}})
        async with Gate(api).holding("alice"):
            assert (await api("GET", "/api/v1/namespaces/default/configmaps", user="bob")).status == 429
            assert (await api("GET", "/api/v1/namespaces/default/configmaps/c1", user="bob")).status == 200
            assert (await api("GET", "/api/v1/namespaces", user="bob")).status == 200

    run(scenario)
