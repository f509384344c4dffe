"""How fast the store is: durable writes per second through the backend and through `Store`, and what one costs the event loop.

`python benchmarks/storage.py [--seconds S] [--directory D] [--backend sqlite|memory]`. The directory should be on the disk that matters.
The CPU figures are the loop's thread alone and the whole process (with the writer's thread), in microseconds a write.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from proa.api.meta import Object
from proa.storage.backends.memory import MemoryBackend
from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import Backend, Collection
from proa.storage.store import Store

PADDING = "x" * 1400
Write = Callable[[int], Awaitable[object]]


def pod(number: int) -> Object:
    """About 2 KB of JSON."""
    container = {"name": "main", "image": "registry.example/app:1", "env": [{"name": "PADDING", "value": PADDING}]}
    labels = {"app": "load", "pod-template-hash": "5d9c7b6f4"}
    metadata = {"name": f"load-{number}", "namespace": "default", "uid": f"{number:032x}", "labels": labels}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [container], "restartPolicy": "Always", "nodeName": ""}, "status": {"phase": "Pending"},
    }  # fmt: skip


def attributes(obj: Object) -> tuple[dict[str, str], dict[str, str]]:
    metadata = obj["metadata"]
    fields = {"metadata.name": metadata["name"], "spec.nodeName": obj["spec"]["nodeName"], "status.phase": obj["status"]["phase"]}
    return metadata["labels"], fields


async def measure(name: str, write: Write, concurrency: int, seconds: float, numbers: "itertools.count[int]") -> None:
    deadline, count = time.perf_counter() + seconds, 0

    async def worker() -> None:
        nonlocal count
        while time.perf_counter() < deadline:
            await write(next(numbers))
            count += 1

    start, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    rate = count / (time.perf_counter() - start)
    loop_cost, cost = (time.thread_time() - thread) / count * 1e6, (time.process_time() - process) / count * 1e6
    print(f"{name:24} {concurrency:4} at once {rate:9.0f}/s   CPU {loop_cost:6.1f} us in the loop, {cost:6.1f} us in all", flush=True)


async def measure_watchers(pods: Collection, watchers: int, numbers: "itertools.count[int]") -> None:
    """Fan-out: every event to every watcher, handed out by `next_batch`."""
    received = 0

    async def consume() -> None:
        nonlocal received
        watcher = pods.watch(after_revision=None, predicate=lambda entry: entry.revision > first)
        mine = 0
        while mine < 200:
            batch = await watcher.next_batch()
            mine += len(batch)
        received += mine
        watcher.close()

    first = (await pods.create("default/first", pod(next(numbers)))).revision
    tasks = [asyncio.create_task(consume()) for _ in range(watchers)]
    await asyncio.sleep(0.2)
    start = time.thread_time()
    await asyncio.gather(*(pods.create(f"default/w-{next(numbers)}", pod(0)) for _ in range(200)))
    await asyncio.gather(*tasks)
    print(f"fan-out to {watchers} watchers: {(time.thread_time() - start) / received * 1e6:.2f} us an event and watcher")


async def main(seconds: float, backend: Backend) -> None:
    store = Store(backend)
    pods = await store.collection("/registry/pods/", attributes)
    await store.start()
    numbers = itertools.count(1)
    value = b"x" * 2048
    for concurrency in (1, 16, 64):
        await measure("backend create", lambda n: backend.create(f"/raw/{n}", value), concurrency, seconds, numbers)
    for concurrency in (1, 16, 64):
        await measure("store create", lambda n: pods.create(f"default/load-{n}", pod(n)), concurrency, seconds, numbers)
    keys = itertools.cycle([entry.key for entry in pods.current()])

    async def touch(obj: Object) -> Object:
        obj["status"]["phase"] = f"Running-{obj['metadata']['resourceVersion']}"
        return obj

    for concurrency in (1, 16, 64):
        await measure("store update", lambda n: pods.update(next(keys), touch), concurrency, seconds, numbers)
    await measure("store get", lambda n: pods.get("default/load-100"), 1, seconds, numbers)
    start = time.perf_counter()
    listing = await pods.list()
    print(f"list of {len(listing.entries)}: {(time.perf_counter() - start) * 1e3:.1f} ms")
    await measure_watchers(pods, 1000, numbers)
    await store.stop()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--backend", choices=("sqlite", "memory"), default="sqlite")
    return parser.parse_args()


if __name__ == "__main__":
    options = parse()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        chosen: Backend = MemoryBackend() if options.backend == "memory" else SqliteBackend(Path(directory) / "store.db")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(options.seconds, chosen))
