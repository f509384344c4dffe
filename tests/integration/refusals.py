"""What the tables of refusals share: a body with changes, the causes of the answer (`field: message` each), the words that many say."""

import copy
from typing import Any

from tests.integration.conftest import Answer

Object = dict[str, Any]
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*"
    "[a-z0-9])?)*')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
NOT_QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
    "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


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
