"""How long a GET takes while the API server has something to do: pods that start, and a large LIST every second."""

import http.client
import json
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

from proa.cluster.supervisor import set_niceness
from tests.e2e.access import Access
from tests.e2e.namespace import Namespace, deployment

OBJECTS, PODS, GETS_PER_SECOND = 3000, 30, 100


class Connection:
    """One that is kept alive."""

    def __init__(self, access: Access) -> None:
        self._http = http.client.HTTPSConnection(str(access.address.hostname), access.address.port, context=access.context(), timeout=30)

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, bytes]:
        self._http.request(method, path, body or None, {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._http.close()


def _fill(access: Access) -> None:
    def create(numbers: range) -> None:
        connection = Connection(access)
        for number in numbers:
            config_map = {"metadata": {"name": f"object-{number}", "labels": {"bulk": "yes"}}, "data": {"text": "x" * 500}}
            status, answer = connection.ask("POST", access.config_maps, json.dumps(config_map))
            assert status == 201, answer
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(create, [range(start, OBJECTS, 4) for start in range(4)]))


def _measure(access: Access, end: Event, found: "Queue[list[float]]") -> None:
    """Seconds that each GET took, with pauses in between. In a process of its own that goes first, so that it doesn't measure its own wait
    for a core or for another thread."""
    os.setsid()
    set_niceness(-10)
    connection, took = Connection(access), list[float]()
    while not end.wait(1 / GETS_PER_SECOND):
        began = time.monotonic()
        status, _ = connection.ask("GET", f"{access.config_maps}/object-{len(took) % OBJECTS}")
        took.append(time.monotonic() - began)
        assert status == 200
    connection.close()
    found.put(took)


def _list_every_second(access: Access, end: Event) -> int:
    connection, lists = Connection(access), 0
    while not end.wait(1):
        status, answer = connection.ask("GET", f"{access.config_maps}?labelSelector=bulk")
        assert (status, answer.count(b'"name":"object-')) == (200, OBJECTS)
        lists += 1
    connection.close()
    return lists


def test_a_get_is_fast_while_pods_start_and_large_lists_are_read(space: Namespace, tmp_path: Path) -> None:
    access = Access(space, tmp_path)
    _fill(access)
    processes = multiprocessing.get_context("spawn")
    end, found = processes.Event(), processes.Queue()
    measuring = processes.Process(target=_measure, args=(access, end, found))
    measuring.start()
    with ThreadPoolExecutor(1) as threads:
        lists = threads.submit(_list_every_second, access, end)
        began = time.monotonic()
        try:
            space.apply(deployment("many", PODS))
            space.out("rollout", "status", "deployment/many", "--timeout=90s")
            started = time.monotonic() - began
            end.wait(max(0, 5 - started))
        finally:
            end.set()
    took = sorted(found.get(timeout=30))
    measuring.join()
    p50, p99, longest = (1000 * took[index] for index in (len(took) // 2, len(took) * 99 // 100, -1))
    print(f"\n{len(took)} GETs: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms,", end=" ")
    print(f"while {PODS} pods started in {started:.1f} s and {lists.result()} lists of {OBJECTS} objects were read")
    assert lists.result() >= 3
    assert len(took) > GETS_PER_SECOND
