"""`authorizer`: expressions that ask whether somebody may do something.

Deciding may take a round trip, evaluation never waits: a check whose answer isn't known yet leaves the evaluation with `DecisionNeeded`.
The caller asks, and evaluates again with the answer (`decided` in environment.py). Source: Kubernetes' CEL authorizer library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Any, ClassVar

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.costs import CHECK
from proa.api.cel.types import BOOL, STRING, Type, opaque
from proa.api.cel.values import Opaque
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.lib.dataclass import dataclass

AUTHORIZER, PATH, GROUP, RESOURCE, DECISION = (
    opaque(f"kubernetes.authorization.{name}") for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
)


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `path` is set for what is no resource; `service_account` (namespace, name) asks for another user."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    service_account: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class DecisionValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.authorization.Decision"
    allowed: bool
    reason: str = ""
    error: str = ""


Answers = dict[Check, DecisionValue]


class DecisionNeeded(Exception):
    """Not an error of the expression: nothing in it may go on without the answer."""

    def __init__(self, check: Check) -> None:
        super().__init__(str(check))
        self.check = check


@dataclass(frozen=True, slots=True)
class AuthorizerValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.authorization.Authorizer"
    answers: Answers = field(default_factory=dict)
    service_account: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class CheckValue(Opaque):
    answers: Answers
    check: Check


class PathValue(CheckValue):
    type_name: ClassVar[str] = PATH.name


class GroupValue(CheckValue):
    type_name: ClassVar[str] = GROUP.name


class ResourceValue(CheckValue):
    type_name: ClassVar[str] = RESOURCE.name


def _path(authorizer: AuthorizerValue, path: str) -> PathValue:
    if not path.strip():
        raise EvaluationError("path must not be empty")
    return PathValue(authorizer.answers, Check(path=path, service_account=authorizer.service_account))


def _group(authorizer: AuthorizerValue, group: str) -> GroupValue:
    return GroupValue(authorizer.answers, Check(group=group, service_account=authorizer.service_account))


def _service_account(authorizer: AuthorizerValue, namespace: str, name: str) -> AuthorizerValue:
    if dns1123_subdomain(name):
        raise EvaluationError("Invalid service account name")
    if dns1123_label(namespace):
        raise EvaluationError("Invalid service account namespace")
    return AuthorizerValue(authorizer.answers, (namespace, name))


def _resource(group: GroupValue, resource: str) -> ResourceValue:
    if not resource.strip():
        raise EvaluationError("resource must not be empty")
    return ResourceValue(group.answers, replace(group.check, resource=resource))


def _narrowed(name: str) -> Callable[[ResourceValue, str], ResourceValue]:
    def run(value: ResourceValue, text: str) -> ResourceValue:
        changed: dict[str, Any] = {name: text}
        return ResourceValue(value.answers, replace(value.check, **changed))

    return run


def _check(value: CheckValue, verb: str) -> DecisionValue:
    asked = replace(value.check, verb=verb)
    answer = value.answers.get(asked)
    if answer is None:
        raise DecisionNeeded(asked)
    return answer


def _member(name: str, types: tuple[Type, ...], result: Type, run: Callable[..., Any]) -> Function:
    return Function(name, (overload(name, types, result, run, member=True),))


FUNCTIONS = (
    _member("path", (AUTHORIZER, STRING), PATH, _path),
    _member("group", (AUTHORIZER, STRING), GROUP, _group),
    _member("serviceAccount", (AUTHORIZER, STRING, STRING), AUTHORIZER, _service_account),
    _member("resource", (GROUP, STRING), RESOURCE, _resource),
    *(_member(each, (RESOURCE, STRING), RESOURCE, _narrowed(each)) for each in ("subresource", "namespace", "name")),
    _member("fieldSelector", (RESOURCE, STRING), RESOURCE, _narrowed("field_selector")),
    _member("labelSelector", (RESOURCE, STRING), RESOURCE, _narrowed("label_selector")),
    Function(
        "check",
        tuple(overload("check", (each, STRING), DECISION, _check, member=True) for each in (PATH, RESOURCE)),
        lambda values, result: CHECK,
    ),
    _member("allowed", (DECISION,), BOOL, lambda value: value.allowed),
    _member("reason", (DECISION,), STRING, lambda value: value.reason),
    _member("errored", (DECISION,), BOOL, lambda value: bool(value.error)),
    _member("error", (DECISION,), STRING, lambda value: value.error),
)
