"""What is wrong with the conversion strategy of a CustomResourceDefinition. The paths are those of upstream's internal form."""

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_label

REVIEW_VERSIONS = ("v1", "v1beta1")


def validate_conversion(conversion: Object) -> list[Cause]:
    path, strategy = "spec.conversion", conversion.get("strategy", "")
    if not strategy:
        return [required(f"{path}.strategy")] if conversion else []
    if strategy not in ("None", "Webhook"):
        return [not_supported(f"{path}.strategy", strategy, ["None", "Webhook"])]
    webhook = conversion.get("webhook")
    if strategy == "None":
        if webhook is None:
            return []
        text = "Forbidden: should not be set when strategy is not set to Webhook"
        return [Cause(f"{path}.webhookClientConfig", text, "FieldValueForbidden")]
    config = (webhook or {}).get("clientConfig")
    causes = _client_config(config, f"{path}.webhookClientConfig")
    return causes + _review_versions((webhook or {}).get("conversionReviewVersions") or [], f"{path}.conversionReviewVersions")


def _client_config(config: Object | None, path: str) -> list[Cause]:
    if config is None:
        return [required(path, "required when strategy is set to Webhook")]
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if service is None:
        text = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        return [] if str(url).startswith("https://") else [invalid(f"{path}.url", url, text)]
    causes = [required(f"{path}.service.{field}", "") for field in ("name", "namespace") if not service.get(field)]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        causes.append(invalid(f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive"))
    if service.get("path") and not service["path"].startswith("/"):
        causes.append(invalid(f"{path}.service.path", service["path"], "must start with a '/'"))
    if service.get("namespace") and dns1123_label(service["namespace"]):
        causes.append(invalid(f"{path}.service.namespace", service["namespace"], dns1123_label(service["namespace"])[0]))
    return causes


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
