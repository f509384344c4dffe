"""kube-apiserver's own flag names for the fields of `ApiServerConfig`: one table, for `python -m proa.apiserver` and for
`proa up --kube-apiserver-arg NAME=VALUE`.

A flag that is not in the table is refused by name: an option that nobody heeds is worse than none.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from proa.apiserver.config import ApiServerConfig
from proa.lib.dataclass import dataclass

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True)
class Flag:
    """`read` makes the field's value of the flag's text; raises ValueError with what is allowed. A list or mapping grows with each time
    that the flag is given; any other flag counts as it is given last, unless there is a field for `more`."""

    field: str
    read: Callable[[str], Any]
    more: str = ""


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


def files(text: str) -> tuple[Path, ...]:
    return tuple(file(word) for word in words(text))


def name_values(text: str) -> dict[str, str]:
    """`a=b,c=d`."""
    found = dict(word.split("=", 1) for word in words(text) if "=" in word)
    if len(found) != len(words(text)):
        raise ValueError("must be pairs such as name=value")
    return found


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


FEATURE_GATES = ("CBORServingAndStorage", "ConstrainedImpersonation")


def decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number") from None


def _audit(plugin: str) -> dict[str, Flag]:
    """The flags that both audit backends have."""
    reads: dict[str, Callable[[str], Any]] = {
        "mode": str, "batch-buffer-size": number, "batch-max-size": number, "batch-max-wait": duration, "batch-throttle-enable": boolean,
        "batch-throttle-qps": decimal, "batch-throttle-burst": number, "truncate-enabled": boolean, "truncate-max-batch-size": number,
        "truncate-max-event-size": number, "version": str,
    }  # fmt: skip
    return {f"audit-{plugin}-{name}": Flag(f"audit_{plugin}_{name.replace('-', '_')}", read) for name, read in reads.items()}


def output(text: str) -> Path:
    """A file that need not be there yet, or "-"."""
    return Path(text) if text == "-" else Path(text).absolute()


_UNSORTED: dict[str, Flag] = {
    **_audit("log"),
    **_audit("webhook"),
    "audit-log-compress": Flag("audit_log_compress", boolean),
    "audit-log-format": Flag("audit_log_format", str),
    "audit-log-maxage": Flag("audit_log_maxage", number),
    "audit-log-maxbackup": Flag("audit_log_maxbackup", number),
    "audit-log-maxsize": Flag("audit_log_maxsize", number),
    "audit-log-path": Flag("audit_log_path", output),
    "audit-policy-file": Flag("audit_policy_file", file),
    "audit-webhook-config-file": Flag("audit_webhook_config_file", file),
    "audit-webhook-initial-backoff": Flag("audit_webhook_initial_backoff", duration),
    "admission-control-config-file": Flag("admission_control_config_file", file),
    "anonymous-auth": Flag("anonymous_auth", boolean),
    "api-audiences": Flag("api_audiences", words),
    "authentication-config": Flag("authentication_config", file),
    "authentication-token-webhook-cache-ttl": Flag("authentication_token_webhook_cache_ttl", duration),
    "authentication-token-webhook-config-file": Flag("authentication_token_webhook_config", file),
    "authentication-token-webhook-version": Flag("authentication_token_webhook_version", str),
    "authorization-config": Flag("authorization_config", file),
    "authorization-mode": Flag("authorization_mode", words),
    "authorization-webhook-cache-authorized-ttl": Flag("authorization_webhook_cache_authorized_ttl", duration),
    "authorization-webhook-cache-unauthorized-ttl": Flag("authorization_webhook_cache_unauthorized_ttl", duration),
    "authorization-webhook-config-file": Flag("authorization_webhook_config", file),
    "authorization-webhook-version": Flag("authorization_webhook_version", str),
    "client-ca-file": Flag("client_ca", file),
    "disable-admission-plugins": Flag("disable_admission_plugins", words),
    "enable-admission-plugins": Flag("enable_admission_plugins", words),
    "enable-bootstrap-token-auth": Flag("enable_bootstrap_token_auth", boolean),
    "etcd-compaction-interval": Flag("compaction_interval", duration),
    "feature-gates": Flag("feature_gates", gates),
    "oidc-ca-file": Flag("oidc_ca", file),
    "oidc-client-id": Flag("oidc_client_id", str),
    "oidc-groups-claim": Flag("oidc_groups_claim", str),
    "oidc-groups-prefix": Flag("oidc_groups_prefix", str),
    "oidc-issuer-url": Flag("oidc_issuer_url", str),
    "oidc-required-claim": Flag("oidc_required_claims", name_values),
    "oidc-signing-algs": Flag("oidc_signing_algs", words),
    "oidc-username-claim": Flag("oidc_username_claim", str),
    "oidc-username-prefix": Flag("oidc_username_prefix", str),
    "enable-priority-and-fairness": Flag("enable_priority_and_fairness", boolean),
    "max-mutating-requests-inflight": Flag("max_mutating_requests_inflight", number),
    "max-requests-inflight": Flag("max_requests_inflight", number),
    "min-request-timeout": Flag("min_request_timeout", number),
    "proxy-client-cert-file": Flag("proxy_client_certificate", file),
    "proxy-client-key-file": Flag("proxy_client_key", file),
    "request-timeout": Flag("request_timeout", duration),
    "requestheader-allowed-names": Flag("requestheader_allowed_names", words),
    "requestheader-client-ca-file": Flag("requestheader_client_ca", file),
    "requestheader-extra-headers-prefix": Flag("requestheader_extra_headers_prefix", words),
    "requestheader-group-headers": Flag("requestheader_group_headers", words),
    "requestheader-uid-headers": Flag("requestheader_uid_headers", words),
    "requestheader-username-headers": Flag("requestheader_username_headers", words),
    "runtime-config": Flag("runtime_config", switches),
    "service-account-extend-token-expiration": Flag("service_account_extend_token_expiration", boolean),
    "service-account-issuer": Flag("issuer", str, more="accepted_issuers"),
    "service-account-jwks-uri": Flag("service_account_jwks_uri", str),
    "service-account-key-file": Flag("service_account_key_files", files),
    "service-account-max-token-expiration": Flag("service_account_max_token_expiration", duration),
    "service-account-signing-key-file": Flag("service_account_key", file),
    "service-node-port-range": Flag("node_port_range", port_range),
    "token-auth-file": Flag("token_auth_file", file),
}
FLAGS: dict[str, Flag] = dict(sorted(_UNSORTED.items()))
"""By upstream's name, in alphabetical order."""


