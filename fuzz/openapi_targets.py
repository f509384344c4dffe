"""Every operation of every published document, in an order that meets all documents evenly, and what each has to go on with."""

import random
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from fuzz.api_server import Server
from fuzz.findings import Findings
from fuzz.seeds import SEEDS, Object
from fuzz.steering import NAMES, NAMESPACE, Ground

HARMFUL: tuple[str, ...] = (
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
    f"/api/v1/namespaces/{NAMESPACE}/resourcequotas",
    f"/api/v1/namespaces/{NAMESPACE}/limitranges",
    "/api/v1/namespaces/default/resourcequotas",
    "/api/v1/namespaces/default/limitranges",
)
"""What may keep others from being written is cleared away before the next operation."""


class Target:
    """One operation with the strategy of its requests. `whole` is the PUT at the same path, which says what a patched object looks like."""

    def __init__(self, operation: Any, whole: Any, document: str) -> None:
        self.operation = operation
        self.document = document
        self.label: str = operation.label
        self.path: str = operation.path
        self.paths: Object = operation.schema.raw_schema["paths"]
        self.parameters = frozenset(each.name for each in operation.iter_parameters())
        likely, odd = operation.as_strategy(), operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        scions = st.none() if whole is None else whole.as_strategy().map(lambda case: case.body)
        self.cases = st.tuples(st.one_of(likely, likely, odd), scions)

    @property
    def resource(self) -> tuple[str, str, str]:
        """(group, version, plural)"""
        parts = self.path.strip("/").split("/")
        start = 1 if parts[0] == "api" else 2
        group, version, rest = "/".join(parts[1:start]), "".join(parts[start : start + 1]), parts[start + 1 :]
        rest = rest[1:] if rest[:1] == ["watch"] else rest
        if rest[:2] == ["namespaces", "{namespace}"]:
            rest = rest[2:]
        return group, version, rest[0] if rest else ""

    @property
    def collection(self) -> str:
        """Where objects of its kind are created."""
        group, version, plural = self.resource
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        inside = f"{root}/namespaces/{{namespace}}/{plural}" in self.paths
        return f"{root}/namespaces/{NAMESPACE}/{plural}" if inside else f"{root}/{plural}"


def targets(server: Server, findings: Findings, only: str, seed: int) -> list[Target]:
    """`only` is a part of the documents' names."""
    index = server.ask("GET", "/openapi/v3").json()["paths"]
    documents = [_document(server, findings, name, entry["serverRelativeURL"]) for name, entry in sorted(index.items()) if only in name]
    return _in_turns(documents, seed)


def _document(server: Server, findings: Findings, name: str, address: str) -> list[Target]:
    operations = []
    for result in schemathesis.openapi.from_dict(server.ask("GET", address).json()).get_all_operations():
        try:
            operations.append(result.ok())
        except Exception as error:
            findings.add(name, f"an operation that can't be read: {error}")
    whole = {each.path: each for each in operations if each.method.upper() == "PUT"}
    return [Target(each, whole.get(each.path) if each.method.upper() == "PATCH" else None, name) for each in operations]


def _in_turns(documents: list[list[Target]], seed: int) -> list[Target]:
    """Each document is met evenly on the way, and every one at once."""
    order = random.Random(seed)
    placed = []
    for document in documents:
        order.shuffle(document)
        placed += [(number / len(document), target.document, target) for number, target in enumerate(document)]
    return [target for _, _, target in sorted(placed, key=lambda each: each[:2])]


def prepare(server: Server, target: Target, findings: Findings) -> Ground:
    """See to it that objects of the operation's kind can be there, and are."""
    ensure_namespaces(server)
    for path in HARMFUL:
        server.ask("DELETE", path)
    group, version, plural = target.resource
    for key, seed in SEEDS.items():
        if (key[0], key[2]) == (group, plural):
            return _planted(server, target, findings, seed, target.collection.replace(f"/{version}/", f"/{key[1]}/", 1))
    items = server.ask("GET", target.collection).json().get("items") if plural else None
    return Ground(items[0] if items else {}, NAMES)


def _planted(server: Server, target: Target, findings: Findings, seed: Object, collection: str) -> Ground:
    given = seed.get("metadata", {})
    names = (given["name"],) if "name" in given else NAMES
    current = seed
    for name in names[:2]:
        answer = server.ask("POST", collection, {**seed, "metadata": {**given, "name": name}})
        if answer.status_code in (200, 201):
            current = answer.json()
        elif answer.status_code not in (404, 405, 409):
            findings.add(f"seed of {target.resource[2]}", f"{answer.status_code} {answer.text[:500]}")
    read = server.ask("GET", f"{target.collection}/{names[0]}")
    return Ground(read.json() if read.status_code == 200 else current, names)


def ensure_namespaces(server: Server) -> None:
    server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    for namespace in (NAMESPACE, "default"):
        server.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}})
