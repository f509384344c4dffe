"""Load by `wrk`: one thread, keep-alive connections, TLS; what it sends comes from a small Lua script, what it found from its output."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import cpu_seconds
from benchmarks.target import Target

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
CONNECTIONS = 32

SCRIPT = """
local count, body = -1, {body}  -- wrk asks for one request that it does not send
local headers = {{["Authorization"] = "Bearer {token}", ["Content-Type"] = "{content_type}"}}
function request()
  count = count + 1
  if {limit} > 0 and count > {limit} then os.exit(0) end  -- a stopped thread would not end wrk
  local number = {cycle} > 0 and (count % {cycle} + 1) or count
  local path = string.gsub("{path}", "NUMBER", tostring(number))
  local content = body and string.gsub(string.gsub(body, "NUMBER", tostring(number)), "COUNT", tostring(count))
  return wrk.format("{method}", path, headers, content)
end
function delay() return {delay} end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked. NUMBER in path and body counts from 1, with `cycle` over and over from 1 to there; COUNT in the body always goes on.

    `limit` ends the load after so many requests, without a report; `delay` is each connection's pause before a request, in milliseconds.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    content_type: str = "application/json"
    cycle: int = 0
    limit: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Latencies in seconds; `cpu` is the server's, in seconds a request, 0 where its process is not known."""

    rate: float
    requests: int
    failures: int
    median: float
    p99: float
    bytes_rate: str
    cpu: float

    def with_cpu(self, cpu: float) -> "Outcome":
        return replace(self, cpu=cpu)


def run(target: Target, load: Load, seconds: float, *, connections: int = CONNECTIONS, may_fail: bool = False) -> Outcome:
    """Raises RuntimeError if more than one request in a hundred failed: a figure of refusals would be worse than none."""
    before = cpu_seconds(target.pid) if target.pid else 0.0
    with TemporaryDirectory(prefix="proa-wrk-") as directory:
        output, _ = start(target, load, seconds, Path(directory), connections=connections).communicate()
    outcome = parse(output)
    used = cpu_seconds(target.pid) - before if target.pid else 0.0
    if not may_fail and (outcome.requests == 0 or outcome.failures > outcome.requests / 100):
        raise RuntimeError(f"{load.method} {load.path} on {target.name}: {outcome.failures} of {outcome.requests} failed\n{output}")
    return outcome.with_cpu(used / max(outcome.requests, 1))


def send(target: Target, load: Load, seconds: float) -> None:
    """A load with a limit, whose speed does not matter; at most `seconds`. The last requests may be cut off."""
    with TemporaryDirectory(prefix="proa-wrk-") as directory:
        start(target, load, seconds, Path(directory)).communicate()


def start(target: Target, load: Load, seconds: float, directory: Path, *, connections: int = CONNECTIONS) -> "subprocess.Popen[str]":
    """The load as a process; `directory` keeps its script while it runs."""
    script = directory / "load.lua"
    script.write_text(_script(load, target.token))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "--latency", "-s", str(script), target.url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _script(load: Load, token: str) -> str:
    body = "nil" if load.body is None else f"[==[{json.dumps(load.body, separators=(',', ':'))}]==]"
    return SCRIPT.format(
        body=body, token=token, content_type=load.content_type, limit=load.limit, cycle=load.cycle, path=load.path, method=load.method,
        delay=load.delay,
    )  # fmt: skip


def parse(output: str) -> Outcome:
    """Of wrk's report."""
    latencies = dict(re.findall(r"^\s+(50|99)%\s+(\S+)$", output, re.MULTILINE))
    requests = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    transfer = re.search(r"Transfer/sec:\s+(\S+)", output)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if not requests or not rate:
        raise RuntimeError(f"wrk did not report: {output!r}")
    return Outcome(
        float(rate[1]), int(requests[1]), int(refused[1]) if refused else 0, duration(latencies.get("50", "0s")),
        duration(latencies.get("99", "0s")), transfer[1] if transfer else "", 0.0,
    )  # fmt: skip


def duration(text: str) -> float:
    """Seconds of wrk's "1.23ms"."""
    amount, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(amount) * SECONDS[unit]
