"""kube-apiserver's own flag names for the fields of `ApiServerConfig`: one table, for `python -m proa.apiserver` and for
`proa up --kube-apiserver-arg NAME=VALUE`.

A flag that is not in the table is refused by name: an option that nobody heeds is worse than none.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proa.apiserver.config import ApiServerConfig

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True)
class Flag:
    """`read` makes the field's value of the flag's text; raises ValueError with what is allowed."""

    field: str
    read: Callable[[str], Any]


def boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number")
    return int(text)


def duration(text: str) -> float:
    """Seconds of Go's notation: 30s, 1h30m, 500ms."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError('must be a duration such as "30s" or "1h30m"')
    return sum(float(count) * _UNITS[unit] for count, unit in parts)


def file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("is not a file")
    return path.absolute()


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def switches(text: str) -> dict[str, bool]:
    """`a=true,b=false`; a name alone is switched on."""
    pairs = (word.partition("=") for word in words(text))
    return {name: boolean(value or "true") for name, _, value in pairs}


def gates(text: str) -> dict[str, bool]:
    """Switches of features; one that is not heeded here is refused."""
    found = switches(text)
    for name in found:
        if name not in FEATURE_GATES:
            raise ValueError(f'unrecognized feature gate "{name}"; known: {", ".join(FEATURE_GATES)}')
    return found


def port_range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash or not 0 < number(first) <= number(last) < 65536:
        raise ValueError('must be a range of ports such as "30000-32767"')
    return int(first), int(last)


FEATURE_GATES = ("CBORServingAndStorage",)
FLAGS: dict[str, Flag] = {
    "api-audiences": Flag("api_audiences", words),
    "disable-admission-plugins": Flag("disable_admission_plugins", words),
    "enable-admission-plugins": Flag("enable_admission_plugins", words),
    "etcd-compaction-interval": Flag("compaction_interval", duration),
    "feature-gates": Flag("feature_gates", gates),
    "proxy-client-cert-file": Flag("proxy_client_certificate", file),
    "proxy-client-key-file": Flag("proxy_client_key", file),
    "requestheader-allowed-names": Flag("requestheader_allowed_names", words),
    "requestheader-client-ca-file": Flag("requestheader_client_ca", file),
    "requestheader-extra-headers-prefix": Flag("requestheader_extra_headers_prefix", words),
    "requestheader-group-headers": Flag("requestheader_group_headers", words),
    "requestheader-uid-headers": Flag("requestheader_uid_headers", words),
    "requestheader-username-headers": Flag("requestheader_username_headers", words),
    "runtime-config": Flag("runtime_config", switches),
    "service-account-issuer": Flag("issuer", str),
    "service-node-port-range": Flag("node_port_range", port_range),
}
"""By upstream's name, in alphabetical order."""


def read_flags(arguments: Iterable[str]) -> dict[str, Any]:
    """Fields of the configuration from NAME=VALUE texts, with or without leading dashes. Raises ValueError that names flag and value."""
    found: dict[str, Any] = {}
    for name, value in _split(arguments):
        flag = FLAGS.get(name)
        if flag is None:
            raise ValueError(f'unknown flag "--{name}" of the API server; known: {", ".join(sorted(FLAGS))}')
        try:
            found[flag.field] = flag.read(value)
        except ValueError as error:
            raise ValueError(f'invalid value "{value}" for flag "--{name}" of the API server: {error}') from None
    return found


def with_flags(config: ApiServerConfig, arguments: Iterable[str]) -> ApiServerConfig:
    return dataclasses.replace(config, **read_flags(arguments))


def settled(arguments: Iterable[str]) -> tuple[str, ...]:
    """The same arguments, checked, with paths that hold in any working directory."""
    pairs = ((name, value, read_flags([f"{name}={value}"])) for name, value in _split(arguments))
    return tuple(f"{name}={_absolute(value, *fields.values())}" for name, value, fields in pairs)


def _absolute(value: str, read: Any) -> str:
    return str(read) if isinstance(read, Path) else value


def _split(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A flag without a value is switched on, as it is upstream."""
    for argument in arguments:
        name, equals, value = argument.lstrip("-").partition("=")
        yield name, value if equals else "true"
