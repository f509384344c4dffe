"""CEL expressions about who asks: over a token's `claims`, the `user` that it makes, or the `request` that is to be authorized.

Compiled once, when a configuration is read. Sources: k8s.io/apiserver/pkg/authentication/cel and authorization/cel.
"""

import functools
import re
from typing import Any

from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError
from proa.api.cel.types import DYN, STRING, Type, list_of, map_of, object_type

__all__ = ["CompileError", "IdentityExpression"]
_STRINGS, _EXTRA = list_of(STRING), map_of(STRING, list_of(STRING))


def _selector(name: str) -> Type:
    requirement = object_type(f"kubernetes.{name}Requirement", {"key": STRING, "operator": STRING, "values": _STRINGS})
    return object_type(f"kubernetes.{name}Attributes", {"rawSelector": STRING, "requirements": list_of(requirement)})


@functools.cache
def _environment(variable: str) -> Environment:
    attributes = dict.fromkeys(("namespace", "verb", "group", "version", "resource", "subresource", "name"), STRING)
    selectors = {"fieldSelector": _selector("FieldSelector"), "labelSelector": _selector("LabelSelector")}
    review = {
        "resourceAttributes": object_type("kubernetes.ResourceAttributes", attributes | selectors),
        "nonResourceAttributes": object_type("kubernetes.NonResourceAttributes", {"path": STRING, "verb": STRING}),
        "user": STRING, "groups": _STRINGS, "extra": _EXTRA, "uid": STRING,
    }  # fmt: skip
    user = {"username": STRING, "uid": STRING, "groups": _STRINGS, "extra": _EXTRA}
    types = {
        "claims": map_of(STRING, DYN),
        "user": object_type("kubernetes.UserInfo", user),
        "request": object_type("kubernetes.SubjectAccessReviewSpec", review),
    }
    return Environment({variable: types[variable]})


class IdentityExpression:
    """One expression over one variable. `condition` must be true or false, and be known to be."""

    def __init__(self, source: str, variable: str, *, condition: bool) -> None:
        """Raises CompileError."""
        self.source = source
        self._variable = variable
        self._program = _environment(variable).compile(source)
        if condition and self._program.result.kind != "bool":
            raise CompileError("must evaluate to bool")

    def __call__(self, value: Any) -> Any:
        """The result as plain data; raises ValueError with what failed."""
        return self._program.evaluate({self._variable: value})

    def selects(self, field: str) -> bool:
        """Whether the expression reads `field` of its variable."""
        code = re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"", "''", self.source)
        return re.search(rf"\b{self._variable}\s*\.\s*\??\s*{field}\b", code) is not None
