"""How long the proxy's rules take: 10,000 Services with 3 endpoints whole, one Service more, 250,000 endpoints, one endpoint of many.

Needs root; works in a network namespace of its own and leaves nothing. `python benchmarks/proxy.py [SERVICES]`
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from proa.api.meta import Object
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.proxy.endpoints import Node
from proa.proxy.model import build_rules, build_service
from proa.proxy.nftables.compile import compile_whole
from proa.proxy.nftables.family import IPV4
from proa.proxy.nftables.kernel import LinuxKernel
from proa.proxy.nftables.skeleton import Surroundings
from proa.proxy.table import Table

T = TypeVar("T")
NODE = Node("node-1")
AROUND = Surroundings(("192.168.50.2",), ("10.0.0.0/12",), ("10.128.0.0/9",))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    namespace = NetworkNamespace(f"proa-bench-{os.getpid()}")
    namespace.create()
    try:
        kernel = LinuxKernel(namespace)
        _services(Table(kernel, IPV4, AROUND), count, 3)
        _services(Table(kernel, IPV4, AROUND), 250, 1000)
        kernel.close()
    finally:
        namespace.delete()


def _services(table: Table, count: int, endpoints: int) -> None:
    title = f"{count:,} Services x {endpoints:,} endpoints"
    services = [service(number) for number in range(count)]
    slices = [endpoint_slice(number, endpoints) for number in range(count)]
    ruleset = timed(f"{title}: build the rules", lambda: build_rules(services, slices, NODE))
    timed(f"{title}: compile them to text", lambda: compile_whole(ruleset, IPV4, AROUND))
    timed(f"{title}: whole load (compile included)", lambda: table.replace(ruleset))
    timed(f"{title}: whole load over the same", lambda: table.replace(ruleset))
    timed(f"{title}: full check", table.is_intact)
    _median(f"{title}: one Service more", table, [(number, endpoints) for number in range(count, count + 20)])
    _median(f"{title}: one endpoint less", table, [(number, endpoints - 1) for number in range(20)])
    print(f"  memory of this process: {memory_mb()} MB")
    table.clean_up()


def _median(title: str, table: Table, changes: list[tuple[int, int]]) -> None:
    times = []
    for number, endpoints in changes:
        started = time.perf_counter()
        new = build_service(service(number), [endpoint_slice(number, endpoints)], NODE)
        key = f"default/service-{number}"
        table.update(table.ruleset.with_changes({key: new}), {key})
        times.append(time.perf_counter() - started)
    print(f"{title}: {statistics.median(times) * 1000:.2f} ms (median of {len(times)}, max {max(times) * 1000:.1f})")


def timed(title: str, function: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = function()
    print(f"{title}: {time.perf_counter() - started:.3f} s")
    return result


def service(number: int) -> Object:
    return {
        "metadata": {"name": f"service-{number}", "namespace": "default"},
        "spec": {"clusterIP": _address(10, number + 1), "ports": [{"port": 80}]},
    }


def endpoint_slice(number: int, endpoints: int) -> Object:
    addresses: Iterator[str] = (_address(10, (128 << 16) + number * endpoints + each) for each in range(endpoints))
    return {
        "metadata": {"name": f"service-{number}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": f"service-{number}"}},
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": [{"addresses": [address], "nodeName": "node-2"} for address in addresses],
    }


def memory_mb() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def _address(first: int, number: int) -> str:
    return f"{first}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


if __name__ == "__main__":
    main()
