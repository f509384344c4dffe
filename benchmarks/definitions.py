"""A thousand CustomResourceDefinitions, as a cluster with some operators has them: what they cost a start and memory, and what a custom
resource costs to write.

Their schemas are those of Kubernetes' own types, written out as controller-gen does, with descriptions: 5 to 30 KB each.
"""

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import wrk
from benchmarks.api_server import PATIENCE, Installation, installation, stop
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, memory
from benchmarks.target import Target, wait_until_ready
from proa.api.schema import Schema, load_schema
from proa.api.schema_node import SchemaNode

COUNT = 1000
ROUNDS = 3
SETTLE = 2.0
SMALLEST, LARGEST = 5_000, 30_000
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WRITTEN = "/apis/bench0.example.com/v1/namespaces/benchmark/kinds"
CORE = "io.k8s.api."
TYPES = (
    "core.v1.Affinity", "core.v1.Container", "core.v1.ServiceSpec", "core.v1.Probe", "core.v1.SecurityContext", "core.v1.NodeAffinity",
    "core.v1.PersistentVolumeSpec", "networking.v1.NetworkPolicySpec", "networking.v1.IngressSpec",
    "autoscaling.v2.HorizontalPodAutoscalerSpec",
)  # fmt: skip


def measure() -> list[Figure]:
    with installation() as installed:
        bare = _starts(installed)
        with installed.running() as target:
            started, used = time.monotonic(), cpu_seconds(target.pid)
            sizes = _fill(target)
            made, used = time.monotonic() - started, cpu_seconds(target.pid) - used
        full = _starts(installed)
        with installed.running() as target:
            rate, cost = _writes(target)
    spread = f"{COUNT:,} of {min(sizes) / 1000:.0f} to {max(sizes) / 1000:.0f} KB, {sum(sizes) / 1e6:.0f} MB of JSON"
    return [
        Figure("definitions: creates", COUNT / made, "/s", note=f"{spread}; {used / COUNT * 1000:.1f} ms of CPU each"),
        Figure("definitions: process start to /readyz", full[0], "s", "2", note=f"without them {bare[0]:.2f} s; median of {ROUNDS}"),
        Figure("definitions: CPU of a start", full[1], "s", note=f"without them {bare[1]:.2f} s"),
        Figure("definitions: memory that they take, PSS", full[2] - bare[2], "MB", "60", note=f"{full[2]:.0f} in all"),
        Figure("custom resources with a schema: creates", rate, "/s", note=f"{cost * 1e6:.0f} us of CPU each"),
    ]


def _starts(installed: Installation) -> tuple[float, float, float]:
    """(seconds, CPU seconds until ready, megabytes at rest), each the median."""
    rounds = [_start(installed) for _ in range(ROUNDS)]
    seconds, used, size = (statistics.median(column) for column in zip(*rounds, strict=True))
    return seconds, used, size


def _start(installed: Installation) -> tuple[float, float, float]:
    started = time.monotonic()
    process = installed.start()
    try:
        wait_until_ready(installed.url, started + PATIENCE)
        seconds, used = time.monotonic() - started, cpu_seconds(process.pid)
        time.sleep(SETTLE)
        return seconds, used, memory(process.pid).pss
    finally:
        stop(process)


def _fill(target: Target) -> list[int]:
    """Sizes of their JSON."""
    schemas = list(_schemas(load_schema("1.37")))
    sizes = []
    for number in range(COUNT):
        body = definition(number, schemas[number % len(schemas)])
        target.request("POST", DEFINITIONS, body)
        sizes.append(len(json.dumps(body)))
    last = f"/apis/bench{COUNT - 1}.example.com/v1/kinds"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            target.request("GET", last)
            return sizes
        except RuntimeError:
            time.sleep(0.05)
    raise RuntimeError(f"{last} is not served")


def _writes(target: Target) -> tuple[float, float]:
    """(creates per second, CPU seconds of one)."""
    target.ensure("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "benchmark"}})
    body = {"apiVersion": "bench0.example.com/v1", "kind": "Kind", "metadata": {"name": "made-NUMBER"}, "spec": _resource()}
    outcome = wrk.run(target, wrk.Load("POST", WRITTEN, body), 5)
    return outcome.rate, outcome.cpu


def _resource() -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def definition(number: int, schema: dict[str, Any]) -> dict[str, Any]:
    whole = {"type": "object", "properties": {"spec": schema, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    columns = [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    version = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}, "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }  # fmt: skip
    group, names = f"bench{number}.example.com", {"plural": "kinds", "kind": "Kind"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind, "metadata": {"name": f"kinds.{group}"}, "spec": spec}


def _schemas(schema: Schema) -> Iterator[dict[str, Any]]:
    """Structural schemas of the wanted sizes; what is larger is cut where it is deep."""
    for name in TYPES:
        made: dict[str, Any] = {}
        for depth in range(2, 8):
            deeper = written_out(schema.node(CORE + name), depth)
            if len(json.dumps(deeper)) > LARGEST:
                break
            made = deeper
        if len(json.dumps(made)) >= SMALLEST:
            yield made


def written_out(node: SchemaNode, depth: int) -> dict[str, Any]:
    """A type with its references resolved, as far as `depth` goes."""
    if node.type in ("int_or_string", "quantity"):
        return {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}], "description": node.description}
    if (node.type in ("object", "map", "array") and not depth) or node.type == "any":
        return {"x-kubernetes-preserve-unknown-fields": True, "description": node.description}
    made: dict[str, Any] = {"type": "object" if node.type == "map" else node.type, "description": node.description}
    if node.properties:
        made["properties"] = {name: written_out(inner, depth - 1) for name, inner in node.properties.items()}
        made["required"] = list(node.required)
    if node.values is not None:
        made["additionalProperties"] = written_out(node.values, depth - 1)
    if node.items is not None:
        made["items"] = written_out(node.items, depth - 1)
    return made
