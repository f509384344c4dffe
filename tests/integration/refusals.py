"""What the tables of refusals share: a body with changes, and the causes of the answer, one `field: message` each."""

import copy
from typing import Any

from tests.integration.conftest import Answer

Object = dict[str, Any]


def changed(base: Object, changes: Object) -> Object:
    """`base` with values at paths like `spec.containers.0.name`; an index at the end of a list appends, None removes."""
    obj = copy.deepcopy(base)
    for path, value in changes.items():
        parent: Any = obj
        *steps, last = path.split(".")
        for step in steps:
            parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
        if isinstance(parent, list):
            parent[int(last) :] = [value]
        elif value is None:
            del parent[last]
        else:
            parent[last] = value
    return obj


def causes(answer: Answer) -> list[str]:
    """Empty for a request that was not refused."""
    if answer.status < 400:
        return []
    assert answer.summary[:2] == (422, "Invalid"), answer.body
    return [f"{each['field']}: {each['message']}" for each in answer.body["details"]["causes"]]
