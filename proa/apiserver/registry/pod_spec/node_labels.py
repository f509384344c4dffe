"""Labels of nodes that have got new names, and what is said to those who use the old ones."""

from collections.abc import Iterable, Mapping

from proa.api.meta import Object
from proa.api.names import label_value

_MESSAGES: Mapping[str, str] = {
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}


def deprecated_label(key: str) -> str:
    """The message for an old label; empty for any other."""
    return _MESSAGES.get(key, "")


def current_label(key: str) -> str:
    """What an old label is called today; any other is called what it is."""
    message = _MESSAGES.get(key)
    return message.split('"')[1] if message else key


def label_warnings(keys: Iterable[str], path: str) -> list[str]:
    return [f"{path}[{key}]: {message}" for key in keys if (message := _MESSAGES.get(key))]


def term_warnings(term: Object, path: str, *, check_values: bool = False) -> list[str]:
    """Of one term of a node selector; a preferred one may hold values that no label can have."""
    found = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        key = expression.get("key", "")
        if message := _MESSAGES.get(key):
            found.append(f"{path}.matchExpressions[{index}].key: {key} is {message}")
        for number, value in enumerate(expression.get("values") or ()) if check_values else ():
            own = f"{path}.matchExpressions[{index}].values[{number}]"
            found += [f"{own}: {value} is invalid, {problem}" for problem in label_value(value)]
    return found
