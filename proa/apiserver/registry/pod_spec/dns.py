"""spec.dnsConfig: name servers, search paths and options of a pod's resolver."""

import re

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import SUBDOMAIN_MAX_LENGTH, too_long
from proa.apiserver.registry.checks import check_ip

MAX_NAMESERVERS, MAX_SEARCHES, MAX_SEARCH_TEXT = 3, 32, 2048
_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an "
    f"alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)


def validate_dns(spec: Object, path: str) -> list[Cause]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None" and not (config or {}).get("nameservers"):
        if config is None:
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        return [required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")]
    if config is None:
        return []
    nameservers, causes = config.get("nameservers") or [], []
    if len(nameservers) > MAX_NAMESERVERS:
        causes.append(invalid(f"{path}.nameservers", nameservers, f"must not have more than {MAX_NAMESERVERS} nameservers"))
    for index, address in enumerate(nameservers):
        causes += check_ip(f"{path}.nameservers[{index}]", address)
    causes += _validate_searches(config.get("searches") or [], f"{path}.searches")
    options = enumerate(config.get("options") or ())
    return causes + [required(f"{path}.options[{index}]", "must not be empty") for index, option in options if not option.get("name")]


def _validate_searches(searches: list[str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    if len(searches) > MAX_SEARCHES:
        causes.append(invalid(path, searches, f"must not have more than {MAX_SEARCHES} search paths"))
    if len(" ".join(searches)) > MAX_SEARCH_TEXT:
        detail = f"must not have more than {MAX_SEARCH_TEXT} characters (including spaces) in the search list"
        causes.append(invalid(path, searches, detail))
    for index, search in enumerate(searches):
        if search == ".":
            continue
        name = search.removesuffix(".")
        if len(name) > SUBDOMAIN_MAX_LENGTH:
            causes.append(invalid(f"{path}[{index}]", name, too_long(SUBDOMAIN_MAX_LENGTH)))
        if not _is_subdomain(name):
            causes.append(invalid(f"{path}[{index}]", name, _MESSAGE))
    return causes
