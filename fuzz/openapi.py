"""Schemathesis against /openapi/v3: every operation of every published document is asked again and again with random, likely requests.

`python -m fuzz.openapi SECONDS [--url URL,TOKEN]`. The API server is started for it, alone, over a throw-away store, with all versions of
the API switched on, unless another one is named. The documents take turns, so that a short run touches every group. A finding is printed
once with what repeats it; the exit status is 1 if there is any.
"""

import argparse
import itertools
import signal
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import hypothesis
import requests
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response

from fuzz.api_server import Server, named, started
from fuzz.findings import Findings
from fuzz.openapi_checks import complaints
from fuzz.openapi_targets import Target, ensure_namespaces, prepare, targets
from fuzz.steering import NAMES, Ground, Object, Sent, steered

EXAMPLES = 12
"""Requests of one operation before the next one has its turn."""
SLOW_EXAMPLES = 3
"""The same of a watch, each of which takes a second."""
NOT_SENT = requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError
BOOKKEEPING = frozenset({"customresourcedefinitions", "apiservices", "flowschemas"})
"""Kinds whose status the server writes by itself right after the creation."""


class Exploration:
    """One run against one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.findings = Findings()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.asked: set[str] = set()
        self._trail: deque[str] = deque(maxlen=6)
        """The last requests: an answer that doesn't come may be owed to what came before."""

    def run(self, seconds: float, only: str, first_turn: int) -> None:
        end = time.monotonic() + seconds
        ensure_namespaces(self.server)
        found = targets(self.server, self.findings, only, first_turn)
        for turn in itertools.count(first_turn):
            if time.monotonic() >= end:
                return
            target = found[(turn - first_turn) % len(found)]
            self.asked.add(target.label)
            self._explore(target, prepare(self.server, target, self.findings), turn, end)

    def _explore(self, target: Target, ground: Ground, turn: int, end: float) -> None:
        examples = SLOW_EXAMPLES if "/watch/" in target.path else EXAMPLES
        quiet = settings(
            max_examples=examples, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )

        @hypothesis.seed(turn)
        @quiet
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            if time.monotonic() >= end:
                return
            case, scion = data.draw(target.cases)
            self._ask(target, data.draw(_requests(case, ground, target, scion)))

        with suppress(hypothesis.errors.Unsatisfiable):
            ask()

    def _ask(self, target: Target, sent: Sent) -> None:
        path = _expanded(target.path, sent.path_parameters)
        self._trail.append(f"{sent.method} {path} {sent.query} {sent.content_type} {(sent.body or b'')[:200]!r}")
        try:
            response = self.server.send(path, sent)
        except NOT_SENT:
            return
        except requests.RequestException as error:
            before = "\n    ".join(list(self._trail)[:-1])
            self.findings.add(target.label, f"no answer: {type(error).__name__}: {error}", sent, path, f"after {before}")
            return
        self.answers[target.document, response.status_code // 100] += 1
        self._judge(target, sent, path, response)

    def _judge(self, target: Target, sent: Sent, path: str, response: requests.Response) -> None:
        for what in complaints(sent, response.status_code, response.headers, response.content):
            self.findings.add(target.label, what, sent, path, response.text)
        other_form = ";as=" in sent.accept or "watch" in sent.query or "/watch/" in target.path or "/proxy" in target.path
        if not other_form and (wrong := _against_schema(target, response)):
            self.findings.add(target.label, f"not of the published schema: {wrong}", sent, path, response.text)
        if response.status_code == 201 and sent.method == "POST" and f"{target.path}/{{name}}" in target.paths:
            self._read_back(target, sent, path, response)

    def _read_back(self, target: Target, sent: Sent, path: str, response: requests.Response) -> None:
        if sent.query.get("dryRun") or sent.accept not in ("application/json", "*/*"):
            return
        made = response.json()
        item = f"{path}/{quote(made['metadata']['name'], safe='')}"
        read = self.server.ask("GET", item)
        if read.status_code != 200 or read.json()["metadata"]["uid"] != made["metadata"]["uid"]:
            self.findings.add(target.label, "what was created can't be read back", sent, item, read.text)
        elif read.json() != made and target.resource[2] not in BOOKKEEPING:
            both = f"{response.text}\n  {read.text}"
            self.findings.add(target.label, "what is read back differs from what the creation answered", sent, item, both)
        if made["metadata"]["name"] not in NAMES:
            self.server.ask("DELETE", item, {"gracePeriodSeconds": 0})


@st.composite
def _requests(draw: st.DrawFn, case: Any, ground: Ground, target: Target, scion: Any) -> Sent:
    sent = steered(draw, case, ground, target.parameters, scion)
    if sent.method == "DELETE" and "{name}" not in target.path and "/namespaces/" not in target.path:
        sent.query["labelSelector"] = "app=fuzz"  # the cluster's own roles and priority levels stay
    if "watch" in target.path or "watch" in sent.query:
        sent.query["timeoutSeconds"] = "1"
    return sent


def _expanded(path: str, parameters: Object) -> str:
    for name, value in parameters.items():
        text = str(value)
        path = path.replace("{" + name + "}", text if "%" in text else quote(text, safe=""))
    return path


def _against_schema(target: Target, response: requests.Response) -> str:
    """What the published schema says against an answer; empty if nothing."""
    if "json" not in response.headers.get("content-type", "") or response.status_code not in (200, 201, 202):
        return ""
    if response.request.method == "DELETE" and response.json().get("kind") != "Status":
        return ""  # an object that isn't gone yet is shown, as upstream does, although its documents promise a Status
    try:
        target.operation.validate_response(Response.from_any(response))
    except FailureGroup as group:
        return "; ".join(str(each).replace("\n", " ")[:500] for each in group.exceptions)
    except Failure as failure:
        return str(failure).replace("\n", " ")[:500]
    return ""


def report(exploration: Exploration) -> int:
    """The exit status."""
    answers = exploration.answers
    print(f"\n{'document':50} {'2xx':>8} {'4xx':>8} {'5xx':>8}")
    for document in sorted({document for document, _ in answers}):
        print(f"{document:50} {answers[document, 2]:8} {answers[document, 4]:8} {answers[document, 5]:8}")
    print(f"{answers.total()} answers of {len(exploration.asked)} operations, {len(exploration.findings.seen)} findings")
    log = exploration.server.log
    if log is not None and "Traceback" in (text := log.read_text()):
        print(f"the server's log:\n{text[:20000]}")
        return 1
    return 1 if exploration.findings.seen else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.openapi", description="Random requests by the published OpenAPI documents.")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--url", help="URL,TOKEN of an API server that runs already")
    parser.add_argument("--only", default="", help="a part of a document's name, such as apis/apps/v1")
    parser.add_argument("--seed", type=int, default=0, help="number of the first turn: another one asks other things")
    arguments = parser.parse_args()
    urllib3.disable_warnings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is stopped whoever ends this

    def explore(server: Server) -> int:
        exploration = Exploration(server)
        exploration.run(arguments.seconds, arguments.only, arguments.seed)
        return report(exploration)

    if arguments.url:
        return explore(named(arguments.url))
    with started() as server:
        return explore(server)


if __name__ == "__main__":
    sys.exit(main())
