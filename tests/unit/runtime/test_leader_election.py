"""Leader election by Lease."""

import asyncio

import pytest

from proa.api.kinds import LEASES
from proa.client.fake import FakeClient
from proa.lib.clock import VirtualClock
from proa.runtime.leader_election import LeaderElector, LeadershipLost


class Work:
    def __init__(self) -> None:
        self.running = False

    def is_running(self) -> bool:
        return self.running

    async def __call__(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


def test_the_second_waits_until_the_first_releases() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(clock=clock)
        works = [Work(), Work()]
        runs = [asyncio.ensure_future(LeaderElector(client, "l", f"id-{i}", clock=clock).run(works[i])) for i in range(2)]
        await clock.advance(60)
        assert [work.running for work in works] == [True, False]
        runs[0].cancel()
        await clock.advance(3)
        assert [work.running for work in works] == [False, True]
        spec = client.objects(LEASES)[0]["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("id-1", 15, 1)
        runs[1].cancel()

    asyncio.run(main())


def test_a_lease_that_is_not_renewed_expires() -> None:
    async def main() -> None:
        clock = VirtualClock()
        spec = {"holderIdentity": "dead", "leaseDurationSeconds": 15, "renewTime": "2030-01-01T00:00:00.000000Z"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l", "namespace": "kube-system"}}
        client = FakeClient({**lease, "spec": spec}, clock=clock)
        work = Work()
        running = asyncio.ensure_future(LeaderElector(client, "l", "id", clock=clock).run(work))
        await clock.advance(14)
        assert not work.is_running()
        await clock.advance(4)
        assert work.is_running()
        running.cancel()

    asyncio.run(main())


def test_work_is_cancelled_when_the_lease_cannot_be_renewed() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(clock=clock)
        work = Work()
        running = asyncio.ensure_future(LeaderElector(client, "l", "id", clock=clock).run(work))
        await clock.advance(4)

        def down(action: object) -> None:
            raise ConnectionRefusedError("down")

        client.react("*", "leases", down)
        await clock.advance(5)
        assert work.is_running()
        await clock.advance(10)
        assert not work.is_running()
        with pytest.raises(LeadershipLost):
            await running

    asyncio.run(main())
