"""Events go an hour after their last write."""

import asyncio

from proa.apiserver.maintenance import expire_events_forever
from proa.lib.clock import VirtualClock
from proa.storage.backends.memory import MemoryBackend
from proa.storage.store import Store


def test_an_event_lives_an_hour_after_its_last_write() -> None:
    async def main() -> None:
        clock = VirtualClock()
        store = Store(MemoryBackend())
        await store.start()
        events = await store.collection("/registry/events/", lambda obj: ({}, {}))
        chore = asyncio.create_task(expire_events_forever(events, clock))
        for name in ("kept", "gone"):
            await events.create(f"ns/{name}", {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}})
        await clock.advance(1800)

        async def again(event: dict[str, object]) -> dict[str, object]:
            return event | {"count": 2}

        await events.update("ns/kept", again)
        await clock.advance(1900)
        assert [entry.key for entry in events.current()] == ["ns/kept"]
        await clock.advance(1900)
        assert list(events.current()) == []
        chore.cancel()
        await asyncio.gather(chore, return_exceptions=True)
        await store.stop()

    asyncio.run(main())
