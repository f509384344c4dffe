"""Events: shape, counting, combination of similar ones, the spam limit."""

import asyncio
from typing import Any

from proa.api.errors import Forbidden
from proa.api.kinds import EVENTS
from proa.client.fake import FakeClient
from proa.lib.clock import VirtualClock
from proa.runtime.event_recorder import EventRecorder

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "uid": "u", "resourceVersion": "7"}}


def record(*messages: str, step: float = 1) -> tuple[FakeClient, list[dict[str, Any]]]:
    async def main() -> tuple[FakeClient, list[dict[str, Any]]]:
        clock = VirtualClock()
        client = FakeClient(clock=clock)
        recorder = EventRecorder(client, "kubelet", clock, host="n1")
        for message in messages:
            recorder.event(POD, "Warning", "BackOff", message, field_path="spec.containers{web}")
            await recorder.flush()
            await clock.advance(step)
        return client, client.objects(EVENTS)

    return asyncio.run(main())


def test_an_event_has_the_shape_that_describe_reads() -> None:
    _, (event,) = record("restarting")
    event["metadata"] = {key: event["metadata"][key] for key in ("namespace", "name")}
    assert event["metadata"]["name"].startswith("p.")
    assert event["metadata"].pop("name")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "n"},
        "involvedObject": {
            "kind": "Pod", "namespace": "n", "name": "p", "uid": "u", "apiVersion": "v1", "resourceVersion": "7",
            "fieldPath": "spec.containers{web}",
        },
        "type": "Warning",
        "reason": "BackOff",
        "message": "restarting",
        "source": {"component": "kubelet", "host": "n1"},
        "firstTimestamp": "2030-01-01T00:00:00Z",
        "lastTimestamp": "2030-01-01T00:00:00Z",
        "eventTime": None,
        "count": 1,
        "reportingComponent": "kubelet",
        "reportingInstance": "n1",
    }  # fmt: skip


def test_the_same_event_again_raises_the_count() -> None:
    client, (event,) = record("a", "a", "a")
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (3, "2030-01-01T00:00:00Z", "2030-01-01T00:00:02Z")
    assert [action.verb for action in client.actions] == ["create", "patch", "patch"]


def test_similar_events_are_combined_after_ten() -> None:
    _, events = record(*(f"m{number}" for number in range(13)))
    assert sorted((each["message"], each["count"]) for each in events) == sorted(
        [*((f"m{number}", 1) for number in range(10)), ("(combined from similar events): m12", 3)]
    )


def test_one_source_says_25_things_about_an_object_then_one_in_five_minutes() -> None:
    _, (event,) = record(*["a"] * 40)
    assert event["count"] == 25
    _, (event,) = record(*["a"] * 30, step=300)
    assert event["count"] == 30


def test_a_deleted_event_is_written_anew() -> None:
    async def main() -> None:
        client = FakeClient(clock=VirtualClock())
        recorder = EventRecorder(client, "c", client.clock)
        recorder.event(POD, "Normal", "R", "m")
        await recorder.flush()
        client.remove(client.objects(EVENTS)[0])
        recorder.event(POD, "Normal", "R", "m")
        await recorder.flush()
        assert [each["count"] for each in client.objects(EVENTS)] == [1]

    asyncio.run(main())


def test_an_unreachable_api_is_tried_again_and_a_refusal_is_final() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(clock=clock)
        failures: list[Exception] = [Forbidden("no"), ConnectionResetError("gone"), ConnectionResetError("gone")]

        def fail(action: object) -> None:
            if failures:
                raise failures.pop()

        client.react("create", "events", fail)
        recorder = EventRecorder(client, "c", clock)
        for message in ("first", "second"):
            recorder.event(POD, "Normal", "R", message)
        await clock.advance(30)
        assert [each["message"] for each in client.objects(EVENTS)] == ["second"]
        assert len([each for each in client.actions if each.verb == "create"]) == 4

    asyncio.run(main())
