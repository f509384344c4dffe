"""What is wrong with the conversion strategy of a CustomResourceDefinition. The paths are those of upstream's internal form."""

from base64 import b64decode
from urllib.parse import urlsplit

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain

REVIEW_VERSIONS = ("v1", "v1beta1")
NOT_SET = "should not be set when strategy is not set to Webhook"
_FORM = "; desired format: https://host[/path]"


def validate_conversion(conversion: Object, *, checks_bundle: bool = False) -> list[Cause]:
    """`checks_bundle`: a bundle that isn't one is refused; until a definition is established it is not, as somebody fills it in later."""
    path, strategy = "spec.conversion", conversion.get("strategy", "")
    causes: list[Cause] = []
    if not strategy:
        causes = [required(f"{path}.strategy")] if conversion else []
    elif strategy not in ("None", "Webhook"):
        causes = [not_supported(f"{path}.strategy", strategy, ["None", "Webhook"])]
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy != "Webhook":
        causes += [forbidden(f"{path}.webhookClientConfig", NOT_SET)] if config is not None else []
        return causes + ([forbidden(f"{path}.conversionReviewVersions", NOT_SET)] if versions else [])
    causes += _client_config(config, f"{path}.webhookClientConfig", checks_bundle=checks_bundle)
    return causes + _review_versions(versions, f"{path}.conversionReviewVersions")


def _client_config(config: Object | None, path: str, *, checks_bundle: bool) -> list[Cause]:
    if config is None:
        return [required(path, "required when strategy is set to Webhook")]
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        causes = [required(path, "exactly one of url or service is required")]
    elif service is None:
        causes = validate_url(str(url), f"{path}.url")
    else:
        causes = validate_service(service, f"{path}.service")
    if config.get("caBundle") and checks_bundle:
        causes += validate_bundle(config["caBundle"], f"{path}.caBundle")
    return causes


def validate_url(url: str, path: str) -> list[Cause]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return [required(path, f"url must be a valid URL: {error}{_FORM}")]
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


def validate_service(service: Object, path: str) -> list[Cause]:
    causes = [required(f"{path}.{field}") for field in ("name", "namespace") if not service.get(field)]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        causes.append(invalid(f"{path}.port", port, "port is not valid: must be between 1 and 65535, inclusive"))
    return causes + _service_path(service.get("path") or "/", f"{path}.path")


def _service_path(value: str, path: str) -> list[Cause]:
    if value in ("/", "//"):
        return [] if value == "/" else [invalid(path, value, "segment[0] may not be empty")]
    causes = [] if value.startswith("/") else [invalid(path, value, "must start with a '/'")]
    for index, step in enumerate(value[1:].removesuffix("/").split("/")):
        problems = dns1123_subdomain(step) if step else []
        causes += [] if step else [invalid(path, value, f"segment[{index}] may not be empty")]
        causes += [invalid(path, value, f"segment[{index}]: {problem}") for problem in problems]
    return causes


def validate_bundle(bundle: str, path: str) -> list[Cause]:
    """Certificates in PEM, in base64."""
    import ssl

    try:
        ssl.create_default_context(cadata=b64decode(bundle).decode("ascii"))
    except (ValueError, OSError):
        return [invalid(path, bundle, "unable to load root certificates: unable to parse bytes as PEM block")]
    return []


def _review_versions(versions: list[str], path: str) -> list[Cause]:
    if not versions:
        return [required(path)]
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            causes.append(invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        causes += [invalid(f"{path}[{index}]", version, problem) for problem in dns1035_label(version)]
    if not any(version in REVIEW_VERSIONS for version in versions):
        causes.append(invalid(path, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))
    return causes