def read_flags(arguments: Iterable[str]) -> dict[str, Any]:
    """Fields of the configuration from NAME=VALUE texts, with or without leading dashes. Raises ValueError that names flag and value."""
    found: dict[str, Any] = {}
    for name, value in _split(arguments):
        flag = FLAGS.get(name)
        if flag is None:
            raise ValueError(f'unknown flag "--{name}" of the API server; known: {", ".join(sorted(FLAGS))}')
        try:
            _put(found, flag, flag.read(value))
        except ValueError as error:
            raise ValueError(f'invalid value "{value}" for flag "--{name}" of the API server: {error}') from None
    return found


def _put(found: dict[str, Any], flag: Flag, value: Any) -> None:
    present = found.get(flag.field)
    if present is not None and flag.more:
        found[flag.more] = (*found.get(flag.more, ()), value)
    elif isinstance(present, tuple) and flag.read in (words, files):
        found[flag.field] = present + value
    elif isinstance(present, dict):
        found[flag.field] = present | value
    else:
        found[flag.field] = value


def with_flags(config: ApiServerConfig, arguments: Iterable[str]) -> ApiServerConfig:
    return dataclasses.replace(config, **read_flags(arguments))


def settled(arguments: Iterable[str]) -> tuple[str, ...]:
    """The same arguments, checked, with paths that hold in any working directory."""
    pairs = ((name, value, read_flags([f"{name}={value}"])) for name, value in _split(arguments))
    return tuple(f"{name}={_absolute(value, *fields.values())}" for name, value, fields in pairs)


def _absolute(value: str, read: Any) -> str:
    if isinstance(read, tuple) and any(isinstance(each, Path) for each in read):
        return ",".join(map(str, read))
    return str(read) if isinstance(read, Path) else value


def _split(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A flag without a value is switched on, as it is upstream."""
    for argument in arguments:
        name, equals, value = argument.lstrip("-").partition("=")
        yield name, value if equals else "true"
