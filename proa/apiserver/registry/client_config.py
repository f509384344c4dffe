"""Where a webhook is called: a URL or a Service, the same for admission and for conversion. Rules and texts: apiserver util/webhook."""

from urllib.parse import urlsplit

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, port_number

_FORM = "; desired format: https://host[/path]"


def check_target(config: Object, path: str) -> list[Cause]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    return check_url(url, f"{path}.url") if url is not None else check_service(service or {}, f"{path}.service")


def check_url(url: str, path: str) -> list[Cause]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return [required(path, f'url must be a valid URL: parse "{url}": {error}{_FORM}')]
    causes: list[Cause] = []
    if parts.scheme != "https":
        causes.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        causes.append(invalid(path, host, f"host must be specified{_FORM}"))
    if at:
        causes.append(invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        causes.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        causes.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return causes


def check_service(service: Object, path: str) -> list[Cause]:
    """Upstream's callers swap the two names, so that it tells the one where the other is missing; clients have seen it so for years."""
    causes = [required(f"{path}.{told}") for told, field in (("name", "namespace"), ("namespace", "name")) if not service.get(field)]
    port = service.get("port", 443)
    if problems := port_number(port):
        causes.append(invalid(f"{path}.port", port, f"port is not valid: {', '.join(problems)}"))
    return causes + _check_path(service.get("path") or "/", f"{path}.path")


def _check_path(value: str, path: str) -> list[Cause]:
    if value in ("/", "//"):
        return [] if value == "/" else [invalid(path, value, "segment[0] may not be empty")]
    causes = [] if value.startswith("/") else [invalid(path, value, "must start with a '/'")]
    for index, step in enumerate(value[1:].removesuffix("/").split("/")):
        problems = dns1123_subdomain(step) if step else []
        causes += [] if step else [invalid(path, value, f"segment[{index}] may not be empty")]
        causes += [invalid(path, value, f"segment[{index}]: {problem}") for problem in problems]
    return causes
